"""What labels would buy, as a run without any is told."""

from __future__ import annotations

import json
from pathlib import Path

from acclimate.reports import label_worth
from acclimate.reports.label_worth import in_words

FOUND = {
    "1": {"low": -0.1, "median": 0.2, "high": 0.5, "tasks": 14},
    "3": {"low": 0.1, "median": 0.5, "high": 0.8, "tasks": 14},
}


def test_the_share_of_errors_is_told_with_its_range_and_of_this_run_as_a_guess() -> None:
    said = in_words(FOUND, 0.8)
    assert "On 14 public tasks" in said
    assert "1 a class 20.0 % (−10.0 % to 50.0 %), 3 a class 50.0 % (10.0 % to 80.0 %)".replace(
        " %", "\u00a0%"
    ) in said.replace(" %", "\u00a0%")
    assert "Were 80.0" in said, "half of the wrong fifth"
    assert "some 90.0" in said
    assert "Were" not in in_words(FOUND, None), "nothing is believed of the run"
    assert in_words({}, 0.8) == "", "nothing was measured"


def test_what_is_shipped_holds_shares_in_order_of_known_methods_alone() -> None:
    shipped = json.loads(Path(label_worth.__file__).with_name("label_worth.json").read_text(encoding="utf-8"))
    assert shipped.keys() <= {"source-only", "mcc"}
    for by_number in shipped.values():
        for number, of in by_number.items():
            assert int(number) > 0
            assert of["low"] <= of["median"] <= of["high"] <= 1
            assert of["tasks"] >= 1
