"""A diagnosis of two sides before any training: reading them, choosing what to compare, saying what to run next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_pair, check_same_kind
from acclimate.data.pairs import Data, paired
from acclimate.data.places import place
from acclimate.data.ragged import to_texts
from acclimate.data.readers import holds_texts
from acclimate.data.readers.cells import column_names
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.frames import Table
from acclimate.data.readers.given import by_columns, split, tabled
from acclimate.data.schema import OWN_COLUMNS, TableSchema
from acclimate.errors import DataError
from acclimate.running.parts import thinned
from acclimate.running.requests import sides_of
from acclimate.running.seen_as import is_photo, seen
from acclimate.runs.request import Request
from acclimate.selection.diagnosed import most_unlike
from acclimate.selection.diagnosis import Diagnosis
from acclimate.selection.diagnosis_words import advice
from acclimate.selection.families import DENSE
from acclimate.selection.shift import FEWEST, find_shift, with_families

# Examples of a side that are compared; of photos, which an encoder sees first, fewer.
MOST, MOST_PHOTOS = 10_000, 300
# Of every run, where a second is much.
_GLANCE = 300
_SHOWN = 80
_PATHS = ("task", "source", "target")
_READING = (
    *("text_column", "label_column", "id_column", "source_text_column", "source_label_column", "source_id_column"),
    *("target_text_column", "target_label_column", "target_id_column", "columns", "leave_out", "delimiter", "bins"),
)


def diagnose(source: Data, target: Data, labels: Any = None, *, bins: int | None = None, seed: int = 0) -> Diagnosis:
    """Is there a shift between two sides, of what kind, where does it show, and is adaptation likely to help?

    Nothing is trained that could be used. Labels of the target play no part, given or not.

    Args:
        source: labelled: a `Domain`, or a pair `(X, y)`, or X with `labels`; X as for an estimator's `fit`.
        target: a `Domain`, or X, or a pair whose labels are not looked at; in the columns of the source. Of tables,
            columns that only one side has are told and left out.
        labels: y `(n,)` of the source, where `source` is X alone.
        bins: so many ranges of y, which is then a number.
        seed: of all that is drawn; the same arguments give the same diagnosis.

    Returns:
        The diagnosis. `print` it, or take `verdict`, `shift`, `p`, `causes`, `outlook` and `to_dict()`.

    Raises:
        DataError: if a side has fewer than 30 examples, the source has one class only, or nothing can be compared.

    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(200, 3)), np.arange(200) % 2
    >>> diagnose(X, rng.normal(size=(100, 3)) + [2, 0, 0], labels=y).causes
    ('inputs',)
    """
    source = source if labels is None else (source, labels)
    target = target if isinstance(target, Domain) else split(target)[0]
    source, target, apart = _in_common(source, target)
    one, two, _ = by_columns(source, target, "diagnose", apart=False)
    pair = paired(one, two, bins)
    found = diagnosed(pair.source, pair.target, apart, (*pair.source.notes, *pair.target.notes), seed)
    method = found.method
    if method is None:
        return replace(found, command="acclimate.diagnose(source, target), with these columns mended or left out")
    name = discovery.find("method", method, discovery.methods()).class_name
    return replace(found, command=f"acclimate.{name}().fit(source, target)")


def diagnose_request(request: Request) -> Diagnosis:
    """The same for what a command names, read as `adapt` reads it.

    Raises:
        RequestError: if a side is missing, or its data break a rule.
    """
    seed = request.training.get("seed") or 0
    request, lacking = _without_lacking(request.model_copy(update={"method": "source-only", "label_budget": "0"}))
    source, target, notes = sides_of(request)
    found = diagnosed(source, target, (lacking, _further(request, source, target)), notes, seed)
    return replace(found, command=_command(request, found))


def glance(source: Domain, target: Domain) -> dict[str, Any] | None:
    """A quick look at two sides, at 300 examples of each, as `summary.json` keeps it; None where nothing can be told.

    Of photos nothing is: an encoder would have to see them first.

    Args:
        source: labelled.
        target: its labels are not looked at.
    """
    if is_photo(source) or is_photo(target):
        return None
    try:
        found = diagnosed(thinned(source, _GLANCE), thinned(target, _GLANCE), ((), ()), (), 0)
    except DataError:
        return None
    return {
        "verdict": found.verdict,
        "advice": advice(found),
        "p": found.p,
        "causes": list(found.causes),
        "outlook": found.outlook,
        "looked_at": dict(zip(("source", "target"), found.looked_at, strict=True)),
    }


def explaining(source: Domain, target: Domain) -> str:
    """The method whose kind of change explains all of the shift between two sides of at most five columns.

    Args:
        source: labelled.
        target: its labels are not looked at.

    Returns:
        Its name; empty where no kind of change does, nothing can be told, or columns are more, of which densities,
        which a diagnosis decides by, say too little.
    """
    if source.kind != "features" or source.inputs.shape[1] > DENSE:
        return ""
    try:
        found = diagnosed(source, target, ((), ()), (), 0)
    except DataError:
        return ""
    return (found.method or "") if found.family else ""


def diagnosed(
    source: Domain, target: Domain, apart: tuple[Sequence[str], Sequence[str]], notes: Sequence[str], seed: int
) -> Diagnosis:
    """Compare two domains of one form.

    Args:
        source: labelled.
        target: its labels are not looked at.
        apart: names of columns that only the source has, and only the target.
        notes: what a user should know of the data.
        seed: of all that is drawn.
    """
    _check(source, target)
    rng = np.random.default_rng(seed)
    most = MOST_PHOTOS if is_photo(source) or is_photo(target) else MOST
    rows = [_some(len(side), most, rng) for side in (source, target)]
    one, two = (side.take(chosen) for side, chosen in zip((source, target), rows, strict=True))
    view = seen(one, two.unlabelled())
    view = replace(view, only_source=tuple(apart[0]), only_target=tuple(apart[1]))
    found = find_shift(view, one.labels, seed)
    if source.kind == "features" and view.unit != "count":
        found = with_families(found, view, one.labels, seed)
    examples = most_unlike(found.test.apart.scores, len(one), (source.ids, target.ids), rows)
    shown = {
        "target": source.take(np.array(examples.source_rows)),
        "source": target.take(np.array(examples.target_rows)),
    }
    if source.kind == "text":
        examples = replace(examples, texts={other: _begins(side) for other, side in shown.items()})
    if source.kind == "images":
        examples = replace(examples, pictures={other: side.array for other, side in shown.items()})
    sizes = (len(source), len(target)), (len(one), len(two))
    return Diagnosis(source.kind, *sizes, source.classes, view, found, examples, notes=tuple(dict.fromkeys(notes)))


def _check(source: Domain, target: Domain) -> None:
    """Refuse what nothing can be told of."""
    check_same_kind(source, target)
    check_pair(source, target)
    for side in (source, target):
        if len(side) < FEWEST:
            fix = "With so few, no test tells a shift from chance: look at them yourself."
            raise DataError(side.name, f"must have at least {FEWEST} examples to diagnose", len(side), fix)
    widths = [side.width for side in (source, target) if side.kind == "features"]
    if len(set(widths)) > 1:
        got = f"{widths[0]:,} in the source and {widths[1]:,} in the target"
        raise DataError("source and target", "must have the same number of features", got, OWN_COLUMNS)


def _begins(texts: Domain) -> tuple[str, ...]:
    """How each of them begins, on one line."""
    found = [" ".join(text.split()) for text in to_texts(texts.rows)]
    return tuple(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…" for text in found)


def _some(n: int, most: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _in_common(source: Data, target: Data) -> tuple[Data, Data, tuple[Sequence[str], Sequence[str]]]:
    """Two tables of a program without the columns that one of them lacks, and the names of these."""
    inputs, labels = split(source)
    one, two = tabled(inputs, "the inputs of source"), tabled(target, "the inputs of target")
    if not (isinstance(one, Table) and isinstance(two, Table) and one.named and two.named):
        return source, target, ((), ())
    apart = _apart(one.frame.columns, two.frame.columns)
    tables = [Table(table.frame.drop(names)) for table, names in zip((one, two), apart, strict=True)]
    return (tables[0], labels), tables[1], apart


def _apart(source: Sequence[str], target: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names that only one of two tables has.

    Raises:
        DataError: if they share none.
    """
    only = [name for name in source if name not in target], [name for name in target if name not in source]
    if len(only[0]) == len(source):
        got = f"{', '.join(source[:5])} in the source and {', '.join(target[:5])} in the target"
        raise DataError("source and target", "must have a column in common by name", got, OWN_COLUMNS)
    return only


