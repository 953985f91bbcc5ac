"""Methods that compute a map of the inputs, or of the source's alone, and ask a simple classifier behind it."""
