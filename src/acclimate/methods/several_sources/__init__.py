"""Methods that learn from several labelled sources."""
