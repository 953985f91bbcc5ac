"""Rows of a table as features, by what its columns meant in training; and features of an array file."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.formulas import unguard
from acclimate.data.readers.encodings import decode_lines

_LIKELY = ",;\t|"
_GROUPS = {" ": "[ \u00a0\u2009\u202f]", "'": "['’]"}
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")


def read(path: Path, facts: Mapping[str, Any], most: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names and features float32 `(b, d)`, NaN where a value is missing, at most so many rows at a time.

    Args:
        path: a .csv or .tsv file with the columns of the training, or an .npz with X `(n, d)`.
        facts: `inference.json`.
        most: rows at a time.

    Raises:
        ValueError: naming column and row, if one is missing or written otherwise than in training.
    """
    names, features = _arrays(path) if path.suffix.lower() == ".npz" else _rows(path, facts["table"])
    if features.shape[1:] != (facts["width"],):
        raise ValueError(f"{path} must hold {facts['width']} features a row; got {features.shape[1:]}")
    for start in range(0, len(features), most):
        yield names[start : start + most], features[start : start + most]


def table(path: Path, delimiter: str | None) -> tuple[list[str], dict[str, list[str]]]:
    """Places of the rows, such as "line 2", and the columns' values as text, "" where there is none.

    Raises:
        ValueError: if a line has more values than there are columns.
    """
    lines = decode_lines(path.read_bytes()).texts
    header = re.sub(r'"[^"]*"', "", next(filter(str.strip, lines), ""))
    prefers_tab = path.suffix.lower() == ".tsv" and "\t" in header
    sign = delimiter or ("\t" if prefers_tab else max(_LIKELY, key=header.count))
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=sign)
    names: list[str] = []
    places: list[str] = []
    rows: list[list[str]] = []
    start = 0
    for values in reader:
        line, start = start + 1, reader.line_num
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(names) and names:
            raise ValueError(f"line {line} of {path} has {len(values)} values under {len(names)} names")
        if not names:
            names = [unguard(name.strip()) for name in values]
            continue
        places.append(f"line {line}")
        rows.append([unguard(value).strip() for value in values] + [""] * (len(names) - len(values)))
    return places, {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=False)}


