"""What comes in: domains, tasks, readers, the catalog, and streams of batches."""
