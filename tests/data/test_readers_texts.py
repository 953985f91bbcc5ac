"""Texts of the user's own: JSON lines, tables, folders, and what programs hold in memory."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.readers import from_arrays, holds_texts, read, read_texts
from acclimate.data.schema import TableSchema, TextSchema, read_schema
from acclimate.errors import DataError, RequestError

AWKWARD = [
    "plain",
    "",
    "  spaces  ",
    "zero \0 byte",
    "😀 👩‍👩‍👧 emoji",
    "<p>HTML &amp; entities</p>",
    "日本語, العربية, हिन्दी",
    "line\nbreak \u2028 and \u0085 others\r\nhere",
    'quotes " and , commas ; and \t tabs',
    "\ufeff mark inside \ufeff",
    "word " * 100_000,
]


def texts_of(domain: Domain) -> list[str]:
    return list(to_texts(domain.rows))


def said(domain: Domain, words: str) -> str:
    """The one note that has these words."""
    (note,) = [note for note in domain.notes if words in note]
    return note


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def lines(name: str, *rows: object, encoding: str = "utf-8") -> Path:
        text = "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return lines


# JSON lines


def test_every_text_of_json_lines_is_read_as_it_is(write: Callable[..., Path]) -> None:
    domain = read(write("a.jsonl", *({"text": text, "label": "x"} for text in AWKWARD)))
    assert texts_of(domain) == AWKWARD
    assert (domain.kind, domain.name, domain.classes) == ("text", "a", ("x",))
    assert domain.ids == tuple(f"line {i + 1}" for i in range(len(AWKWARD)))
    assert domain.schema == TextSchema(text_column="text", label_column="label")
    assert "1 of 11" in said(domain, "empty texts")
    assert "zero bytes: 1;" in said(domain, "zero bytes")
    assert len(domain.notes) == 2


def test_gzip_is_told_by_the_first_bytes_and_the_name_loses_both_suffixes(tmp_path: Path) -> None:
    content = b'{"text": "good", "label": 1}\n{"text": "bad", "label": 0}\n'
    (tmp_path / "a.b.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "c.jsonl").write_bytes(gzip.compress(content))
    (tmp_path / "d.JSONL.GZ").write_bytes(content)
    found = [read(tmp_path / name) for name in ("a.b.jsonl.gz", "c.jsonl", "d.JSONL.GZ")]
    assert found[0].name == "a.b"
    assert len({domain.content_hash for domain in found}) == 1


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.data.archives.ALWAYS_ALLOWED", 1000)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "' + b"a" * 1_000_000 + b'"}'))
    with pytest.raises(DataError, match="must unpack to at most .* bytes; got more"):
        read(tmp_path / "a.jsonl.gz")


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        (["positive", "negative", "positive"], ("negative", "positive"), [1, 0, 1]),
        ([5, 1, 10], ("1", "5", "10"), [1, 0, 2]),
        ([1, "1", 1.0, "1.0", " 1 "], ("1",), [0, 0, 0, 0, 0]),
        ([True, "true", False], ("false", "true"), [1, 1, 0]),
        ([None, -1, "-1", -1.0, "", "a"], ("a",), [-1, -1, -1, -1, -1, 0]),
        ([float("nan"), 0], ("0",), [-1, 0]),
        ([4.5, 3, 10], ("3", "4.5", "10"), [1, 0, 2]),
        ([4.5, 3, "x"], ("3", "4.5", "x"), [1, 0, 2]),
        (["ä", "😀"], ("ä", "😀"), [0, 1]),
        ([0, "00", "-0"], ("0", "00"), [0, 1, 0]),
    ],
)
def test_labels_as_people_write_them(
    write: Callable[..., Path], values: list[object], classes: tuple[str, ...], codes: list[int]
) -> None:
    domain = read(write("a.jsonl", *({"text": "t", "label": value} for value in values)))
    assert (domain.classes, domain.labels.tolist()) == (classes, codes)


def test_a_missing_label_is_none_and_a_missing_or_null_text_is_empty(write: Callable[..., Path]) -> None:
    domain = read(write("a.jsonl", {"text": "a"}, {"text": None, "label": "x"}, {"label": "x"}))
    assert texts_of(domain) == ["a", "", ""]
    assert domain.labels.tolist() == [-1, 0, 0]
    assert "empty texts: 2 of 3" in said(domain, "empty")


def test_columns_have_any_name_and_the_others_are_named(write: Callable[..., Path]) -> None:
    path = write("a.jsonl", {"review": "a", "stars": 5, "title": "b", "label": "no"}, {"review": "c", "date": 1})
    domain = read(path, text_column="review", label_column="stars")
    assert (texts_of(domain), domain.classes, domain.labels.tolist()) == (["a", "c"], ("5",), [0, -1])
    assert said(domain, "left out") == (
        "a: columns besides the texts and their labels were left out: title, label, date."
    )


def test_a_column_id_names_the_texts(write: Callable[..., Path]) -> None:
    rows = [{"text": "a", "id": value} for value in ("r1", 7, None, True, "", [1], "\ud800")]
    path = write("a.jsonl", *(json.dumps(row) for row in rows))
    assert read(path).ids == ("r1", "7", "line 3", "line 4", "line 5", "line 6", "?")
    assert read(write("b.jsonl", {"text": "a", "id": "x"}), label_column="id").ids == ("line 1",)


def test_blank_lines_are_left_out_and_counted_and_lines_keep_their_numbers(write: Callable[..., Path]) -> None:
    domain = read(write("a.jsonl", "", {"text": "a"}, "  ", "\r", {"text": "b"}, ""))
    assert domain.ids == ("line 2", "line 5")
    assert said(domain, "blank") == "a: blank lines were left out: 3."


@pytest.mark.parametrize(
    ("line", "got"),
    [
        ('{"text": "b"', "Expecting"),
        ("{'text': 'b'}", "Expecting property name"),
        ("[1]", r"got '\[1\]'"),
        ('"text"', "got"),
        ('{"text": "b"} {"text": "c"}', "Extra data"),
        ("[" * 100_000, "got"),
        ('{"text": "b", "n": ' + "9" * 5000 + "}", "got"),
        ("b,1", "Expecting value"),
    ],
)
def test_a_broken_line_is_refused_by_its_number(write: Callable[..., Path], line: str, got: str) -> None:
    path = write("a.jsonl", {"text": "a"}, "", line)
    with pytest.raises(DataError, match=rf"line 3 of a.jsonl must be one JSON object; (?s:.*){got}") as refusal:
        read(path)
    assert len(str(refusal.value)) < 400


def test_halves_of_characters_become_question_marks_in_texts_and_are_refused_in_labels(
    write: Callable[..., Path],
) -> None:
    domain = read(write("a.jsonl", r'{"text": "a \ud83d b"}', r'{"text": "\ud83d\ude00"}'))
    assert texts_of(domain) == ["a ? b", "😀"]
    assert "1." in said(domain, "halves of characters")
    with pytest.raises(DataError, match="must hold words, finite numbers or truth values"):
        read(write("a.jsonl", r'{"text": "a", "label": "\ud83d"}'))


def test_names_of_fields_can_be_written_too(write: Callable[..., Path]) -> None:
    path = write("a.jsonl", r'{"text": "a", "\ud83d": "b"}')
    assert said(read(path), "left out").endswith("were left out: ?.")
    assert texts_of(read(path, text_column="?")) == ["b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_joined_with_their_byte_order_marks_are_read(tmp_path: Path, encoding: str) -> None:
    part = '{"text": "ä"}\n'.encode(encoding)
    (tmp_path / "a.jsonl").write_bytes(part + part)
    assert texts_of(read(tmp_path / "a.jsonl")) == ["ä", "ä"]


# Encodings

SENTENCE = "“Größe” – 5 €, naïve"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "txt"])
def test_unicode_is_read_without_a_note(tmp_path: Path, encoding: str, form: str) -> None:
    domain = read(written(tmp_path, form, [SENTENCE, "汉字 😀"], [encoding]), text_column=column_of(form))
    assert texts_of(domain) == [SENTENCE, "汉字 😀"]
    assert domain.notes == ()


@pytest.mark.parametrize("form", ["jsonl", "csv", "txt"])
def test_mixed_encodings_are_told_line_by_line_and_counted(tmp_path: Path, form: str) -> None:
    texts = [SENTENCE, SENTENCE, "汉字 😀"]
    domain = read(written(tmp_path, form, texts, ["utf-8", "cp1252", "utf-8"]), text_column=column_of(form))
    assert texts_of(domain) == texts
    unit = "files" if form == "txt" else "lines"
    assert f"{unit} that are not UTF-8 and were read as Windows-1252: 1." in said(domain, "Windows-1252")


def column_of(form: str) -> str | None:
    return "text" if form == "csv" else None


def written(tmp_path: Path, form: str, texts: list[str], encodings: list[str]) -> Path:
    """Texts in a file, each line in an encoding of its own if there are several, or in files of their own."""
    if form == "txt":
        for i, text in enumerate(texts):
            (tmp_path / f"{i}.txt").write_bytes(text.encode(encodings[i % len(encodings)]))
        return tmp_path
    quoted = [json.dumps({"text": t}, ensure_ascii=False) if form == "jsonl" else f'"{t}",1' for t in texts]
    lines = quoted if form == "jsonl" else ["text,label", *quoted]
    path = tmp_path / f"a.{form}"
    if len(encodings) == 1:
        path.write_bytes("\n".join(lines).encode(encodings[0]))
    else:
        own = encodings if form == "jsonl" else ["utf-8", *encodings]
        path.write_bytes(b"\n".join(line.encode(how) for line, how in zip(lines, own, strict=True)))
    return path


def test_bytes_that_are_nothing_never_stop_the_reading(tmp_path: Path) -> None:
    contents = {
        "a": bytes(range(256)),
        "b": b"\xff\xfe" + "good".encode("utf-16-le") + b"\xff",  # half a character at the end
        "c": b"\xff\xfe\x00\xd8\x41\x00",  # half a surrogate pair
        "d": b"\xef\xbb\xbf\xff",
        "e": "\ufffd".encode("utf-16"),  # written so
        "f": b"g\0o\0o\0d\0",  # UTF-16 that nothing marks
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.txt").write_bytes(content)
    domain = read(tmp_path)
    found = dict(zip(domain.ids, texts_of(domain), strict=True))
    assert len(found) == 6
    assert found["a.txt"][:0x80] == "".join(map(chr, range(0x80)))
    assert found["b.txt"].startswith("good\ufffd")
    assert found["d.txt"] == "ÿ"
    assert "files that are not UTF-8 and were read as Windows-1252: 2." in said(domain, "Windows")
    assert "shown as \ufffd: 2." in said(domain, "no characters")
    assert "zero bytes: 2;" in said(domain, "zero bytes")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    domain = read(tmp_path)
    assert len(domain) == 1
    try:
        assert content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0\0\xfe\xff")) or (
            texts_of(domain) == [content.decode()]
        )
    except UnicodeDecodeError:
        assert "Windows-1252: 1." in said(domain, "Windows")


# Tables


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_column_of_a_table_is_read_as_texts(tmp_path: Path, suffix: str) -> None:
    texts = [text.strip() for text in AWKWARD]
    frame = pl.DataFrame({"n": range(len(texts)), "the text": texts, "stars": [1, 5] * 5 + [None]})
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="," if suffix == "csv" else "\t")
    domain = read(path, text_column="the text", label_column="stars")
    assert texts_of(domain) == texts
    assert domain.classes == ("1", "5")
    assert domain.labels.tolist() == [0, 1] * 5 + [-1]
    assert domain.ids[:2] == (("row 1", "row 2") if suffix == "parquet" else ("line 2", "line 3"))
    assert "left out: n." in said(domain, "left out")


def test_without_a_text_column_a_table_is_one_of_features(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,label\n1,a\n2,b\n")
    assert read(tmp_path / "a.csv", label_column="label").kind == "features"
    assert read(tmp_path / "a.csv", text_column="x").kind == "text"
    assert read(tmp_path / "a.csv", like=TextSchema(text_column="x")).kind == "text"
    with pytest.raises(DataError, match="a.csv must have a column 'text' that holds the texts; got only x, label"):
        read(tmp_path / "a.csv", like=Domain(["a"]))


def test_rows_without_a_value_are_texts_and_blank_lines_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n"",\n\n"a\nb",5\n,\nc,1\n')
    domain = read(tmp_path / "a.csv", text_column="text")
    assert texts_of(domain) == ["", "a\nb", "", "c"]
    assert domain.ids == ("line 2", "line 4", "line 6", "line 7")
    assert said(domain, "lines without") == "a: lines without a value were left out: 1."
    (tmp_path / "b.csv").write_text('text\n""\n\na\n')
    assert texts_of(read(tmp_path / "b.csv", text_column="text")) == ["", "a"]


def test_quotes_that_do_not_close_swallow_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tlabel\n"Great\t1\nbad\t0\nfine "x\t1\n')
    assert texts_of(read(tmp_path / "a.tsv", text_column="text")) == ['"Great', "bad", 'fine "x']
    (tmp_path / "a.csv").write_text('text,label\n"Great,1\nbad,0\nfine "x,1\n')
    with pytest.raises(DataError, match="must be text with the same number of values on every line; got a file that"):
        read(tmp_path / "a.csv", text_column="text")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2], "column 'text' of a.parquet must hold texts; got 1 in row 1"),
        ([["a"], ["b"]], "must hold texts; got"),
        ([b"a", b"b"], "must hold texts; got b'a' in row 1"),
    ],
)
def test_a_column_of_something_else_is_refused(tmp_path: Path, values: list[Any], words: str) -> None:
    pl.DataFrame({"text": values}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=words):
        read(tmp_path / "a.parquet", text_column="text")


def test_categories_and_nulls_of_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["a", None, "b"], "label": [True, None, False]})
    frame.with_columns(pl.col("text").cast(pl.Categorical)).write_parquet(tmp_path / "a.parquet")
    domain = read(tmp_path / "a.parquet", text_column="text")
    assert (texts_of(domain), domain.classes, domain.labels.tolist()) == (
        ["a", "", "b"],
        ("false", "true"),
        [1, -1, 0],
    )


def test_a_table_of_texts_that_nobody_names_is_refused_with_the_option(tmp_path: Path) -> None:
    pl.DataFrame({"review": [f"text {i}" for i in range(200)], "label": [0, 1] * 100}).write_csv(tmp_path / "a.csv")
    with pytest.raises(DataError, match="if it holds the texts to learn from, add --text-column review"):
        read(tmp_path / "a.csv", label_column="label")


def test_a_few_texts_in_a_table_that_nobody_names_are_told(tmp_path: Path) -> None:
    rows = [f"a review of many words, number {i}" for i in range(10)] * 2
    pl.DataFrame({"review": rows, "kind": ["two words", "a"] * 10}).write_csv(tmp_path / "a.csv")
    domain = read(tmp_path / "a.csv", label_column="kind")
    assert "add --text-column review." in said(domain, "several words")
    pl.DataFrame({"colour": ["dark red", "blue"] * 10, "x": range(20)}).write_csv(tmp_path / "b.csv")
    assert read(tmp_path / "b.csv").notes == ()


# Folders


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_class_folders_and_loose_files(tmp_path: Path) -> None:
    labelled = put(tmp_path / "a", {"pos/2.txt": "great", "neg/1.TXT": "awful", "pos/deep/3.txt": "", ".x.txt": "x"})
    domain = read(labelled)
    assert domain.ids == ("neg/1.TXT", "pos/2.txt", "pos/deep/3.txt")
    assert texts_of(domain) == ["awful", "great", ""]
    assert (domain.classes, domain.labels.tolist(), domain.name) == (("neg", "pos"), [0, 1, 1], "a")
    assert "1 hidden" in said(domain, "no texts")
    loose = read(put(tmp_path / "b", {"x.txt": "a", "y.txt": "b", "z.md": "c"}))
    assert (loose.ids, loose.num_labelled, loose.classes) == (("x.txt", "y.txt"), 0, ())
    assert "1 .md" in said(loose, "no texts")
    assert loose.schema == TextSchema()


def test_images_or_texts(tmp_path: Path) -> None:
    """A folder with images is one of images, unless there are more texts than images; then nobody knows."""
    texts = put(tmp_path, {"a/1.txt": "one", "a/2.txt": "two"})
    assert holds_texts(texts)
    Image.new("L", (8, 8)).save(tmp_path / "a" / "1.png")
    with pytest.raises(DataError, match="must hold either images or texts; got 1 images beside 2 .txt files. Move"):
        read(texts)
    Image.new("L", (8, 8)).save(tmp_path / "a" / "2.png")
    assert not holds_texts(texts)
    domain = read(texts)
    assert domain.kind == "images"
    assert "2 .txt" in said(domain, "no images")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, {"a.txt": "one", "b.txt": "two"})
    read_bytes = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    domain = read(folder)
    assert domain.ids == ("a.txt",)
    assert "1 of 2 texts were kept; not these: b.txt (permission denied)." in said(domain, "kept")
    (folder / "a.txt").unlink()
    with pytest.raises(DataError, match="must hold texts that can be read; got 1 that cannot: b.txt"):
        read(folder)


def test_class_folders_without_a_text_make_no_class(tmp_path: Path) -> None:
    put(tmp_path, {"a/1.txt": "x", "b/1.txt": "y"})
    (tmp_path / "c").mkdir()
    domain = read(tmp_path)
    assert domain.classes == ("a", "b")
    assert "c" in said(domain, "make no class")


# The target like the source


def test_a_target_is_read_like_its_source(write: Callable[..., Path], tmp_path: Path) -> None:
    source = read(
        write("a.jsonl", {"body": "a", "stars": 1}, {"body": "b", "stars": 5}),
        text_column="body",
        label_column="stars",
    )
    unlabelled = read(write("b.jsonl", {"body": "c", "label": "x"}), like=source)
    assert (texts_of(unlabelled), unlabelled.num_labelled, unlabelled.schema) == (["c"], 0, source.schema)
    (tmp_path / "c.csv").write_text("stars,body\n5,d\n")
    table = read(tmp_path / "c.csv", like=source)
    assert (texts_of(table), table.classes) == (["d"], ("5",))
    folder = read(put(tmp_path / "d", {"5/1.txt": "e"}), like=source, label_column="stars")
    assert (texts_of(folder), folder.classes, folder.schema) == (["e"], ("5",), source.schema)
    with pytest.raises(DataError, match="e.jsonl must have a column 'body' that holds the texts; got only text"):
        read(write("e.jsonl", {"text": "c"}), like=source)
    other = read(write("e.jsonl", {"text": "c"}), like=source, text_column="text")
    assert other.schema == TextSchema(text_column="text", label_column="stars")


def test_a_source_of_folders_takes_a_target_with_a_column_label(write: Callable[..., Path], tmp_path: Path) -> None:
    source = read(put(tmp_path / "a", {"good/1.txt": "x", "bad/1.txt": "y"}))
    assert read(write("b.jsonl", {"text": "a", "label": "good"}), like=source).classes == ("good",)


def test_schemas_come_back_from_a_record() -> None:
    for schema in (TextSchema(text_column="a", label_column="b"), TextSchema(), TableSchema(columns=())):
        assert read_schema(schema.model_dump(mode="json")) == schema


def test_options_that_do_not_apply(write: Callable[..., Path], tmp_path: Path) -> None:
    put(tmp_path / "texts", {"a.txt": "x"})
    for option in ("text_column", "label_column"):
        with pytest.raises(RequestError, match=f"{option} applies to tables and .jsonl files only"):
            read(tmp_path / "texts", **{option: "x"})
    for path in (tmp_path / "texts", write("a.jsonl", {"text": "a"})):
        with pytest.raises(RequestError, match="image_size applies to folders of images only"):
            read(path, image_size=8)


@pytest.mark.parametrize(
    ("name", "what"), [("a.jsonl", "the .jsonl file"), ("a.csv", "the table"), ("", "the texts")]
)
def test_what_is_not_there(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(RequestError, match=f"{what} must be"):
        read_texts(tmp_path / name if name else "")


# Arrays


class Frame:
    """What pandas' and polars' columns have in common."""

    def __init__(self, values: list[object], shape: tuple[int, ...]) -> None:
        self.values, self.shape = values, shape

    def to_numpy(self) -> np.ndarray:
        return np.array(self.values, dtype=object).reshape(self.shape)


TWO = ["good book", "bad"]


@pytest.mark.parametrize(
    "values",
    [
        TWO,
        tuple(TWO),
        np.array(TWO),
        np.array(TWO, dtype=object),
        np.array(TWO, dtype=np.dtypes.StringDType()),
        np.array(TWO)[:, None],
        [np.str_(text) for text in TWO],
        pl.Series(TWO),
        pl.DataFrame({"text": TWO}),
        Frame(TWO, (2,)),
        Frame(TWO, (2, 1)),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "dtype", "")),
)
def test_strings_in_memory_are_texts(values: object) -> None:
    domain = from_arrays(values, ["x", ""], name="mine")
    assert (domain.kind, texts_of(domain), domain.classes) == ("text", TWO, ("x",))
    assert domain.labels.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("one text", "must be a list of texts; got a single one. Put it into a list"),
        (["a", None], "must be texts throughout; got None in place 1"),
        ([float("nan"), "a"], "must be texts throughout; got nan in place 0"),
        (["a", b"b"], "must be texts throughout; got b'b' in place 1"),
        ([b"a", b"b"], "must be texts throughout; got b'a' in place 0"),
        (np.array([b"a"]), "must be texts throughout; got b'a' in place 0"),
        (["a", ["b"]], r"must be texts throughout; got \['b'\] in place 1"),
        (np.array(["a", 3], dtype=object), "must be texts throughout; got 3 in place 1"),
        ([["a", "b"], ["c", "d"]], "must be real numbers"),
    ],
)
def test_what_is_text_in_part_is_refused(values: object, words: str) -> None:
    with pytest.raises(DataError, match=f"the inputs of mine {words}"):
        from_arrays(values, name="mine")


def test_texts_in_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.array([*TWO, ""]), y=[1, 0, 1])
    domain = read(tmp_path / "a.npz")
    assert (texts_of(domain), domain.classes) == ([*TWO, ""], ("0", "1"))
    assert "1 of 3" in said(domain, "empty texts")


def test_a_long_text_does_not_make_all_rows_as_long() -> None:
    """NumPy's array of strings would take 4 bytes a letter of the longest, for every row: 8 GB here."""
    texts = ["a"] * 5_000 + ["b" * 400_000]
    assert from_arrays(texts).rows.values.nbytes == 5_000 + 400_000
