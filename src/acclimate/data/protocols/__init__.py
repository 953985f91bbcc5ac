"""Public tasks, one file for each kind of data: which examples stand on which side, by which protocol."""
