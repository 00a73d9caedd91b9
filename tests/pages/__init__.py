"""Pages through AppTest and through a real browser."""
