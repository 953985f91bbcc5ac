"""Methods that answer a number."""
