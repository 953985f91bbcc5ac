"""What a model may be exported as, by the names that users type."""

from __future__ import annotations

PRETRAINED = "safetensors"
NAMES = ("onnx", "pt2", "arrays", PRETRAINED)
DEFAULT = ("onnx",)
