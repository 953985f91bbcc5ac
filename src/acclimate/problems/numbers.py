"""Numbers as they are written: the answers of a model that predicts them, and the margins around these."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.metrics.regression import Margins, answers_of
from acclimate.runs.predictions import number_table
from acclimate.types import Outputs


def number_tables(
    task: Task, targets: Mapping[str, Domain], seen: Mapping[str, Outputs], own: Outputs | None
) -> pl.DataFrame:
    """`predictions.parquet`: the target's answers with their margins, and what held-out source examples show.

    Args:
        task: has what is known of the numbers.
        targets: the target's domains by role.
        seen: what the model says of them.
        own: what it says of held-out source examples, by which the margins are made; None where there are none.
    """
    assert task.hidden is not None
    tables, margins = [], None
    if own is not None and task.source_test is not None:
        margins = Margins.of(answers_of(own), task.source_test.answers)
        tables.append(
            number_table("source_test", task.source_test, answers_of(own), task.source_test.answers, margins)
        )
    tables += [
        number_table(role, domain, answers_of(seen[role]), task.hidden.answers(role), margins)
        for role, domain in targets.items()
    ]
    return pl.concat(tables)
