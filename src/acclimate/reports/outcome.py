"""What a finished run shows, read from its folder: the one verdict that all who speak of the run repeat."""

from __future__ import annotations

import numpy as np

from acclimate.reports.answers import Answers, class_shares, read_answers
from acclimate.reports.audited import with_audit
from acclimate.reports.estimated import with_estimate
from acclimate.reports.label_worth import with_worth
from acclimate.reports.told import Verdict
from acclimate.reports.verdict import verdict
from acclimate.reports.views.base import view_of
from acclimate.runs.arrays import read_sample
from acclimate.runs.findings import findings
from acclimate.runs.record import Run
from acclimate.types import UNLABELLED


def outcome(run: Run, answers: Answers | None = None) -> Verdict:
    """The verdict on a finished run.

    Args:
        run: finished, with its `predictions.parquet` and `sample.npz`.
        answers: other answers of its model to judge instead of those on the target, as of examples that were labelled
            later.

    Raises:
        WorkError: if one of its files cannot be read.
    """
    if answers is None and (found := view_of(run.config).verdict(run)) is not None:
        return found
    own = read_answers(run) if answers is None else answers
    said = verdict(run.config, own, source_shares(run, len(own.classes)), findings(run.metrics()))
    said = view_of(run.config).told(said, run, own)
    if answers is not None:
        return said
    scored = own.num_known > 0
    return with_audit(said if scored else with_estimate(with_worth(said, run), run), run, scored=scored)


def source_shares(run: Run, k: int) -> np.ndarray | None:
    """Class shares `(k,)` of the source's labelled examples; None where no label of them is on record.

    Runs that did not count them yet have a sample of 500 examples.
    """
    counts = run.config["task"].get("source_counts")
    if counts is not None:
        padded = np.pad(np.asarray(counts, dtype=float), (0, k - len(counts)))
        return np.asarray(padded / max(1.0, padded.sum()))
    sample = read_sample(run.sample_path, k)
    labels = sample["label"][~sample["is_target"]]
    return class_shares(labels, k) if (labels != UNLABELLED).any() else None
