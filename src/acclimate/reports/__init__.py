"""Figures, tables and self-contained pages. Reads run folders and nothing else: no torch, no trainer, no method."""
