"""Retrieval: queries of one kind find what belongs to them among items of another."""
