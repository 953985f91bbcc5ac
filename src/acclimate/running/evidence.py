"""What a trained model shows without a target label, for a choice and an estimate, and where a run keeps it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.data.domain import Domain
from acclimate.errors import DataError, WorkError
from acclimate.running.parts import thinned
from acclimate.runs.arrays import read_arrays
from acclimate.runs.findings import findings
from acclimate.runs.record import Run
from acclimate.selection.evidence import Evidence
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED

NAME = "evidence.npz"
# Examples of a side, at most: shares of so many are known to half a point, and files stay small.
_MOST = 10_000


def evidence_of(fitted: Fitted, source_test: Domain | None, target: Domain, seed: int | None = None) -> Evidence:
    """Scores of a model on labelled source examples that it was not trained on, and on the target.

    No label of the target is looked at, not even one that training was given.

    Args:
        fitted: the trained model, of k classes.
        source_test: what was set aside of the source; None where nothing was.
        target: what it was adapted to; of a large one a part, the same for every model.
        seed: the training's.
    """
    seen = thinned(target.unlabelled(), _MOST)
    scores = fitted.outputs(seen, keep_features=False).logits
    if source_test is None:
        return Evidence(np.zeros(0, dtype=np.int64), np.zeros((0, scores.shape[1])), scores, seed=seed)
    known = thinned(source_test.take(source_test.labels != UNLABELLED), _MOST)
    of_source = fitted.outputs(known, "source", keep_features=False).logits
    return Evidence(np.asarray(known.labels), of_source, scores, seed=seed)


def keep(run: Run, found: Evidence) -> None:
    """Write what a run showed into its folder.

    Raises:
        WorkError: if the system will not write it.
    """
    run.write(run.folder / NAME, lambda path: _save(path, found))


def has_evidence(run: Run) -> bool:
    """Whether a run keeps what it showed."""
    return (run.folder / NAME).is_file()


def read_evidence(run: Run) -> Evidence:
    """What was kept in a run's folder.

    Raises:
        WorkError: if it is damaged, or of other classes than the run's.
    """
    path = run.folder / NAME
    run.check(path)
    arrays = read_arrays(path)
    try:
        found = Evidence(
            arrays["source_labels"],
            arrays["source_scores"],
            arrays["target_scores"],
            diverged=any(finding.kind == "diverged" for finding in findings(run.metrics())),
            seed=run.config["training"]["seed"],
        )
    except (KeyError, DataError, TypeError, ValueError) as error:
        raise WorkError(f"{path} is not as acclimate writes it: {error}. Remove it, and it is made again.") from None
    if found.num_classes != (k := run.config["task"]["num_classes"]):
        raise WorkError(
            f"{path} is of {found.num_classes} classes and its run of {k}. Remove it, and it is made again."
        )
    return found


def _save(path: Path, found: Evidence) -> None:
    labels, scores = found.source_labels.astype(np.int32), found.source_scores.astype(np.float32)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            source_labels=labels,
            source_scores=scores,
            target_scores=found.target_scores.astype(np.float32),
        )
