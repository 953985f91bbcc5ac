"""Retrieval: the problem, its gallery, and what is found in it."""
