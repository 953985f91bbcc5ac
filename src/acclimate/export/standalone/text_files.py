"""Texts of JSON lines, of a column of a table, or of a folder of .txt files, as numbers of words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.readers.encodings import decode_each, decode_lines
from acclimate.data.words import words
from acclimate.export.standalone.table_files import table

_UNKNOWN = 1


def read(path: Path, facts: Mapping[str, Any], most: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names and numbers of words int64 `(b, n)`, 0 behind the last, at most so many texts at a time.

    Args:
        path: a .jsonl, .jsonl.gz, .csv or .tsv file, or a folder of .txt files.
        facts: `inference.json`, with the vocabulary as `words`.
        most: texts at a time.

    Raises:
        ValueError: if there is no text, or not the column that holds them.
    """
    names, texts = _texts(path, facts["text"])
    numbers = {word: number for number, word in enumerate(facts["words"], start=2)}
    for start in range(0, len(texts), most):
        rows = [_numbers(text, numbers, facts["text"]) for text in texts[start : start + most]]
        filled = np.zeros((len(rows), max(facts["text"]["least"], *map(len, rows))), dtype=np.int64)
        for row, own in zip(filled, rows, strict=True):
            row[: len(own)] = own
        yield names[start : start + most], filled


def _numbers(text: str, numbers: Mapping[str, int], facts: Mapping[str, Any]) -> list[int]:
    return [numbers.get(word, _UNKNOWN) for word in words(text, facts["signs"])[: facts["limit"]]]


def _texts(path: Path, facts: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.txt") if not file.name.startswith("."))
        return [f.relative_to(path).as_posix() for f in files], decode_each([f.read_bytes() for f in files]).texts
    lines = path.name.lower().endswith((".jsonl", ".jsonl.gz"))
    names, columns = _objects(path) if lines else table(path, facts.get("delimiter"))
    column = facts["text_column"]
    if column not in columns:
        raise ValueError(f"{path} must have a column {column!r} of texts; it has {', '.join(columns)}")
    ids = columns.get(facts["id_column"] or "", names)
    return [own or name for own, name in zip(ids, names, strict=True)], columns[column]


def _objects(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Places and fields of the objects of a file, one a line."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    found, places = [], []
    for number, line in enumerate(decode_lines(content).texts, start=1):
        if text := line.strip().removeprefix("\ufeff"):
            found.append(json.loads(text))
            places.append(f"line {number}")
    fields = dict.fromkeys(name for row in found for name in row)
    return places, {name: [_text(row.get(name)) for row in found] for name in fields}


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
