"""Odds of a domain classifier: the corner of the source that the target is in comes to count."""

from __future__ import annotations

from shifts import a_corner, gain


def test_solves_a_corner_that_the_source_hardly_sees() -> None:
    """A model too smooth for both of the class's changes follows the one that weights tell it of."""
    assert gain("domain-odds", a_corner(), penalty=0.01) > 0.25
