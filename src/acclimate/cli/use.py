"""`acclimate evaluate`, `predict` and `report`: using a finished run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli import explaining, numbers, online, streaming
from acclimate.cli.classes import classes_of, print_classes
from acclimate.cli.console import out, percent, print_json, print_notes, table
from acclimate.cli.estimated import baseline_of, estimate, estimate_of_new
from acclimate.cli.options import with_options_of
from acclimate.cli.paths import check_parent
from acclimate.errors import DataError, RequestError
from acclimate.reports.wording import counted

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.reports.answers import Answers, Model
    from acclimate.reports.told import Verdict
    from acclimate.running.answering import Answered
    from acclimate.runs.record import Run
    from acclimate.training.fitted import Fitted
    from acclimate.types import Side


RunArgument = Annotated[Path, typer.Argument(help="Folder of a finished run.")]
TextColumn = Annotated[str | None, typer.Option(help="Name of the column of texts. [as in training]")]
LabelColumn = Annotated[str | None, typer.Option(help="Name of the label column. [as in training]")]
IdColumn = Annotated[str | None, typer.Option(help="Name of the column that names the rows. [as in training]")]
DelimiterSign = Annotated[str | None, typer.Option("--delimiter", help="What separates values. [as in training]")]
Quoting = Annotated[str | None, typer.Option(help="How values are quoted: double, none, auto. [as in training]")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_SEARCHING = (("index", "PHOTOS/"), ("search", "sketch.png"))


def check_run(folder: Path) -> None:
    """Refuse what holds no run, before anything is imported that takes seconds."""
    from acclimate.runs.record import Run

    Run(folder)


@with_options_of(online.adapting, without=())
def evaluate(
    flags: online.Flags,
    run: RunArgument,
    data: Annotated[str, typer.Option(help="Labelled examples: class folders, a table, .jsonl, .npz.")],
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    id_column: IdColumn = None,
    delimiter: DelimiterSign = None,
    quoting: Quoting = None,
    as_json: JsonFlag = False,
) -> None:
    """Score a run's model on labelled data, beside the one without adaptation that was trained with it.

    Prints whether adaptation helped there, the accuracy with its 95 % interval, beside it what would have been
    estimated without the labels, and the recall of each class. With --adapt, the same of adapting while answering,
    beside the model as it is, and no estimate.
    """
    online.check(flags)
    check_run(run)
    from acclimate.problems.answers import in_answers
    from acclimate.running.adaptation import load
    from acclimate.runs.record import Run

    record = Run(run)
    fitted = load(run)
    _check_answers(run, fitted)
    if numbers.answers_numbers(record):
        online.check_none(flags)
        asked = read_like(record, data, text_column, label_column, id_column, delimiter, quoting)
        notes = notes_on(fitted, asked)
        numbers.evaluate_numbers(record, fitted, baseline_of(record), asked, notes, as_json)
        return
    given = in_answers(fitted.plan, read_like(record, data, text_column, label_column, id_column, delimiter, quoting))
    notes = notes_on(fitted, given)
    domain, labels = _labelled(record, given)
    if len(domain) < len(given):
        notes.append(
            f"data: {len(given) - len(domain):,} of {len(given):,} examples have no label and are not scored."
        )
    answers, said, models, told = _judged(record, fitted, domain, labels, flags)
    notes = [*told.pop("notes", ()), *notes]
    if as_json:
        print_json(_scores_as_json(run, answers, said, notes, told))
        return
    out.print(said.headline, markup=False, style="bold")
    print_notes(notes)
    _print_scores(answers, told)
    print_classes(answers, models, fitted.plan.classes)


def _scored(answers: Answers) -> tuple[float, tuple[float, float]]:
    """The share that is right, and its 95 % interval."""
    from acclimate.metrics.intervals import wilson_interval

    right, n = int(answers.right(answers.after).sum()), len(answers.labels)
    return right / n, wilson_interval(right, n)


def _scores_as_json(run: Path, answers: Answers, said: Verdict, notes: list[str], told: dict[str, Any]) -> Any:
    from acclimate.reports.by_class import evened

    (accuracy, interval), even = _scored(answers), evened(answers, answers.after)
    return {
        "verdict": said.headline,
        "sentences": said.sentences,
        "run": str(run),
        "n": len(answers.labels),
        "accuracy": accuracy,
        "interval95": list(interval),
        "balanced_accuracy": even.balanced_accuracy,
        "macro_f1": even.macro_f1,
        "baseline_accuracy": _accuracy(answers, answers.before),
        "classes": classes_of(answers),
        "notes": notes,
        **told,
    }


def _print_scores(answers: Answers, told: dict[str, Any]) -> None:
    from acclimate.reports.by_class import evened, is_uneven
    from acclimate.reports.estimated import beside_truth

    accuracy, (low, high) = _scored(answers)
    out.print(
        f"Accuracy {percent(accuracy)} (95 % interval {percent(low)} to {percent(high)}) on "
        f"{counted(len(answers.labels), 'example')}."
    )
    if told.get("estimate"):
        out.print(beside_truth(told["estimate"]), markup=False)
    if is_uneven(answers):
        even = evened(answers, answers.after)
        out.print(f"Mean recall of classes {percent(even.balanced_accuracy)}, mean F1 {percent(even.macro_f1)}.")


def _judged(
    run: Run, fitted: Fitted, domain: Domain, labels: np.ndarray, flags: online.Flags
) -> tuple[Answers, Verdict, tuple[str, ...], dict[str, Any]]:
    """Two models' answers, what they show, what to call the models, and what else there is to tell."""
    from acclimate.reports.outcome import outcome
    from acclimate.reports.views.base import baseline

    if flags["adapt"] is not None:
        return online.judged(fitted, domain, labels, flags)
    before = baseline_of(run)
    answers, logits = _answers(fitted, before, domain, labels)
    without = (baseline(run.config),) if answers.before is not None else ()
    told = {"estimate": estimate(run, domain, logits, before)}
    return answers, outcome(run, answers), (*without, run.config["method"]["title"]), told