def _without_lacking(request: Request) -> tuple[Request, list[str]]:
    """The request without the columns that the target lacks, and their names."""
    if request.columns or request.source is None or request.target is None:
        return request, []
    own = request.reading("source")
    paths = place(request.source, "source"), place(request.target, "target")
    if any(path.exists() and holds_texts(path, own["text_column"]) for path in paths):
        return request, []
    dialect = Dialect(request.delimiter, request.quoting)
    named = [column_names(path, dialect) for path in paths]
    if not all(named):
        return request, []
    known = {own["label_column"], own["id_column"], *request.leave_out}
    lacking = _apart([name for name in named[0] if name not in known], named[1])[0]
    return request.model_copy(update={"leave_out": (*request.leave_out, *lacking)}), lacking


def _further(request: Request, source: Domain, target: Domain) -> list[str]:
    """Columns of the target's table that the source has not."""
    one, two = source.schema, target.schema
    if request.target is None or not (isinstance(one, TableSchema) and isinstance(two, TableSchema)):
        return []
    known = {*one.names, *one.left_out, one.label_column, one.id_column, two.label_column, two.id_column}
    names = column_names(place(request.target, "target"), Dialect(request.delimiter, request.quoting))
    return [name for name in names if name not in known]


def _command(request: Request, found: Diagnosis) -> str:
    """What to run next, with the options by which both sides were read."""
    method = found.method
    left_out = (*request.leave_out, *(() if method else found.to_mend))
    asked = request.model_copy(update={"leave_out": left_out})
    typed: list[str] = []
    for name in (*_PATHS, *_READING):
        value = getattr(asked, name)
        if value not in (None, ()):
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            typed += [f"--{name.replace('_', '-')}", text]
    if asked.quoting != "auto":
        typed += ["--quoting", asked.quoting]
    first = ["acclimate", "adapt"] if method else ["acclimate", "diagnose"]
    return shlex.join([*first, *typed, *(["--method", method] if method else [])])
