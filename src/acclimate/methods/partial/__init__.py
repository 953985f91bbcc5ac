"""Methods for targets that have some of the source's classes only."""
