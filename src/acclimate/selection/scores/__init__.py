"""Scores of a trained model that need no target label, one topic a file: pure functions of arrays."""
