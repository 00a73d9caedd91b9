"""What people decide about labels: kept for ever, checked, counted and taken into training."""
