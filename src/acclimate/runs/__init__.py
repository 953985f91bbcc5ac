"""The record of a run: a folder of plain files. Nothing here imports torch, a trainer or a method."""
