"""What an exported folder answers with: these files go into it, with those of the readers that they import.

They need NumPy, Pillow and onnxruntime, and of acclimate nothing but files that need no more.
"""
