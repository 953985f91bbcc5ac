"""Columns that both sides have by name: the baseline on them alone, and the method that learns from them too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Sides
from acclimate.data.schema import Column, TableSchema
from acclimate.data.shared import shared_inputs, shared_names
from acclimate.data.synthetic import two_clinics
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.heterogeneous.bridge import Bridge, balanced_moments
from acclimate.methods.heterogeneous.cgt import CGT
from acclimate.methods.heterogeneous.shared_columns import SharedColumns
from acclimate.methods.heterogeneous.svmt import SVMt
from acclimate.problems.planning import make_plan
from worlds import quick_fit, target_accuracy


def scored(method: object, task: Task) -> float:
    return target_accuracy(quick_fit(method, task), task)  # type: ignore[arg-type]


def test_both_together_know_what_neither_knows_alone() -> None:
    """Names tell a and nothing of b, few labels tell b and little of a."""
    seeds = range(3)
    tasks = [two_clinics(300, seed=seed).with_label_budget(3, seed) for seed in seeds]
    found = {m.name: np.mean([scored(m, t) for t in tasks]) for m in (Bridge(), SharedColumns(), CGT(), SVMt())}
    assert found["shared-columns"] < 0.6, "b is not to be seen there"
    assert found["bridge"] > max(found["shared-columns"], found["cgt"], found["svmt"]) + 0.05, found


def test_without_names_it_is_cgt() -> None:
    task = two_clinics(100).with_label_budget(3)
    alone = quick_fit(Bridge(weight=0.0), task, normalisation="standard").outputs(task.target).logits
    cgt = quick_fit(CGT(), task, normalisation="standard").outputs(task.target).logits
    np.testing.assert_allclose(alone, cgt - np.log(np.exp(cgt).sum(axis=1, keepdims=True)), atol=1e-4)


def in_other_units(task: Task, seed: int = 0) -> Task:
    """Each of the target's columns in a unit of its own, from another zero."""
    rng = np.random.default_rng(seed)
    width = task.target.array.shape[1]
    unit, zero = 10 ** rng.uniform(-3, 3, width), rng.normal(scale=10, size=width)

    def told(domain: Domain) -> Domain:
        return replace(domain, inputs=(domain.array * unit + zero * unit).astype(np.float32))

    return replace(task, target=told(task.target), target_test=told(task.target_test))


@pytest.mark.parametrize("method", [Bridge(), SharedColumns()], ids=lambda m: m.name)
def test_units_do_not_matter(method: Bridge | SharedColumns) -> None:
    task = two_clinics(100).with_label_budget(3)
    one, two = (quick_fit(method, t).outputs(t.target).logits for t in (task, in_other_units(task)))
    np.testing.assert_allclose(one, two, atol=0.02, rtol=0.02)


def test_the_baseline_is_logistic_regression_on_z_scored_columns() -> None:
    task = two_clinics(100)
    z = [
        (d.array[:, :12] - d.array[:, :12].mean(axis=0)) / d.array[:, :12].std(axis=0)
        for d in (task.source, task.target)
    ]
    expected = LogisticRegression(max_iter=1000).fit(z[0], task.source.labels).predict_proba(z[1])
    logits = quick_fit(SharedColumns(), task).outputs(task.target).logits
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert task.target.num_labelled == 0, "no target label is needed"


def test_the_baseline_sees_no_target_label() -> None:
    task = two_clinics(100)
    without, given = (
        quick_fit(SharedColumns(), t).outputs(t.target).logits for t in (task, task.with_label_budget(5))
    )
    np.testing.assert_array_equal(without, given)


def test_moments_count_every_class_the_same() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 1, 1], 50)
    rows = rng.normal(size=(200, 2)) + labels[:, None]
    mean, std = balanced_moments(rows, np.eye(3)[labels])
    groups = [rows[labels == c] for c in (0, 1)]
    expected = np.mean([group.mean(axis=0) for group in groups], axis=0)
    np.testing.assert_allclose(mean, expected)
    np.testing.assert_allclose(std**2, np.mean([((g - expected) ** 2).mean(axis=0) for g in groups], axis=0))


def table(*columns: Column, name: str = "side") -> Domain:
    schema = TableSchema(columns=columns)
    inputs = np.random.default_rng(0).normal(size=(6, schema.width)).astype(np.float32)
    return Domain(inputs, [0, 1] * 3, ("x", "y"), name, schema=schema)


def column(name: str, *categories: str) -> Column:
    return Column(name=name, kind="categorical" if categories else "numeric", categories=categories)


def test_names_are_paired_whatever_their_order_and_categories_by_value() -> None:
    source = table(column("age"), column("town", "a", "b", "c"), column("only here"), column("code"))
    target = table(column("code", "1", "2"), column("town", "b", "c", "d"), column("age"))
    assert shared_names(source, target) == ("age", "town"), "code is a number here and a category there"
    preprocess = make_plan(CGT(), source, replace(target, labels_granted=True)).preprocess
    assert preprocess.shared == ((0, 5), (2, 2), (3, 3))


def test_a_column_without_a_value_is_not_shared() -> None:
    source, target = table(column("age"), column("weight"), column("size")), table(column("size"), column("age"))
    source.inputs[:, 0] = np.nan
    plan = make_plan(CGT(), source, replace(target, labels_granted=True))
    assert plan.preprocess.source.gaps.left_out == (0,)
    assert plan.preprocess.shared == ((1, 0),)
    with pytest.raises(ValueError, match="must share inputs that both sides have"):
        Sides(**{**plan.preprocess.model_dump(), "shared": ((7, 0),)})
    assert shared_inputs(source, table(column("other")), plan.preprocess.source, plan.preprocess.target) == ()


@pytest.mark.parametrize("method", [Bridge(), SharedColumns()], ids=lambda m: m.name)
def test_without_a_shared_name_they_say_what_there_is(method: Bridge | SharedColumns) -> None:
    rule = "must be tables with a column of one name and kind for the method"
    with pytest.raises(RequestError, match=f"{rule} '{method.name}'; got age and weight"):
        make_plan(method, table(column("age")), table(column("weight")))
    arrays = Domain(np.ones((4, 2), np.float32), [0, 1, 0, 1], ("x", "y"))
    with pytest.raises(RequestError, match=f"{rule} '{method.name}'; got arrays and arrays"):
        make_plan(method, arrays, arrays)


def scaled(domain: Domain, method: object, **options: object) -> tuple[str, bool]:
    """How the target is scaled: by row, and whether column by column."""
    target = replace(domain, labels_granted=True)
    side = make_plan(method, domain, target, options=options).preprocess.target  # type: ignore[arg-type]
    return side.rows, side.mean != (0.0,)


def test_tables_are_z_scored_and_arrays_keep_what_they_had() -> None:
    """Rows of results were measured on arrays and on counts."""
    numbers = table(column("age"), column("weight"))
    arrays = replace(numbers, schema=None)
    counts = np.random.default_rng(0).poisson(0.05, (6, 200)).astype(np.float32)
    counts[:, 0] = 1
    words = Domain(
        counts, [0, 1] * 3, ("x", "y"), schema=TableSchema(columns=tuple(column(str(i)) for i in range(200)))
    )
    for method in (CGT(), SVMt()):
        assert scaled(numbers, method) == ("", True)
        assert scaled(numbers, method, normalisation="rows") == ("rows", False)
        assert scaled(arrays, method) == ("rows", False)
        assert scaled(words, method) == ("rows", False)
