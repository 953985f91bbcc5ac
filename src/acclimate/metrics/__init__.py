"""Scores with labels. The only place that may read held-out target labels."""