def _accuracy(answers: Answers, model: Model | None) -> float | None:
    return None if model is None else float(answers.right(model).mean())


def _answers(fitted: Fitted, before: Fitted | None, domain: Domain, labels: np.ndarray) -> tuple[Answers, np.ndarray]:
    """The answers on labelled examples of a model and of its baseline, if there is one; and the model's logits."""
    from acclimate.data.class_names import together
    from acclimate.reports.answers import Answers

    classes, logits = together(fitted.plan.classes, domain.classes), _plain(fitted, domain)
    answers = Answers(
        "data",
        classes,
        labels,
        _model(logits),
        None if before is None else _model(_plain(before, domain)),
        before.plan.method.name if before else "source-only",
    )
    return answers, logits


def _plain(fitted: Fitted, domain: Domain) -> np.ndarray:
    return fitted.outputs(domain, keep_features=False).logits


def _model(logits: np.ndarray) -> Model:
    from acclimate.reports.answers import Model
    from acclimate.training.fitted import softmax

    probabilities = softmax(logits)
    return Model(probabilities.argmax(axis=1), probabilities.max(axis=1))


@with_options_of(online.adapting, without=())
def predict(
    flags: online.Flags,
    run: RunArgument,
    data: Annotated[
        str,
        typer.Argument(help="Examples to label: a folder of images, .txt files or tables, a table, .jsonl, .npz."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write: .parquet or .csv. [<data>-answers.csv for .csv and .tsv]"),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Texts: write beside it which words carried the answers."),
    ] = False,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    id_column: IdColumn = None,
    delimiter: DelimiterSign = None,
    quoting: Quoting = None,
    as_json: JsonFlag = False,
) -> None:
    """Label new examples with a run's model, and estimate how many of the answers are right.

    With --adapt a copy of the model learns from each batch it has answered, and nothing is estimated.
    """
    online.check(flags)
    suffix = ".csv" if Path(data).suffix.lower() in (".csv", ".tsv") else ".parquet"
    output = output or Path(f"{streaming.name_of(data)}-answers{suffix}")
    beside = [output.with_suffix(".words" + suffix) for suffix in (".jsonl", ".html")] if explain else []
    _check_output(output, beside)
    check_run(run)
    from acclimate.running.adaptation import load
    from acclimate.running.answering import Answered
    from acclimate.runs.predictions import prediction_table, write_predictions
    from acclimate.runs.record import Run
    from acclimate.training.fitted import softmax

    fitted = load(run)
    _check_answers(run, fitted)
    if numbers.answers_numbers(Run(run)):
        online.check_none(flags)
        domain = read_like(Run(run), data, text_column, label_column, id_column, delimiter, quoting)
        numbers.predict_numbers(Run(run), fitted, domain, output, notes_on(fitted, domain), as_json)
        return
    parts = streaming.parts_of(Run(run), data, delimiter, quoting, texts=text_column is not None)
    if parts is not None and not explain and flags["adapt"] is None:
        asked = {"label_column": label_column, "id_column": id_column}
        _tell(*streaming.answer_parts(Run(run), fitted, parts, output, as_json, **asked), output, as_json)
        return
    domain = read_like(Run(run), data, text_column, label_column, id_column, delimiter, quoting)
    if explain:
        explaining.check_explains(fitted, domain)
    notes = notes_on(fitted, domain)
    logits, columns, told = _logits(Run(run), fitted, domain, flags)
    probabilities = softmax(logits)
    answers = prediction_table("data", domain, probabilities, fitted.plan.classes, None).drop("split", "label")
    answers = answers.with_columns(**columns)
    write_predictions(output, answers)
    if explain:
        numbered = _numbered(domain, fitted.plan.classes)
        explaining.write_explained(Run(run), fitted, domain, numbered, probabilities, *beside)
    counts = dict(answers["predicted"].value_counts(sort=True).iter_rows())
    _tell(Answered(len(answers), counts, notes), told, output, as_json, beside)


