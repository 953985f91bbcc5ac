"""Which words carried answers to texts, beside the table of answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acclimate.errors import RequestError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.runs.record import Run
    from acclimate.training.fitted import Fitted


def check_explains(fitted: Fitted, domain: Domain) -> None:
    """Refuse to explain what no words carried.

    Raises:
        RequestError: naming the method.
    """
    from acclimate.running.explanations import can_explain

    if can_explain(fitted, domain):
        return
    method, what = fitted.plan.method, "texts" if domain.kind == "text" else domain.kind
    raise RequestError(
        "explain",
        "needs a model of texts that weighs their words",
        f"one of {what} trained by {method.name!r}",
        "Leave --explain out, or train with a method that attends to words: acclimate adapt -m amn …",
    )


def write_explained(
    run: Run,
    fitted: Fitted,
    domain: Domain,
    numbered: tuple[np.ndarray, list[str]],
    probabilities: np.ndarray,
    written: Path,
    page: Path,
) -> None:
    """Every text's words as JSON Lines, and a page of those at both ends of confidence."""
    from acclimate.reports.explanation import write_explanation
    from acclimate.running.explanations import Read, write_words

    labels, classes = numbered
    shown = write_words(written, fitted, Read(domain, labels, probabilities, "target"), classes)
    config = run.config
    write_explanation(
        page,
        f"{config['method']['title']} trained on {config['task']['name']}",
        f"{len(domain):,} texts were answered. Here are {sum(map(len, shown.values())):,} of them, from both ends of "
        f"the model’s confidence; all are in {written.name}.",
        shown,
    )
