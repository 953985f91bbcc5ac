"""`acclimate cross-validate`: how often a run is right, by the target labels that it learnt from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from acclimate.cli.console import out, percent, print_json
from acclimate.cli.progress import LiveProgress
from acclimate.cli.use import JsonFlag, RunArgument, check_run


def cross_validate(
    run: RunArgument,
    folds: Annotated[int, typer.Option(help="How many parts to cut the labels into; each costs two trainings.")] = 3,
    as_json: JsonFlag = False,
) -> None:
    """Learn from the target labels that a run was trained with how often its method is right on others.

    Trains the method, and the source with the same labels, anew without each part of the labels, and asks both about
    that part. No label is needed beyond those that training had; nothing is written. A sharper figure takes other
    labels: acclimate audit.
    """
    check_run(run)
    from acclimate.running.folds import cross_validated
    from acclimate.runs.record import Run

    with LiveProgress(quiet=as_json) as progress:
        found = cross_validated(Run(run), folds, progress).facts()
    if as_json:
        print_json(found)
        return
    for sentence in _sentences(found):
        out.print(sentence, markup=False, soft_wrap=True)


def _sentences(found: dict[str, Any]) -> list[str]:
    """The result, and what it is not."""
    from acclimate.reports.verdict import SIGNIFICANT, meaning
    from acclimate.reports.wording import interval, points

    n = found["labels"]
    said = [
        f"{found['method']}: {percent(found['accuracy'])} right of {n} labelled target examples, each asked of a "
        f"model that did not see its label ({interval(found['interval'])})."
    ]
    if "baseline" in found:
        better = found["p"] < SIGNIFICANT and found["difference"] > 0
        low, high = (points(end) for end in found["difference_interval"])
        said.append(
            f"{found['baseline']} with the same labels: {percent(found['baseline_accuracy'])}, a difference of "
            f"{points(found['difference'])} percentage points (95 % interval {low} to {high}). {meaning(found['p'])} "
            f"Take {found['method'] if better else 'the plain one unless other evidence speaks for the method'}."
        )
    return [
        *said,
        "These models had fewer labels than the run, so that it may be a little better. Classes count as they do "
        f"among the {n} labels. For a figure of the target itself: acclimate audit",
    ]
