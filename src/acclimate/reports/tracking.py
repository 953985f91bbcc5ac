"""A finished run as a run of MLflow: its options, its curves, its scores, and its folder's small files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from acclimate.errors import MissingExtraError, WorkError
from acclimate.reports.outcome import outcome
from acclimate.runs.record import Run

# What MLflow's server takes in one request, and as the value of a parameter.
_METRICS, _PARAMS, _LETTERS = 1_000, 100, 500
_FILES = ("config.json", "summary.json", "report.html", "choice.json")
_CURVES = ("losses", "evaluation")
_OTHER = re.compile(r"[^\w.\- /]")


def log_to_mlflow(run: Run | Path | str, *, experiment: str = "acclimate") -> str:
    """Log a finished run to MLflow: to the server that `MLFLOW_TRACKING_URI` names, or by MLflow's own default.

    Parameters are the method with its options and those of training; metrics the losses and accuracies of every
    logged step, and, at the last, the scores and the estimate without labels; the run's small files are artifacts.
    Weights stay in the run's folder, which the tag `acclimate.run` names.

    Args:
        run: a finished run, or its folder.
        experiment: MLflow's, made where there is none of that name.

    Returns:
        The id that MLflow gave.

    Raises:
        MissingExtraError: if MLflow is not installed.
        WorkError: if the folder holds no finished run, or MLflow does not take it.
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise MissingExtraError("mlflow", "mlflow") from None
    record = run if isinstance(run, Run) else Run(run)
    outcome(record)  # refuses what is not finished
    try:
        return _logged(record, MlflowClient(), experiment)
    except MlflowException as error:
        said = str(error).strip().partition("\n")[0][:300]
        raise WorkError(
            f"MLflow did not take {record.folder}: {said}. Set MLFLOW_TRACKING_URI to a server that runs, such as "
            "http://127.0.0.1:5000"
        ) from error


def _logged(record: Run, client: Any, experiment: str) -> str:
    """The id under which `client`, an `MlflowClient`, has logged the run."""
    from mlflow.entities import Metric, Param

    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    tags = {"acclimate.run": str(record.folder.resolve()), "mlflow.note.content": outcome(record).headline}
    made = str(client.create_run(place, tags=tags, run_name=record.folder.name).info.run_id)
    params = [Param(name, value) for name, value in parameters(record.config)]
    for start in range(0, len(params), _PARAMS):
        client.log_batch(made, params=params[start : start + _PARAMS])
    metrics = [Metric(name, value, 0, step) for name, value, step in measurements(record)]
    for start in range(0, len(metrics), _METRICS):
        client.log_batch(made, metrics=metrics[start : start + _METRICS])
    for name in _FILES:
        if (record.folder / name).is_file():
            client.log_artifact(made, str(record.folder / name))
    client.set_terminated(made)
    return made


def parameters(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of what was asked for, as MLflow takes them."""
    method = config["method"]
    yield "method", str(method["name"])
    yield "network", str(config["network"])
    yield "task", str(config["task"]["name"])[:_LETTERS]
    for name, value in {**config["training"], **method["options"]}.items():
        if value is not None:
            yield _named(name), str(value)[:_LETTERS]


def measurements(run: Run) -> Iterator[tuple[str, float, int]]:
    """Names, values and steps of what was measured: while the run trained, and in the end."""
    summary: Mapping[str, Any] = run.summary or {}
    for row in run.metrics():
        for name, value in row.items():
            if row["kind"] in _CURVES and name not in ("step", "epoch") and _is_number(value):
                yield _named(f"{row['kind']}/{name}"), float(value), row["step"]
    last = int(summary.get("chosen_step") or summary.get("steps") or 0)
    estimate = summary.get("estimate") or {}
    told = {f"estimate/{name}": estimate.get(name) for name in ("value", "low", "high")}
    for name, value in {**summary.get("scores", {}), **told, "wall_s": summary.get("wall_s")}.items():
        if _is_number(value):
            yield _named(name), float(value), last


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _named(name: str) -> str:
    """A name of the signs that MLflow allows."""
    return _OTHER.sub("_", name)
