"""`acclimate adapt` and `acclimate resume`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli import completion
from acclimate.cli.asking import is_answered, missing_choices
from acclimate.cli.auto import adapt_auto, is_auto, resume_auto
from acclimate.cli.console import err
from acclimate.cli.finished import finish
from acclimate.cli.plan import print_plan
from acclimate.cli.presets import PRESETS, expand
from acclimate.cli.request import check_length, guessed_number, make_request, one_or_all, read_config
from acclimate.cli.streaming import name_of
from acclimate.cli.work import carry_out, free_folder

if TYPE_CHECKING:
    from acclimate.runs.request import Request

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def adapt(
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Labelled source: a folder of images, .txt files or tables, a table, .jsonl, .npz. Once for each."
        ),
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
    task: Annotated[
        str | None,
        typer.Option(help="A public task instead; see `acclimate tasks`.", autocompletion=completion.tasks),
    ] = None,
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
            autocompletion=completion.methods,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="What it is for: quick (5 epochs), good (-m auto), or deploy (-m auto, and the model exported to "
            "OUT/model).",
            autocompletion=lambda: [*PRESETS],
        ),
    ] = None,
    problem: Annotated[
        str | None,
        typer.Option(help="What is asked, if not which class: regression, partial, open-set … [by the method]"),
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
    text_features: Annotated[
        str | None,
        typer.Option(
            help="Texts as numbers, which all methods for tables take: tfidf. [words, for a memory network]"
        ),
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
    memory: Annotated[
        str | None,
        typer.Option(
            help="Memory that data may take, such as 2GB; larger tables stay on disk. [half of what is free]"
        ),
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
        "source": one_or_all(source), "target": target, "target_test": target_test, "text_column": text_column,
        "label_column": label_column, "id_column": id_column, "source_text_column": source_text_column,
        "source_label_column": source_label_column, "source_id_column": source_id_column,
        "target_text_column": target_text_column, "target_label_column": target_label_column,
        "target_id_column": target_id_column, "columns": columns, "leave_out": leave_out, "delimiter": delimiter,
        "quoting": quoting, "bins": bins, "missing": missing, "task": task, "model": model,
        "method": method, "problem": problem, "network": network, "freeze_until": freeze_until,
        "text_features": text_features, "label_budget": label_budget,
        "image_size": image_size, "epochs": epochs, "steps": steps, "batch_size": batch_size, "lr": lr,
        "weights": weights, "seed": seed,
        "precision": precision, "device": device, "memory": memory, "baseline": baseline, "preset": preset,
    }  # fmt: skip
    check_length(flags)
    flags, recipe, given = expand(flags, read_config(config), set_ or [])
    if is_answered(as_json):
        flags |= missing_choices(flags, recipe)
    of_choice = {"budget": budget, "candidates": candidates, "jobs": jobs, "backend": backend, "cluster": cluster}
    if is_auto(recipe, flags | of_choice, given):
        adapt_auto(recipe, flags | of_choice, given, output, dry_run, as_json)
        return
    request = make_request(recipe, flags, given)
    if said := guessed_number(request, recipe, flags, given):
        err.print(said, markup=False, soft_wrap=True)
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


def _folder_name(request: Request) -> str:
    """`<task>-<method>-seed<k>`."""
    # File systems end names at about 255 bytes.
    sides = request.task or "-".join(name_of(path or "")[:30] for path in (request.source, request.target))
    return f"{sides.replace(':', '-')}-{request.method}-seed{request.training.get('seed') or 0}"
