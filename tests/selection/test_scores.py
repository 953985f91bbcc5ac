"""Scores that need no target label: their examples, and worlds with known answers."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from acclimate.selection import scores

TOPICS = [topic.name for topic in pkgutil.iter_modules(scores.__path__)]


@pytest.mark.parametrize("topic", TOPICS)
def test_examples_in_docstrings_come_out_as_written(topic: str) -> None:
    module = importlib.import_module(f"acclimate.selection.scores.{topic}")
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
