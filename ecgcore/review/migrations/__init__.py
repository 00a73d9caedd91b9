"""How the store's tables come to be and change: run by Alembic when a store is opened."""
