"""Methods that adapt a classifier whose source and target share features and classes."""