def _arrays(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        features = file["X"].astype(np.float32)
    return [str(i) for i in range(len(features))], features


def _rows(path: Path, facts: Mapping[str, Any] | None) -> tuple[list[str], np.ndarray]:
    if facts is None or path.suffix.lower() not in (".csv", ".tsv"):
        kinds = "an .npz with X (n, d)" if facts is None else "a .csv or .tsv file, or an .npz with X (n, d)"
        raise ValueError(f"{path} must be {kinds}")
    places, columns = table(path, facts.get("delimiter"))
    known = facts["columns"]
    if missing := [column["name"] for column in known if column["name"] not in columns]:
        raise ValueError(f"{path} must have the columns of the training; it lacks {', '.join(missing)}")
    parts = [_encoded(column, columns[column["name"]], facts, places) for column in known]
    ids = columns.get(facts["id_column"] or "", places)
    names = [own or place for own, place in zip(ids, places, strict=True)]
    return names, np.concatenate(parts, axis=1).astype(np.float32)


def _encoded(
    column: Mapping[str, Any], values: Sequence[str], facts: Mapping[str, Any], places: Sequence[str]
) -> np.ndarray:
    """One column's features `(n, width)`."""
    encode = {"numeric": _numbers, "categorical": _choices, "date": _dates}[column["kind"]]
    missing = facts["no_value" if column["kind"] == "categorical" else "no_number"]
    return encode(column, [None if _says_nothing(v, missing, column) else v for v in values], places)


def _says_nothing(value: str, missing: Sequence[str], column: Mapping[str, Any]) -> bool:
    return not value or (value.casefold() in missing and value not in column["categories"])


def _numbers(column: Mapping[str, Any], values: Sequence[str | None], places: Sequence[str]) -> np.ndarray:
    parse = _number_of(column["form"])
    return np.array([[_or_nan(parse, value, column, place)] for value, place in zip(values, places, strict=True)])


def _number_of(style: str) -> Callable[[str], float]:
    """How numbers of a style are read; see `acclimate.data.readers.numerals`."""
    percent, marks = style.endswith("%"), style.removesuffix("%")

    def parse(text: str) -> float:
        text = text.replace("−", "-", 1)
        if percent and not text.endswith("%"):
            raise ValueError
        text = text[:-1].rstrip() if percent else text
        if len(marks) > 1:
            value = float(_ungrouped(text, *marks))
        elif text.lower() in ("true", "false"):
            value = float(text.lower() == "true")
        else:
            value = float(text.replace(marks, ".", 1) if marks else text)
        if "_" in text or not math.isfinite(value):
            raise ValueError
        return value / 100 if percent else value

    return parse


def _ungrouped(text: str, group: str, point: str) -> str:
    """Without the marks between thousands, which stand before every three digits or nowhere, and with a full stop."""
    sign = _GROUPS.get(group, re.escape(group))
    if not re.fullmatch(rf"[+-]?(?:[1-9]\d{{0,2}}(?:{sign}\d{{3}})+|\d+)(?:{re.escape(point)}\d+)?", text):
        raise ValueError
    return re.sub(sign, "", text).replace(point, ".", 1)


def _choices(column: Mapping[str, Any], values: Sequence[str | None], _: Sequence[str]) -> np.ndarray:
    categories = column["categories"]
    index = {_whole(category): i for i, category in enumerate(categories)}
    index |= {category: i for i, category in enumerate(categories)}
    block = np.zeros((len(values), len(categories)))
    for row, value in zip(block, values, strict=True):
        if value is None:
            row[:] = np.nan
        elif (place := index.get(value, index.get(_whole(value)))) is not None:
            row[place] = 1
    return block


def _whole(text: str) -> str:
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text


def _dates(column: Mapping[str, Any], values: Sequence[str | None], places: Sequence[str]) -> np.ndarray:
    """Age in days, weekday and hour, as points on circles; see `acclimate.data.readers.dates`."""
    pattern, months = re.compile(column["pattern"]), column["months"]

    def parse(text: str) -> float:
        return _day(pattern, months, text)

    days = np.array([_or_nan(parse, value, column, place) for value, place in zip(values, places, strict=True)])
    parts: list[np.ndarray] = []
    for part in column["parts"]:
        if part == "age":
            parts.append(days - column["origin"])
            continue
        share = days % 1 if part == "hour" else (np.floor(days) + 3) % 7 / 7
        parts += [np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
    return np.stack(parts, axis=1)


def _day(pattern: re.Pattern[str], months: Mapping[str, str], text: str) -> float:
    """Days since 1970, with the share of the day; that alone where there is no date."""
    found = pattern.match(text)
    if not found:
        raise ValueError
    part = found.groupdict()
    hour, minute, second = (int(part.get(name) or 0) for name in "HMS")
    if part.get("half"):
        hour = hour % 12 + 12 * (part["half"].lower() == "p")
    fraction = int((part.get("f") or "")[:6].ljust(6, "0"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    share = ((hour * 3600 + minute * 60 + second) * 1_000_000 + fraction) / 86_400_000_000
    if "y" not in part:
        return share
    year = int(part["y"])
    if len(part["y"]) == 2:
        year += 2000 if year < 69 else 1900
    month = int(months[part["name"].lower()[:3]] if part.get("name") else part["m"])
    return (date(year, month, int(part.get("d") or 1)) - date(1970, 1, 1)).days + share


def _or_nan(parse: Callable[[str], float], value: str | None, column: Mapping[str, Any], place: str) -> float:
    if value is None:
        return math.nan
    try:
        return parse(value)
    except (ValueError, KeyError):
        written = f" ({column['form']})" if column.get("form") else ""
        what = "number" if column["kind"] == "numeric" else "date"
        raise ValueError(f"column {column['name']!r} must hold a {what}{written}; got {value!r} in {place}") from None
