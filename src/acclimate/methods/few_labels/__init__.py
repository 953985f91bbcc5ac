"""Methods for targets with the source's features and a few labels of each class."""
