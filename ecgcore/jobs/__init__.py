"""Training runs as processes of their own: asked for, queued, watched, paused, found again."""
