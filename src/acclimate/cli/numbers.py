"""`evaluate` and `predict` where the answers are numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.cli.console import out, print_json, print_notes, table
from acclimate.errors import DataError, RequestError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.metrics.regression import Margins
    from acclimate.runs.record import Run
    from acclimate.training.fitted import Fitted


def answers_numbers(run: Run) -> bool:
    """Whether a run answers numbers, and not classes."""
    from acclimate.reports.views.base import view_of

    return not view_of(run.config).names_classes


def check_names_classes(run: Run, what: str) -> None:
    """Refuse a run that answers numbers.

    Raises:
        RequestError: naming what cannot be done with it.
    """
    if answers_numbers(run):
        name = run.config["method"]["name"]
        fix = f"Its answers: acclimate predict {run.folder} DATA"
        raise RequestError("run", f"must be of a method that tells classes apart to {what}", f"one of {name!r}", fix)


def evaluate_numbers(
    run: Run, fitted: Fitted, before: Fitted | None, domain: Domain, notes: list[str], as_json: bool
) -> None:
    """Score a model on labelled numbers, beside the one without adaptation."""
    from acclimate.reports.numbers import Numbers
    from acclimate.reports.views.base import baseline
    from acclimate.reports.views.regression import number_verdict

    if not domain.num_labelled:
        fix = "Give an .npz with y, or a table or .jsonl with its --label-column."
        raise DataError("data", "must be labelled to be scored", f"{len(domain):,} unlabelled examples", fix)
    margins = _margins(run)
    seen = Numbers(
        "data",
        domain.answers,
        answered(fitted, domain),
        None if before is None else answered(before, domain),
        None if margins is None else (margins.low, margins.high),
    )
    said = number_verdict(seen, None)
    if as_json:
        print_json(
            {"verdict": said.headline, "sentences": said.sentences, "run": str(run.folder), "n": domain.num_labelled,
             **seen.scores, "baseline": seen.scores_before or None,
             "coverage": None if margins is None else seen.covered, "notes": notes}
        )  # fmt: skip
        return
    out.print(said.headline, markup=False, style="bold")
    print_notes(notes)
    for sentence in said.sentences:
        out.print(sentence, markup=False)
    models = {run.config["method"]["title"]: seen.scores}
    _print_scores({baseline(run.config): seen.scores_before} | models if seen.scores_before else models)


def _print_scores(models: dict[str, dict[str, float]]) -> None:
    from acclimate.reports.wording import number

    rows = table("error", *models, numbers=tuple(models))
    for name, words in (("mae", "mean absolute"), ("rmse", "root mean squared"), ("r2", "R²")):
        rows.add_row(words, *(number(scores[name]) if name in scores else "–" for scores in models.values()))
    out.print(rows)


def predict_numbers(run: Run, fitted: Fitted, domain: Domain, output: Path, notes: list[str], as_json: bool) -> None:
    """Write the number of each example and the interval around it."""
    from acclimate.reports.wording import number
    from acclimate.runs.predictions import number_table, write_predictions

    answers, margins = answered(fitted, domain), _margins(run)
    write_predictions(output, number_table("data", domain, answers, None, margins).drop("split", "label"))
    spread: dict[str, Any] = {
        "mean": float(answers.mean()),
        "low": float(answers.min()),
        "high": float(answers.max()),
    }
    if as_json:
        held = None if margins is None else {"low": margins.low, "high": margins.high, "level": margins.level}
        print_json({"out": str(output), "n": len(answers), "predicted": spread, "margins": held, "notes": notes})
        return
    print_notes(notes)
    ends = f"{number(spread['low'])} to {number(spread['high'])}, {number(spread['mean'])} on average"
    out.print(f"Wrote {len(answers):,} numbers to {output}: {ends}.", soft_wrap=True, markup=False)
    if margins is not None:
        out.print(
            f"low and high hold {margins.level:.0%} of source examples that were held out; whether they hold as many "
            "of these cannot be told without labels.",
            markup=False,
        )


def answered(fitted: Fitted, domain: Domain) -> np.ndarray:
    """The numbers `(n,)` that a model answers."""
    from acclimate.metrics.regression import answers_of

    return answers_of(fitted.outputs(domain, keep_features=False))


def _margins(run: Run) -> Margins | None:
    """Those that a run keeps in its answers to held-out source examples."""
    from acclimate.metrics.regression import Margins
    from acclimate.reports.numbers import read_numbers

    own = read_numbers(run).get("source_test")
    return None if own is None else Margins.of(own.after, own.numbers)
