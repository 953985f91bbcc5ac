"""Methods for targets that have classes which the source does not know."""
