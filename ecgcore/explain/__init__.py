"""Why a model said what it said: one file a method, each giving an Explanation."""
