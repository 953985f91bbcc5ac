"""What answers queries when training is over. Nothing here trains, and nothing here imports what does."""
