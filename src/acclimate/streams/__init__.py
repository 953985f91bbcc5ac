"""Endless, seeded, resumable streams of batches: one file a form of batch."""
