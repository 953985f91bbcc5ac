"""What a command says of a run that has come to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.cli.classes import classes_of, print_classes
from acclimate.cli.console import duration, out, print_json, print_notes, table
from acclimate.cli.work import is_main_process
from acclimate.errors import AcclimateError, WorkError
from acclimate.runs.findings import SILENCE, checks_made, findings
from acclimate.runs.learning import learning

if TYPE_CHECKING:
    from acclimate.reports.told import Verdict
    from acclimate.reports.views.base import Scores
    from acclimate.runs.chosen import Chosen
    from acclimate.runs.record import Run


def finish(run: Run, as_json: bool, further: Mapping[str, Any] | None = None) -> None:
    """Write a finished run's report and print the result, in one process; `further` facts join those of `--json`."""
    if not is_main_process():
        return
    from acclimate.runs.chosen import read_chosen

    report = written_report(run)
    chosen = read_chosen(run)
    if as_json:
        print_json(result(run) | (choice_result(chosen) if chosen else {}) | dict(further or {}))
    else:
        if chosen:
            print_choice(chosen)
        print_result(run)
        out.print(f"\nReport: {report}", soft_wrap=True, markup=False)


def written_report(run: Run) -> Path:
    """Write the report; where that fails, the run is none the worse, and the error says so.

    Raises:
        WorkError: naming what went wrong and how to use the model.
    """
    from acclimate.reports.page import write_report

    try:
        return write_report(run)
    except AcclimateError:
        raise
    except Exception as error:
        raise WorkError(
            f"The report could not be written ({type(error).__name__}: {error!s:.200}). The run is whole: acclimate "
            f"predict {run.folder} …; to try again: acclimate report {run.folder}"
        ) from error


def result(run: Run) -> dict[str, Any]:
    """What `--json` prints of a finished run."""
    from acclimate.reports.answers import read_answers
    from acclimate.reports.outcome import outcome
    from acclimate.reports.views.base import baseline, beside, view_of

    config, summary, before = run.config, run.summary or {}, run.baseline and run.baseline.summary
    rows, said = run.metrics(), outcome(run)
    return {
        "verdict": said.headline,
        "sentences": said.sentences,
        "run": str(run.folder),
        "task": config["task"]["name"],
        "method": config["method"]["name"],
        "labelled_target": config["task"]["labelled_target"],
        "selection": summary.get("selection"),
        "scores": summary.get("scores"),
        "estimate": summary.get("estimate"),
        "baseline": {"trained_on": baseline(config), "scores": before["scores"]} if before else None,
        "shared_columns": beside(run).get("shared columns alone"),
        "classes": classes_of(read_answers(run)) if view_of(config).names_classes else None,
        "wall_s": summary.get("wall_s"),
        "health": {"checks": checks_made(rows), "findings": [asdict(finding) for finding in findings(rows)]},
        "report": str(run.report_path),
        "notes": [*config["task"]["notes"], *filter(None, [run.what_failed])],
        **view_of(config).facts(run),
    }


def print_result(run: Run) -> None:
    """The verdict on a finished run, its scores before and after, and its health, for people."""
    from acclimate.reports.outcome import outcome

    said = outcome(run)
    out.print(said.headline, markup=False, style="bold")
    _print_scores(run, said)
    out.print()
    for line in health_lines(run.metrics()):
        out.print(line, markup=False)


def _print_scores(run: Run, said: Verdict) -> None:
    from acclimate.reports.views.base import baseline, view_of

    config, summary = run.config, run.summary or {}
    out.print(f"\n{config['method']['title']} on {config['task']['name']}, {_which(config, summary)}", markup=False)
    print_notes(config["task"]["notes"])
    view = view_of(config)
    if (scores := view.scores(run)) is None:
        for sentence in said.sentences:
            out.print(sentence, markup=False)
    else:
        _print_table(scores)
        if (answers := view.by_class(run)) is not None:
            compared = (baseline(config),) if answers.before is not None else ()  # whose answers are at hand
            print_classes(answers, (*compared, config["method"]["title"]))
    done = "Computed" if learning(config).computed else "Trained"
    out.print(f"{done} in {duration(summary['wall_s'])}.")


def _print_table(scores: Scores) -> None:
    rows = table(scores.of, *scores.columns, numbers=scores.columns)
    for name, values in scores.rows:
        rows.add_row(
            name, *("–" if value is None else scores.written(value).replace("\xa0", " ") for value in values)
        )
    out.print(rows)


def _which(config: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """Of which step the weights are."""
    if learning(config).computed:
        return "computed at once"
    if summary.get("selection") == "source-validation":
        return (
            f"weights of step {summary['chosen_step']:,} of {summary['steps']:,}, best on source examples set aside"
        )
    if summary.get("selection") == "validation-map":
        return (
            f"weights of step {summary['chosen_step']:,} of {summary['steps']:,}, with the best mAP on photos and "
            "sketches set aside"
        )
    return "last step's weights"


def health_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was noticed about a training, or that nothing was."""
    found = findings(rows)
    if found:
        return [f"{finding.heading}: {finding.text()}" for finding in found]
    return [SILENCE] if checks_made(rows) else []


def print_choice(chosen: Chosen) -> None:
    """What was chosen and why, and how the candidates stand beside each other."""
    from acclimate.reports.trust import columns, headline, not_weighed

    out.print(headline(chosen), markup=False, style="bold", soft_wrap=True)
    for reason in chosen.reasons:
        out.print(reason, markup=False, soft_wrap=True)
    found = columns(chosen)
    rows = table(*found, numbers=tuple(found)[1:])
    for cells in zip(*found.values(), strict=True):
        rows.add_row(*cells)
    out.print(rows)
    for line in not_weighed(chosen):
        out.print(line, markup=False, soft_wrap=True)


def choice_result(chosen: Chosen) -> dict[str, Any]:
    """What `--json` prints of a choice; its estimate, by more than one copy, stands for the run's own."""
    own = chosen.chosen
    told = own.estimate.model_dump() if own.estimate else {"cannot_tell": own.cannot_tell}
    return {"estimate": told, "choice": chosen.model_dump(mode="json")}
