"""What docstrings of pure functions show is what they give."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

import acclimate

PACKAGE = Path(acclimate.__file__).parent
PURE = ("objectives", "metrics")
MODULES = sorted(
    ".".join(("acclimate", *path.relative_to(PACKAGE).with_suffix("").parts))
    for folder in PURE
    for path in (PACKAGE / folder).glob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), extraglobs={"np": np, "torch": torch})
    assert found.attempted
    assert not found.failed


def test_there_are_examples_in_most_of_them() -> None:
    assert len(MODULES) >= 15