def _tell(answered: Answered, told: dict[str, Any], output: Path, as_json: bool, beside: Sequence[Path] = ()) -> None:
    """What is told of answers that were written, and of the words that carried them, if that was asked for."""
    from acclimate.reports.estimated import in_words

    counts, notes = answered.predicted, [*told.pop("notes", ()), *answered.notes]
    if as_json:
        files = {"words": [str(path) for path in beside]} if beside else {}
        print_json({"out": str(output), "n": answered.rows, "predicted": counts, "notes": notes, **files, **told})
        return
    if "headline" in told:
        out.print(told["headline"], markup=False, style="bold", soft_wrap=True)
    print_notes(notes)
    out.print(f"Wrote {counted(answered.rows, 'prediction')} to {output}.", soft_wrap=True, markup=False)
    if told.get("estimate"):
        out.print(in_words(told["estimate"]), markup=False)
    if beside:
        written, page = beside
        out.print(f"The words that carried them: {written}; to look at: {page}", soft_wrap=True, markup=False)
    rows = table("predicted", "examples", numbers=("examples",))
    for name, count in counts.items():
        rows.add_row(str(name), f"{count:,}")
    out.print(rows)


def _logits(
    run: Run, fitted: Fitted, domain: Domain, flags: online.Flags
) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
    """The answers, further columns to write beside them, and what else there is to tell."""
    if flags["adapt"] is not None:
        return online.answered(fitted, domain, flags)
    logits = _plain(fitted, domain)
    return logits, {}, estimate_of_new(run, domain, logits)


def _check_answers(run: Path, fitted: Fitted) -> None:
    """Refuse a model that finds examples and does not name their classes."""
    if fitted.plan.method.problem != "retrieval":
        return
    index, search = (shlex.join(["acclimate", word, str(run), of]) for word, of in _SEARCHING)
    raise RequestError(
        "run",
        "must be of a method that tells classes apart",
        f"one of {fitted.plan.method.name!r}, which finds photos by sketch",
        f"Search with it: {index}, then {search}",
    )


def _check_output(output: Path, beside: Sequence[Path]) -> None:
    """Refuse names that cannot be written to, before anything is read."""
    if output.suffix not in (".parquet", ".csv"):
        raise RequestError("out", "must end in .parquet or .csv", repr(str(output)), "For example: --out answers.csv")
    for path in (output, *beside):
        if path.exists():
            fix = "Remove it or choose another name."
            raise RequestError("out", "must not exist yet", repr(str(path)), fix)
    check_parent("out", output)


def report(
    run: RunArgument,
    mlflow: Annotated[
        str | None, typer.Option(help="Log the run to MLflow too, in the experiment of this name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a finished run's report anew, and print its result."""
    from acclimate.cli.finished import finish, written_report
    from acclimate.runs.record import Run

    record = Run(run)
    if mlflow is None:
        finish(record, as_json)
        return
    from acclimate.reports.tracking import log_to_mlflow

    written_report(record)
    logged = log_to_mlflow(record, experiment=mlflow)
    finish(record, as_json, {"mlflow": {"experiment": mlflow, "run": logged}})
    if not as_json:
        out.print(f"In MLflow, experiment {mlflow}: {logged}", markup=False, soft_wrap=True)


def read_like(
    run: Run,
    data: str,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    delimiter: str | None = None,
    quoting: str | None = None,
    side: Side = "target",
) -> Domain:
    """The user's examples of a side, read as the run's own were."""
    from acclimate.data.readers import read
    from acclimate.problems.reading import reading_of

    known, then = reading_of(run), run.config["request"]
    return read(
        data,
        text_column=text_column,
        label_column=label_column,
        id_column=id_column,
        delimiter=delimiter or then.get("delimiter"),
        quoting=quoting or then.get("quoting", "auto"),
        name="data",
        like=known.like,
        bins=known.bins,
        white=known.white.get(side),
    )


def notes_on(fitted: Fitted, domain: Domain, side: Side = "target") -> list[str]:
    """What the user should know of these data and of how the model sees them."""
    return [*domain.notes, *fitted.plan.preprocess.of(side).notes(domain)]


def _labelled(run: Run, domain: Domain) -> tuple[Domain, np.ndarray]:
    """The examples that have a label, and their labels as indices into the run's classes."""
    if domain.num_labelled == 0:
        raise DataError(
            "data",
            "must be labelled to be scored",
            f"{len(domain):,} unlabelled examples",
            "Give class folders, an .npz with y, or a table or .jsonl with its --label-column.",
        )
    classes = run.config["task"]["classes"][: run.config["task"]["num_classes"]]
    known = domain.take(domain.labels >= 0)
    return known, _numbered(known, classes)[0]


def _numbered(domain: Domain, classes: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Labels as the model numbers them, −1 where there is none, and the names that they are indices into.

    A class the model does not know gets a number it can never answer, so such examples count as wrong.
    """
    from acclimate.data.class_names import places_in, together

    names = together(classes, domain.classes)
    return places_in(names, domain.classes)[domain.labels], list(names)
