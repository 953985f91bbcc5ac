"""What a trained model shows without a target label, for a choice and an estimate, and where a run keeps it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.errors import DataError, WorkError
from acclimate.running.parts import some_rows, thinned
from acclimate.runs import checkpoint_files
from acclimate.runs.arrays import read_arrays
from acclimate.runs.findings import findings
from acclimate.runs.record import Run
from acclimate.selection.evidence import Evidence
from acclimate.selection.scores.structure import compact
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED

NAME = "evidence.npz"
# Examples of a side, at most: shares of so many are known to half a point, and files stay small. Features are kept of
# fewer: those of texts are as wide as their vocabulary, and distances are between all pairs.
_MOST, _FEATURED = 10_000, 1_000


def evidence_of(fitted: Fitted, source_test: Domain | None, target: Domain, seed: int | None = None) -> Evidence:
    """Scores of a model on labelled source examples that it was not trained on; scores and features on the target.

    No label of the target is looked at, not even one that training was given.

    Args:
        fitted: the trained model, of k classes.
        source_test: what was set aside of the source; None where nothing was.
        target: what it was adapted to; of a large one a part, the same for every model.
        seed: the training's.
    """
    seen = thinned(target.unlabelled(), _MOST)
    scores = fitted.outputs(seen, keep_features=False).logits
    rows = some_rows(len(seen), _FEATURED)
    features = fitted.outputs(seen.take(rows)).features
    of_target: dict[str, Any] = {"target_features": compact(features), "feature_rows": rows, "seed": seed}
    if source_test is None:
        return Evidence(np.zeros(0, dtype=np.int64), np.zeros((0, scores.shape[1])), scores, **of_target)
    known = thinned(source_test.take(source_test.labels != UNLABELLED), _MOST)
    of_source = fitted.outputs(known, "source", keep_features=False).logits
    return Evidence(np.asarray(known.labels), of_source, scores, **of_target)


def keep(run: Run, found: Evidence) -> None:
    """Write what a run showed into its folder.

    Raises:
        WorkError: if the system will not write it.
    """
    run.write(run.folder / NAME, lambda path: _save(path, found))


def has_evidence(run: Run) -> bool:
    """Whether a run keeps what it showed, features too; or has no weights to make these with."""
    path = run.folder / NAME
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return True  # whoever reads it is told what is wrong
    return "target_features.npy" in names or not checkpoint_files.checkpoints(run.checkpoints_path)


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
            target_features=arrays.get("target_features"),
            feature_rows=arrays.get("feature_rows"),
        )
    except (KeyError, DataError, TypeError, ValueError) as error:
        raise WorkError(f"{path} is not as acclimate writes it: {error}. Remove it, and it is made again.") from None
    if found.num_classes != (k := run.config["task"]["num_classes"]):
        raise WorkError(
            f"{path} is of {found.num_classes} classes and its run of {k}. Remove it, and it is made again."
        )
    return found


def _save(path: Path, found: Evidence) -> None:
    arrays = {
        "source_labels": found.source_labels.astype(np.int32),
        "source_scores": found.source_scores.astype(np.float32),
        "target_scores": found.target_scores.astype(np.float32),
    }
    if found.target_features is not None:
        arrays |= {"target_features": found.target_features, "feature_rows": found.rows.astype(np.int32)}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
