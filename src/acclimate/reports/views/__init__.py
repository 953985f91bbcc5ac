"""How runs are told to people: one file a problem; `base` says what a view answers."""
