"""Networks, what they eat, and trained models answering as predictors."""
