"""Methods that adapt while they answer; see `methods.online`."""
