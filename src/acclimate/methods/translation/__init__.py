"""Methods that turn images of one side into images of the other."""
