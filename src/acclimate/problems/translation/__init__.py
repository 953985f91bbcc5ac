"""Translation: the problem, what is shown of it, and who judges."""
