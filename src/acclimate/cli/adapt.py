"""`acclimate adapt` and `acclimate resume`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.auto import adapt_auto, choice_result, is_auto, print_choice, resume_auto
from acclimate.cli.classes import classes_of, print_classes
from acclimate.cli.console import duration, err, out, percent, print_json, table
from acclimate.cli.plan import print_plan
from acclimate.cli.request import check_length, make_request, read_config
from acclimate.cli.work import carry_out, free_folder, is_main_process
from acclimate.errors import AcclimateError, WorkError
from acclimate.runs.findings import SILENCE, checks_made, findings

if TYPE_CHECKING:
    from acclimate.reports.told import Verdict
    from acclimate.reports.views.base import Scores
    from acclimate.runs.record import Run
    from acclimate.runs.request import Request

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def adapt(
    source: Annotated[
        str | None, typer.Option(help="Labelled source: a folder of images or .txt files, a table, .jsonl, .npz.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Target to adapt to, in the same form.")] = None,
    target_test: Annotated[str | None, typer.Option(help="Further target examples, only ever scored.")] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of texts, in a table or .jsonl. [text in .jsonl; none in a table]")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of labels, in a table or .jsonl. [label, if there are texts]")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column that names the rows, beside every answer. [one that is called an id]")
    ] = None,
    source_text_column: Annotated[str | None, typer.Option(help="That of the source, where they differ.")] = None,
    source_label_column: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    source_id_column: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    target_text_column: Annotated[str | None, typer.Option(help="That of the target, where they differ.")] = None,
    target_label_column: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    target_id_column: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    columns: Annotated[str | None, typer.Option(help="Tables: columns to learn from, as a,b,c. [all]")] = None,
    leave_out: Annotated[str | None, typer.Option(help="Tables: columns not to learn from, as a,b,c.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates values: a sign, tab, comma, … [told by the header]")
    ] = None,
    quoting: Annotated[
        str | None, typer.Option(help="double: quotes around values; none: quotes are signs; auto. [auto]")
    ] = None,
    missing: Annotated[
        str | None, typer.Option(help="Missing values: impute, with the source's median, or refuse. [impute]")
    ] = None,
    bins: Annotated[
        int | None, typer.Option(help="Predict so many ranges of a numeric label, of equal size in the source.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="A public task instead; see `acclimate tasks`.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Run to begin with, for another batch: its weights, method, options and source, if still there."
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            help="See `acclimate methods`; auto trains several and takes what can be trusted. [mcd; ngram-memory for "
            "texts]",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Architecture; by default chosen by the input. Or one of yours: timm:NAME, hf:NAME, FILE.pt2, "
            "package.module:function."
        ),
    ] = None,
    freeze_until: Annotated[
        str | None,
        typer.Option(help="Of a network of yours: the last layer that does not learn, all or none. [all on a CPU]"),
    ] = None,
    label_budget: Annotated[
        str | None, typer.Option(help="Target labels training may use: 0, n per class, 1%, or all. [0]")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps, instead of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples per domain and step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Initial learning rate.")] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the images that the network sees, in pixels. [the network's own]")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="'balanced': classes count alike in training, however many examples they have.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes everything that is drawn. [0]")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32 or bf16. [auto]")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, … [auto]")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with any of these options.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any option, as name=value; repeatable.")] = None,
    baseline: Annotated[
        bool | None,
        typer.Option("--baseline/--no-baseline", help="Train what does not adapt beside it, to compare with. [yes]"),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="With -m auto: time for all candidates, such as 20m or 1h30m. [no end]")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(help="With -m auto: how many, what does not adapt among them. [5]")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="With -m auto: runs at a time. [1]")] = None,
    backend: Annotated[
        str | None, typer.Option(help="With -m auto: where they run: loky (this machine), ray or dask. [loky]")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="With -m auto: address of an existing Ray or Dask cluster.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="New run folder. [runs/<task>-<method>-…]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost; train nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Adapt a classifier from labelled source to target.

    Trains source-only beside it, or on the target's few labels alone where features differ, and writes a run folder
    with a report that compares the two.
    """
    flags = {
        "source": source, "target": target, "target_test": target_test, "text_column": text_column,
        "label_column": label_column, "id_column": id_column, "source_text_column": source_text_column,
        "source_label_column": source_label_column, "source_id_column": source_id_column,
        "target_text_column": target_text_column, "target_label_column": target_label_column,
        "target_id_column": target_id_column, "columns": columns, "leave_out": leave_out, "delimiter": delimiter,
        "quoting": quoting, "bins": bins, "missing": missing, "task": task, "model": model,
        "method": method, "network": network, "freeze_until": freeze_until, "label_budget": label_budget,
        "image_size": image_size, "epochs": epochs, "steps": steps, "batch_size": batch_size, "lr": lr,
        "weights": weights, "seed": seed,
        "precision": precision, "device": device, "baseline": baseline,
    }  # fmt: skip
    check_length(flags)
    recipe, given = read_config(config), set_ or []
    of_choice = {"budget": budget, "candidates": candidates, "jobs": jobs, "backend": backend, "cluster": cluster}
    if is_auto(recipe, flags | of_choice, given):
        adapt_auto(recipe, flags | of_choice, given, output, dry_run, as_json)
        return
    request = make_request(recipe, flags, given)
    if dry_run:
        err.print("Measuring two steps …")
        print_plan(request, as_json)
        return
    from acclimate.running import adaptation

    folder = output or free_folder(_folder_name(request))
    again = shlex.join(["acclimate", "resume", str(folder)])
    finish(carry_out(lambda around: adaptation.adapt(request, folder, around), again, quiet=as_json), as_json)


