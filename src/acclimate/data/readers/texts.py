"""The user's own texts as a `Domain`: JSON lines, a column of a table, or a folder of .txt files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.places import place
from acclimate.data.ragged import from_texts
from acclimate.data.readers.cells import open_text_cells
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.encodings import decode_each
from acclimate.data.readers.folders import Wanted, labels_of, list_files
from acclimate.data.readers.inference import is_id_name
from acclimate.data.readers.jsonl import is_jsonl, read_jsonl
from acclimate.data.readers.label_notes import star_notes
from acclimate.data.readers.labels import Labels, labels_of_values
from acclimate.data.readers.wording import no_such_column, some
from acclimate.data.schema import Schema, TextSchema
from acclimate.data.strings import text_notes
from acclimate.errors import DataError

TEXTS = Wanted("texts", (".txt",))

_ID, _LABEL = "id", "label"


def read_texts(
    path: Path | str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    delimiter: str | None = None,
    quoting: str = "auto",
    name: str | None = None,
    like: Domain | Schema | None = None,
    bins: int | Bins | None = None,
) -> Domain:
    """Read texts from JSON lines, from a column of a table, or from a folder of .txt files.

    Encodings are told as `encodings` says: by a byte order mark, else UTF-8 where it can be, else Windows-1252, which
    the notes count. Every text stays, empty ones too; only blank lines of a file are left out, and counted.

    Args:
        path: a file of JSON objects, one a line (.jsonl, .jsonl.gz); a table (.csv, .tsv, .parquet) with a header; or
            a folder of .txt files, one sub-folder per class, or loose ones without labels.
        text_column: the column, or the field of the JSON objects, that holds the texts; by default that of `like`,
            else `"text"`.
        label_column: the one that holds the labels; by default that of `like`, else `"label"` if there is one. Words,
            whole numbers, stars and truth values all name classes; 1, 1.0 and "1" are one class. Missing, null, "",
            "NA" and the like (`nothing.NO_VALUE`) and −1 mean unlabelled.
        id_column: the one that names the texts; by default that of `like`, `"id"`, or one that is called an id and
            has another value in every row.
        delimiter: what separates the values of a table as text, if the header does not tell; see `csvs.Dialect`.
        quoting: how these are quoted; likewise.
        name: what to call the domain; by default the file's name without its suffix, or the folder's.
        like: texts read before, or their schema. The label column of these may then be missing here.
        bins: predict ranges of the label, which is then a number: so many of equal size, or these.

    Returns:
        Texts with their `schema`. The ids are the files' paths in a folder, else the values of a column `id`, and
        where there are none, places in the file: `"line 2"`, or `"row 1"` of a Parquet file. Class names that are
        all whole numbers are in numeric order, others alphabetical.

    Raises:
        RequestError: if there is no such file or folder.
        DataError: naming column and line, if a line or a value breaks a rule.
    """
    path = place(path, "the texts")
    known = _known(like)
    if path.is_dir():
        return _from_folder(path, name or path.resolve().name, known or TextSchema())
    rows = _from_jsonl(path) if is_jsonl(path) else _from_table(path, Dialect(delimiter, quoting))
    schema = _columns(rows, text_column, label_column, known)
    schema = schema.model_copy(update={"id_column": _id_column(rows, id_column, schema, known)})
    return _domain(rows, name or Path(path.name.removesuffix(".gz")).stem, schema, bins)


def _known(like: Domain | Schema | None) -> TextSchema | None:
    schema = like.schema if isinstance(like, Domain) else like
    return schema if isinstance(schema, TextSchema) else None


@dataclass(frozen=True)
class _Rows:
    """A file before it is known what its columns mean.

    Attributes:
        path: the file.
        names: of the columns, or fields.
        column: the values of one of them, for each row, None where there is none.
        places: how messages and ids call each row.
        notes: what a user should know of the file.
    """

    path: Path
    names: list[str]
    column: Callable[[str], list[object]]
    places: list[str]
    notes: list[str] = field(default_factory=list)

    def what(self, column: str) -> str:
        """How messages call a column."""
        return f"column {column!r} of {self.path.name}"


def _from_jsonl(path: Path) -> _Rows:
    rows = read_jsonl(path)
    spelt = {_writable(name): name for name in rows.fields}

    def column(name: str) -> list[object]:
        return [row.get(spelt[name]) for row in rows.objects]

    return _Rows(path, list(spelt), column, [rows.where(i) for i in range(len(rows.objects))], rows.notes)


def _from_table(path: Path, dialect: Dialect) -> _Rows:
    cells = open_text_cells(path, dialect)

    def column(name: str) -> list[object]:
        return cells.frame[name].to_list()

    places = [cells.where(row) for row in range(cells.frame.height)]
    return _Rows(path, cells.frame.columns, column, places, list(cells.notes))


def _domain(rows: _Rows, name: str, schema: TextSchema, bins: int | Bins | None) -> Domain:
    texts = _texts(rows, schema.text_column)
    labels = _labels(rows, schema.label_column, bins)
    rest = [c for c in rows.names if c not in (schema.text_column, schema.label_column, schema.id_column)]
    unused = [f"columns besides the texts and their labels were left out: {some(rest)}."] if rest else []
    notes = (*rows.notes, *unused, *text_notes(texts), *labels.notes, *star_notes(labels.classes))
    return Domain(
        from_texts(texts),
        labels.indices,
        labels.classes,
        name,
        _ids(rows, schema),
        tuple(f"{name}: {note}" for note in notes),
        schema,
        bins=labels.bins,
        numbers=labels.numbers,
    )


def _columns(rows: _Rows, text: str | None, label: str | None, known: TextSchema | None) -> TextSchema:
    """Where texts and labels are; the label column need not be there if it only is `known`.

    Raises:
        DataError: if the file has no rows, or not the columns asked for.
    """
    if not rows.places:
        raise DataError(str(rows.path), "must hold at least one row", "none", "Check that this is the right file.")
    expected = known or TextSchema()
    texts = text or expected.text_column
    labels = label or expected.label_column or (_LABEL if _LABEL in rows.names else None)
    if texts not in rows.names and text is None:
        raise DataError(
            rows.path.name,
            f"must have a column {texts!r} that holds the texts",
            f"only {some(rows.names)}" if rows.names else "no column",
            "Name the column of texts: --text-column NAME.",
        )
    if texts not in rows.names:
        raise no_such_column("text_column", rows.path.name, texts, rows.names)
    if labels is not None and labels not in (*rows.names, expected.label_column):
        raise no_such_column("label_column", rows.path.name, labels, rows.names)
    if texts == labels:
        raise DataError("label_column", "must be another one than text_column", repr(labels), "Name two columns.")
    return TextSchema(text_column=texts, label_column=labels)


def _id_column(rows: _Rows, asked: str | None, schema: TextSchema, known: TextSchema | None) -> str | None:
    """The column that names the texts: the one asked for, that of texts before, `id`, or one that looks like it.

    Raises:
        DataError: if the one asked for is not there.
    """
    if asked is not None and asked not in rows.names and asked != (known and known.id_column):
        raise no_such_column("id_column", rows.path.name, asked, rows.names)
    likely = (asked, known and known.id_column, _ID, *filter(is_id_name, rows.names))
    free = [
        c for c in dict.fromkeys(likely) if c in rows.names and c not in (schema.text_column, schema.label_column)
    ]
    sure = (asked, _ID, known and known.id_column)
    return next((c for c in free if c in sure or _names_each(rows.column(c))), None)


def _names_each(values: list[object]) -> bool:
    """Whether every text has a name, and no two have the same."""
    names = [_id(value) for value in values]
    return all(names) and len(set(names)) == len(names)


def _texts(rows: _Rows, column: str) -> list[str]:
    """The texts, "" where there is none."""
    texts = []
    for value, where in zip(rows.column(column), rows.places, strict=True):
        if value is not None and not isinstance(value, str):
            raise DataError(
                rows.what(column),
                "must hold texts",
                f"{value!r:.60} in {where}",
                "Name the column of texts, --text-column NAME, or write that value in quotes.",
            )
        texts.append(value or "")
    return texts


def _labels(rows: _Rows, column: str | None, bins: int | Bins | None) -> Labels:
    """The labels in a column, where there is one."""
    if column is None or column not in rows.names:
        return labels_of_values([None] * len(rows.places), "labels")
    return labels_of_values(rows.column(column), rows.what(column), rows.places.__getitem__, bins)


def _ids(rows: _Rows, schema: TextSchema) -> tuple[str, ...]:
    """What the column of ids says, and the place in the file where it says nothing."""
    if schema.id_column is None or schema.id_column not in rows.names:
        return tuple(rows.places)
    named = zip(rows.column(schema.id_column), rows.places, strict=True)
    return tuple(_id(value) or where for value, where in named)


def _id(value: object) -> str:
    is_one = isinstance(value, str | int) and not isinstance(value, bool)
    return _writable(str(value)) if is_one else ""


def _writable(text: str) -> str:
    """The text with question marks for halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _from_folder(folder: Path, name: str, schema: TextSchema) -> Domain:
    listing = list_files(folder, TEXTS)
    contents: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    for file in listing.files:
        try:
            contents[file] = (folder / file).read_bytes()
        except OSError as error:
            failed[file] = (error.strerror or str(error)).lower()
    unread = some([f"{file} ({why})" for file, why in failed.items()])
    if not contents:
        fix = "Check who may read these files."
        raise DataError(
            str(folder), "must hold texts that can be read", f"{len(failed):,} that cannot: {unread}", fix
        )
    decoded = decode_each(list(contents.values()))
    labels, classes, about = labels_of(tuple(contents))
    lost = [f"{len(contents):,} of {len(listing.files):,} texts were kept; not these: {unread}."] if failed else []
    notes = [
        *listing.notes(),
        *lost,
        *decoded.notes("files"),
        *text_notes(decoded.texts),
        *about,
        *star_notes(classes),
    ]
    return Domain(
        from_texts(decoded.texts),
        labels,
        classes,
        name,
        tuple(contents),
        tuple(f"{name}: {note}" for note in notes),
        schema,
    )
