"""Methods whose source and target have different features and share classes."""
