"""Methods that begin with a trained model and see the target alone."""
