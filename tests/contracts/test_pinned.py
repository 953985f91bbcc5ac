"""No rebuilding of the house changes what it does: see `pins`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pins import FILE, cases, here, pin

from acclimate.runs.options import TrainingOptions

PINNED = json.loads(FILE.read_text(encoding="utf-8"))
DIGESTS = ("weights", "answers")


def same(pinned: Any, found: Any, where: str = "") -> None:
    """Equal, floats but for rounding; what is new stands beside what is pinned."""
    if isinstance(pinned, dict):
        assert not (lost := pinned.keys() - found.keys()), f"{where} lacks {sorted(lost)}"
        for name, value in pinned.items():
            same(value, found[name], f"{where}/{name}")
    elif isinstance(pinned, list) and isinstance(found, list):
        assert len(pinned) == len(found), where
        for number, (one, two) in enumerate(zip(pinned, found, strict=True)):
            same(one, two, f"{where}/{number}")
    elif isinstance(pinned, float):
        assert found == pytest.approx(pinned, rel=1e-3, abs=1e-5), where
    else:
        assert found == pinned, where


def without_digests(pins: dict[str, Any]) -> dict[str, Any]:
    beside = {name: without_digests(found) for name, found in pins.get("beside", {}).items()}
    return {name: found for name, found in pins.items() if name not in DIGESTS} | (
        {"beside": beside} if beside else {}
    )


@pytest.mark.parametrize(("method", "world"), list(cases()))
def test_a_method_does_what_it_did(method: str, world: str, place: Callable[[str, str], Path]) -> None:
    pinned, found = PINNED["pins"][f"{method} on {world}"], pin(method, world, place(method, world))
    if PINNED["digests are of"] != here():
        pinned = without_digests(pinned)
    same(pinned, found)


def test_what_training_options_are_left_alone_are_as_they_were() -> None:
    same(PINNED["usual training"], TrainingOptions().model_dump(mode="json"))


def test_nothing_is_pinned_that_is_gone() -> None:
    assert set(PINNED["pins"]) <= {f"{method} on {world}" for method, world in cases()}


@pytest.mark.parametrize("changed", [{"a": 2}, {}, {"a": 1, "b": [1.0]}, {"a": 1, "b": [1.0, 2.1]}])
def test_a_change_is_noticed(changed: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        same({"a": 1, "b": [1.0, 2.0]}, {"b": [1.0, 2.0], **changed})
