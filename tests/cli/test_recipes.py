"""Every recipe of the benchmarks asks for things that exist, long before anybody waits hours for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from acclimate import discovery
from acclimate.cli.recipe import make_comparisons
from acclimate.cli.request import read_config
from acclimate.data.tasks import find_task
from acclimate.methods import needs
from acclimate.networks.registry import ARCHITECTURES
from acclimate.problems.planning import make_method
from acclimate.runs.options import TrainingOptions

RECIPES = sorted((Path(__file__).parents[2] / "benchmarks" / "recipes").rglob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_valid_to_the_last_option(path: Path) -> None:
    comparisons = make_comparisons(read_config(path), [], [], None, [])
    assert comparisons
    for comparison in comparisons:
        assert comparison.protocol
        # Every table has a baseline: the source alone (for texts, at least a linear model of it) or, where features
        # differ, the target's few labels alone. What photos are found without training is in the scores of every
        # retrieval run.
        methods = {row.request.method for row in comparison.rows}
        # The source alone with a threshold is that of targets with unknown classes.
        retrieve = all(discovery.methods()[name].fact("problem") == "retrieval" for name in methods)
        assert retrieve or {"source-only", "tfidf", "svmt", "threshold", "regression-source-only"} & methods
        for row in comparison.rows:
            method = make_method(row.request.method, row.request.method_options)
            TrainingOptions.resolve(method.recipe, row.request.training)
            if find_task(row.request.task or "").network is None:  # there is one network for such tasks
                assert method.problem == "heterogeneous" or "text" in needs.kinds(method)
                assert row.request.network is None
                continue
            assert find_task(row.request.task or "").network in ARCHITECTURES
            assert row.request.network is None or row.request.network in ARCHITECTURES  # None is the task's own
