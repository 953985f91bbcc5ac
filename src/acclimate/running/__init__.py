"""From a request to a run folder: what commands and estimators ask for, beyond the loop itself."""
