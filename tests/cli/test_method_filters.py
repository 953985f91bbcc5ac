"""`acclimate methods --kind … --setting … --max-cost …`: the list narrowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from acclimate import discovery
from acclimate.methods import needs
from acclimate.methods.costs import costs
from commands import Command

METHODS = discovery.methods()


@pytest.fixture
def listed(acclimate: Command) -> Callable[..., list[dict[str, Any]]]:
    return lambda *arguments: json.loads(acclimate("methods", "--json", *arguments).out)


@pytest.mark.parametrize("kind", ["images", "features", "text"])
def test_by_kind_of_input(kind: str, listed: Callable[..., list[dict[str, Any]]]) -> None:
    names = {method["name"] for method in listed("--kind", kind)}
    assert names == {name for name, method in METHODS.items() if kind in needs.readable(method)}
    assert 0 < len(names) < len(METHODS)
    assert ("cgt" in names) == (kind == "features")  # its facts say nothing of kinds, its problem does


def test_by_setting(listed: Callable[..., list[dict[str, Any]]]) -> None:
    assert {m["name"] for m in listed("--setting", "source-free")} >= {"shot"}
    assert {m["setting"] for m in listed("--setting", "heterogeneous")} == {"heterogeneous"}


def test_by_cost_and_all_at_once(listed: Callable[..., list[dict[str, Any]]]) -> None:
    cheap = listed("--kind", "features", "--setting", "adaptation", "--max-cost", "1.5")
    assert "source-only" in {m["name"] for m in cheap}
    assert all(m["cost"] <= 1.5 for m in cheap)
    dearer = {name for name, cost in costs().items() if cost > 1.5}
    assert dearer
    assert not dearer & {m["name"] for m in cheap}


def test_costs_are_of_methods_and_of_the_source_alone_one() -> None:
    assert set(costs()) <= set(METHODS)
    assert costs()["source-only"] == 1
    assert all(cost > 0 for cost in costs().values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "feature"), "kind must be a known name; got 'feature'. Did you mean 'features'?"),
        (("--setting", "heterogenous"), "setting must be a known name; got 'heterogenous'. Did you mean 'hetero"),
        (("mcd", "--max-cost", "2"), "--max-cost must be left out where one method is named; got 'mcd'"),
        (("--max-cost", "-1"), "--max-cost"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple[str, ...], said: str, acclimate: Command) -> None:
    done = acclimate("methods", *arguments)
    assert done.code == 2
    assert said in " ".join(done.err.split())


def test_where_nothing_fits_it_says_so(acclimate: Command) -> None:
    assert "No method fits all of that." in acclimate("methods", "--setting", "translation", "--kind", "text").out
