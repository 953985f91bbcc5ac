"""What a program that holds a fitted model exports of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.preprocess import Sides
from acclimate.data.schema import Schema
from acclimate.errors import RequestError, UnknownNameError
from acclimate.export.folder import Model, check_forms, export_model
from acclimate.export.names import NAMES
from acclimate.export.pretrained import config_of
from acclimate.reports.outcome import outcome
from acclimate.reports.told import Verdict
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted
from acclimate.types import Side


def export_fitted(
    fitted: Fitted,
    folder: Path | str,
    form: str,
    sides: Mapping[Side, Domain],
    schemas: Mapping[Side, Schema | None],
    bins: Bins | None,
    verdict: str,
    run: Run | None = None,
) -> None:
    """Write one form of a fitted model into a new or empty folder.

    Args:
        fitted: the model.
        folder: where.
        form: of `names.NAMES`.
        sides: what it is checked on.
        schemas: what the columns of each side mean.
        bins: the ranges that its classes are, or None.
        verdict: what is known of it in one sentence.
        run: that it was loaded from, if it was.

    Raises:
        RequestError: if the folder is in use, or the model cannot have that form.
        WorkError: if what was written answers otherwise.
    """
    if form not in NAMES:
        raise UnknownNameError("form", form, NAMES)
    check_free(Path(folder))
    check_forms(fitted, (form,))
    columns = {"schema": schemas.get("target")}
    if isinstance(fitted.plan.preprocess, Sides):
        columns["source_schema"] = schemas.get("source")
    facts = {name: schema.model_dump(mode="json") if schema else None for name, schema in columns.items()}
    config = config_of(fitted, facts, list(bins.edges) if bins else None) if run is None else run.config
    said = Verdict(verdict, (), ()) if run is None else outcome(run)
    export_model(Model(fitted, config, said), folder, (form,), sides)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        RequestError: if it does.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise RequestError("folder", "must be a new or empty folder", repr(str(folder)), "Choose another.")
