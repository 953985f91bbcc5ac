"""How many answers to a batch are likely to be right, for commands that answer one; nothing of it sees a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.errors import WorkError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.runs.record import Run
    from acclimate.training.fitted import Fitted


def baseline_of(run: Run) -> Fitted | None:
    """What was trained beside a run to compare it with; None where there is none, or its weights are gone.

    Raises:
        WorkError: if its files are damaged.
    """
    from acclimate.running import adaptation
    from acclimate.runs import checkpoint_files

    before = run.baseline
    if before is None or before.summary is None or not checkpoint_files.checkpoints(before.checkpoints_path):
        return None
    return adaptation.load(before.folder)


def estimate(run: Run, domain: Domain, logits: np.ndarray, before: Fitted | None) -> dict[str, Any] | None:
    """The estimate, held against a baseline where there is one; None where nothing is estimated of such runs."""
    from acclimate.running.estimating import estimate_of_examples

    without = None if before is None else lambda rows: before.outputs(domain.take(rows), keep_features=False).logits
    return estimate_of_examples(run, logits, without)


def estimate_of_new(run: Run, domain: Domain, logits: np.ndarray) -> dict[str, Any]:
    """`estimate` and `notes`, where the baseline is asked for this alone: what is wrong with it becomes a note."""
    if (run.summary or {}).get("estimate") is None:
        return {"estimate": None}
    try:
        before, notes = baseline_of(run), []
    except WorkError as error:
        before, notes = None, [f"estimate: made without the baseline. {error}"]
    return {"estimate": estimate(run, domain, logits, before), "notes": notes}