def resume(
    run: Annotated[Path, typer.Argument(help="Folder of a run that stopped.")],
    as_json: JsonFlag = False,
) -> None:
    """Go on with a run that was stopped, wherever that was: in training, or while its report was written."""
    from acclimate.runs.record import Run, is_undecided

    if is_undecided(run):
        resume_auto(run, as_json)
        return
    if (record := Run(run)).is_unreported and not record.failed:
        err.print("Note: the training had finished; its report had not.", markup=False)
        finish(record, as_json)
        return
    from acclimate.running import adaptation

    again = shlex.join(["acclimate", "resume", str(run)])
    finish(carry_out(lambda around: adaptation.resume(run, around), again, quiet=as_json), as_json)


def finish(run: Run, as_json: bool) -> None:
    """Write a finished run's report and print the result, in one process."""
    if not is_main_process():
        return
    from acclimate.runs.chosen import read_chosen

    report = written_report(run)
    chosen = read_chosen(run)
    if as_json:
        print_json(result(run) | (choice_result(chosen) if chosen else {}))
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


def _folder_name(request: Request) -> str:
    """`<task>-<method>-seed<k>`."""
    # File systems end names at about 255 bytes.
    sides = request.task or "-".join(Path(path or "").stem[:30] for path in (request.source, request.target))
    return f"{sides.replace(':', '-')}-{request.method}-seed{request.training.get('seed') or 0}"


def result(run: Run) -> dict[str, Any]:
    """What `--json` prints of a finished run."""
    from acclimate.reports.answers import read_answers
    from acclimate.reports.outcome import outcome
    from acclimate.reports.views.base import beside, floor, view_of

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
        "baseline": {"trained_on": floor(config), "scores": before["scores"]} if before else None,
        "shared_columns": beside(run).get("shared columns alone"),
        "classes": classes_of(read_answers(run)),
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
    from acclimate.reports.views.base import floor, view_of

    config, summary = run.config, run.summary or {}
    out.print(f"\n{config['method']['title']} on {config['task']['name']}, {_which(summary)}", markup=False)
    for note in config["task"]["notes"]:
        out.print(f"Note: {note}", markup=False)
    view = view_of(config)
    if (scores := view.scores(run)) is None:
        for sentence in said.sentences:
            out.print(sentence, markup=False)
    else:
        _print_table(scores)
        if (answers := view.by_class(run)) is not None:
            compared = (floor(config),) if answers.before is not None else ()  # whose answers are at hand
            print_classes(answers, (*compared, config["method"]["title"]))
    out.print(f"Trained in {duration(summary['wall_s'])}.")


def _print_table(scores: Scores) -> None:
    rows = table(scores.of, *scores.columns, numbers=scores.columns)
    for name, values in scores.rows:
        rows.add_row(name, *map(percent, values))
    out.print(rows)


def _which(summary: Mapping[str, Any]) -> str:
    """Of which step the weights are."""
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
