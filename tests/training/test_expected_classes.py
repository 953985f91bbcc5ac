"""What looks say of answers where classes may be absent, or unknown ones there."""

from __future__ import annotations

import numpy as np

from acclimate.training.collapse import ALL_CLASSES, AND_UNKNOWN, SOME_CLASSES
from acclimate.training.probe import Probed

CLASSES = ("a", "b", "c", "d")
LEARNT = np.array([25, 25, 25, 25])


def look(*answers: int) -> Probed:
    return Probed(LEARNT, LEARNT, np.array(answers))


def test_absent_classes_are_an_illness_only_where_all_are_to_be_there() -> None:
    half = look(50, 50, 0, 0)
    assert ALL_CLASSES.spread(1, half, CLASSES) is not None
    assert SOME_CLASSES.spread(1, half, CLASSES) is None
    alone = SOME_CLASSES.spread(1, look(99, 1, 0, 0), CLASSES)
    assert alone is not None
    assert alone.kind == "class-collapse"
    assert "“a” in 99.0 %" in alone.sentence
    untaught = SOME_CLASSES.spread(1, Probed(LEARNT, np.array([25, 0, 0, 0]), np.array([100, 0, 0, 0])), CLASSES)
    assert untaught is not None
    assert untaught.kind == "not-learnt"


def test_what_is_called_unknown_is_left_out_of_how_answers_are_spread() -> None:
    source = np.array([30, 30, 30, 0])

    def seen(*answers: int) -> Probed:
        return Probed(source, source, np.array(answers))

    assert AND_UNKNOWN.spread(1, seen(20, 20, 20, 100), CLASSES) is None
    lacking = AND_UNKNOWN.spread(1, seen(40, 40, 0, 100), CLASSES)
    assert lacking is not None
    assert "“c” 0.0 %" in lacking.sentence
    nothing = AND_UNKNOWN.spread(1, seen(0, 0, 0, 100), CLASSES)
    assert nothing is not None
    assert "Every answer on the target is “d”" in nothing.sentence
