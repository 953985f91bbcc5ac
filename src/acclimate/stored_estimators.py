"""Estimators of what lies on the disk: finished runs, and weights that were saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.bins import WHOLE, read_bins
from acclimate.data.readers.given import Fields
from acclimate.data.schema import TableSchema, read_schema
from acclimate.data.text import TextPreprocess
from acclimate.estimators import AdaptationEstimator, estimator, history
from acclimate.export.pretrained import read_pretrained
from acclimate.running import adaptation
from acclimate.runs.findings import findings
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted
from acclimate.types import Side


def load(folder: Path | str) -> AdaptationEstimator:
    """The fitted estimator of a finished run; its record is in `run_`.

    Args:
        folder: a run folder, as `acclimate adapt` writes it.

    Raises:
        RequestError: if it holds no run, or an unfinished one.
    """
    model = of_fitted(adaptation.load(folder), Run(folder))
    model.run_ = Run(folder)
    rows = model.run_.metrics()
    model.history_, model.health_ = history(rows), findings(rows)
    return model


def from_pretrained(folder: Path | str) -> AdaptationEstimator:
    """The fitted estimator that `save_pretrained` or `acclimate export --form safetensors` wrote.

    Nothing in the folder is run, and nothing is fetched.

    Args:
        folder: with `model.safetensors` and `config.json`.

    Raises:
        RequestError: if it does not hold both.
        WorkError: if one is damaged, or does not fit the other.
    """
    model = of_fitted(read_pretrained(folder), Run(folder))
    model.history_, model.health_ = [], []
    return model


def of_fitted(fitted: Fitted, run: Run) -> AdaptationEstimator:
    """The estimator of a model; `run` has the configuration that it was built by."""
    plan = fitted.plan
    model = estimator(type(plan.method))(
        **plan.method.model_dump(), network=plan.network, **plan.options.model_dump()
    )
    model._fitted = fitted
    model._bins = read_bins(run.config["task"].get("bins"))
    if model._bins != WHOLE:
        model.bins = None if model._bins is None else len(model._bins.classes)
        model.classes_ = np.array(plan.classes)
    preprocess = plan.preprocess.of("source")
    width = None if isinstance(preprocess, TextPreprocess) else preprocess.width * max(preprocess.size, 1) ** 2
    model._set_columns(_fields_of(run), width)
    return model


def _fields_of(run: Run) -> dict[Side, Fields]:
    """The columns of the tables that a run was trained on, as its record has them."""
    facts = run.config["task"]
    target = facts.get("schema")
    return {"source": _fields(facts.get("source_schema", target)), "target": _fields(target)}


def _fields(facts: Mapping[str, Any] | None) -> Fields:
    schema = read_schema(facts) if facts else None
    return Fields(schema, schema.names, named=True) if isinstance(schema, TableSchema) else Fields()
