"""Which target examples to label, and what so few labels say: pure functions, each beside its equation and source."""
