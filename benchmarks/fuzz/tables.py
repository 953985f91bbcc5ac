"""Feeds more than 10,000 tables to every door that takes one: they agree to the bit, or refuse alike.

    python benchmarks/fuzz/tables.py [--seed 0] [--scale 1.0]
    python benchmarks/fuzz/tables.py --seed 0 --replay 1234

A table has columns of the kinds that people have: numbers of all sizes and of other countries, dates in all forms,
times, truth values, words, ids, notes, constants, blanks, mixtures, and signs that stand for nothing. Its content
goes in as a CSV in one of several encodings and dialects, and as a frame of pandas, Polars or PyArrow, as dicts or as
a dict of columns; a second table is then read like the first. Any other exception than acclimate's own fails the run,
and so do two doors that give different features, schemas or ids, a feature of one row that depends on the others, and
a value that is not finite once it is preprocessed. Writes benchmarks/results/fuzz/tables.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # threads that wait for each other cost more than small tables

import pandas as pd
import polars as pl

OUT = Path(__file__).parents[1] / "results" / "fuzz" / "tables.json"
COUNT = 5_500

Values = list[Any]


@dataclass(frozen=True)
class Made:
    """One table: its columns as Python's values, None where there is none."""

    columns: dict[str, Values]

    def texts(self) -> pl.DataFrame:
        """The columns as a CSV has them."""
        return pl.DataFrame(
            {n: pl.Series([_written(v) for v in vs], dtype=pl.String) for n, vs in self.columns.items()}
        )

    def is_typed(self) -> bool:
        """Whether every column holds values of one type."""
        return all(len({type(v) for v in values if v is not None}) <= 1 for values in self.columns.values())


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


# Columns

_WORDS = (
    "north",
    "south",
    "east",
    "west",
    "NA",
    "none",
    "é",
    "e\u0301",
    "x, y",
    'say "hi"',
    "two words",
    "1b",
    "-",
    "ß",
)
_NOTHING = ("", "NA", "n/a", "?", "-", "null", "NaN", "None", " ")
_FORMS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d.%m.%y",
    "%Y-%m-%d %H:%M",
)


def _day(rng: Random) -> datetime.datetime:
    day = datetime.datetime(2020, 1, 1) + datetime.timedelta(days=rng.randint(-9000, 3000))
    return day + datetime.timedelta(minutes=rng.randint(0, 1439)) if rng.random() < 0.5 else day


def _each(draw: Callable[[Random], Any]) -> Callable[[Random, int], Values]:
    return lambda rng, n: [draw(rng) for _ in range(n)]


def _once(draw: Callable[[Random], Any]) -> Callable[[Random, int], Values]:
    return lambda rng, n: [draw(rng)] * n


def _written_dates(rng: Random, n: int) -> Values:
    form = rng.choice(_FORMS)
    return [_day(rng).strftime(form) for _ in range(n)]


def _grouped(rng: Random, n: int) -> Values:
    group, point = rng.choice((",.", ".,", " ,", " .", "'."))
    numbers = [f"{rng.gauss(0, 1e6):,.{rng.choice((0, 2))}f}" for _ in range(n)]
    return [number.replace(",", "\0").replace(".", point).replace("\0", group) for number in numbers]


def _mixture(rng: Random, n: int) -> Values:
    pool = (1, -2.5, True, "x", "3", "", None, "1,5", "2024-01-01", 10**30, float("inf"), "true", "٣", "\u2028")
    return [rng.choice(pool) for _ in range(n)]


KINDS: dict[str, Callable[[Random, int], Values]] = {
    "floats": _each(lambda rng: rng.gauss(0, 1)),
    "whole": _each(lambda rng: rng.randint(-99, 99)),
    "sizes": lambda rng, n: _sized(rng, n),
    "beyond": _each(lambda rng: rng.choice((1e39, -1e300, 1.0, float("inf")))),
    "constants": _once(lambda rng: rng.choice((0, 1e12, 1e-12, "x", "7,5", True))),
    "truth": _each(lambda rng: rng.random() < 0.5),
    "words": _each(lambda rng: rng.choice(_WORDS)),
    "many words": _each(lambda rng: f"w{rng.randint(0, 150)}"),
    "ids": lambda rng, n: [f"P{i:04}" for i in rng.sample(range(9999), n)],
    "numbers of rows": lambda rng, n: list(range(n)),
    "notes": _each(lambda rng: f"seen on the {rng.randint(0, 10**9)}th, all well"),
    "dates": _each(lambda rng: _day(rng).date()),
    "moments": _each(_day),
    "written dates": _written_dates,
    "times": _each(lambda rng: f"{rng.randint(0, 23)}:{rng.randint(0, 59):02}"),
    "typed times": _each(lambda rng: datetime.time(rng.randint(0, 23), rng.randint(0, 59))),
    "grouped": _grouped,
    "decimal commas": _each(lambda rng: f"{rng.gauss(0, 9):.2f}".replace(".", ",")),
    "percents": _each(lambda rng: f"{rng.randint(0, 100)} %"),
    "digits": _each(lambda rng: str(rng.randint(0, 99))),
    "blank": _once(lambda rng: None),
    "mixture": _mixture,
}


def _sized(rng: Random, n: int) -> Values:
    scale = 10.0 ** rng.choice((-30, -12, 12, 30))
    return [rng.gauss(0, 1) * scale for _ in range(n)]


def column(rng: Random, kind: str, n: int) -> Values:
    """One column, some of whose values are missing."""
    values = KINDS[kind](rng, n)
    share = rng.choice((0, 0, 0, 0.1, 0.5, 0.95))
    signs = _NOTHING if all(isinstance(value, str) for value in values) and rng.random() < 0.3 else (None,)
    return [rng.choice(signs) if rng.random() < share else value for value in values]


def pair(rng: Random) -> tuple[Made, Made]:
    """A table, and another one that is read like it: of the same columns mostly, in another order."""
    names = rng.sample(("a", "b c", "ü", "id", "patient_id", "x,y", "Label", "7", 'q"', "N/A"), rng.randint(2, 6))
    kinds = {name: rng.choice(tuple(KINDS)) for name in names}
    rows = [rng.choice((1, 2, 5, 25, 40)) for _ in range(2)]
    first = Made({name: column(rng, kind, rows[0]) for name, kind in kinds.items()})
    again = rng.sample(names, len(names) - (rng.random() < 0.05))
    other = {n: kinds[n] if "id" in n or rng.random() < 0.9 else rng.choice(tuple(KINDS)) for n in again}
    other |= {"further": "floats"} if rng.random() < 0.1 else {}
    return first, Made({name: column(rng, kind, rows[1]) for name, kind in other.items()})


# Doors


def csv_of(made: Made, rng: Random, path: Path, sign: str) -> None:
    """Write the table as a CSV in one of the dialects and encodings."""
    text = made.texts().write_csv(separator=sign, quote_style=rng.choice(("necessary", "always", "non_numeric")))
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32"))
    path.write_bytes(
        text.replace("\n", rng.choice(("\n", "\n", "\r\n")) if "\u2028" not in text else "\n").encode(encoding)
    )


def doors(made: Made, rng: Random) -> dict[str, Any]:
    """The table as three of the kinds of frame that can hold it."""
    rows = [dict(zip(made.columns, row, strict=True)) for row in zip(*made.columns.values(), strict=True)]
    found: dict[str, Any] = {
        "dicts": rows,
        "columns": made.columns,
        "pandas": pd.DataFrame(made.columns, dtype=object),
    }
    if made.is_typed():
        found["polars"] = pl.DataFrame(made.columns, strict=False).with_columns(pl.col(pl.Int128).cast(pl.String))
        found["pyarrow"] = found["polars"].to_arrow()
        found["pandas, typed"] = pd.DataFrame(made.columns)
        found["pandas, Arrow"] = found["polars"].to_pandas(use_pyarrow_extension_array=True)
    return {name: found[name] for name in rng.sample(sorted(found), 3)}


def outcome(read: Callable[[], Any]) -> Any:
    """A domain, or the name of acclimate's own error."""
    from acclimate.errors import RequestError

    try:
        return read()
    except RequestError as error:
        said = str(error), type(error).__name__
    assert said[0], "an error must say something"
    return said[1]


def same(one: Any, two: Any, what: str) -> None:
    """Refuse two outcomes that differ."""
    if isinstance(one, str) or isinstance(two, str):
        assert type(one) is type(two), f"{what}: {one!r:.200} and {two!r:.200}"
        return
    meant, got = ([c.model_copy(update={"form": ""}) for c in domain.schema.columns] for domain in (one, two))
    differing = [pair for pair in zip(meant, got, strict=False) if pair[0] != pair[1]]
    assert meant == got, f"{what}: {differing[:1] or [one.schema.names, two.schema.names]}"
    assert one.inputs.tobytes() == two.inputs.tobytes(), f"{what}: {one.inputs.tolist()} and {two.inputs.tolist()}"
    if one.ids and two.ids:  # places have other names in files than in frames
        ids = [[None if name.startswith(("line ", "row ")) else name for name in domain.ids] for domain in (one, two)]
        assert ids[0] == ids[1], f"{what}: {one.ids[:5]} and {two.ids[:5]}"


def feed(seed: int, index: int, folder: Path) -> str:
    """Make one pair of tables, put it through every door, and say what came of it."""
    from acclimate.data.preprocess import Preprocess
    from acclimate.data.readers import from_arrays, read_table
    from acclimate.data.readers.given import Fields, held_to

    rng = Random(f"{seed}/{index}")
    first, second = pair(rng)
    if _is_empty(first) or _is_empty(second):
        return "empty"
    files = [folder / "a.csv", folder / "b.csv"]
    sign = rng.choice(",,,\t|~")
    for made, path in zip((first, second), files, strict=True):
        csv_of(made, rng, path, sign)
    source = outcome(lambda: read_table(files[0], name="t", delimiter=sign))
    for name, table in doors(first, rng).items():
        same(source, outcome(lambda t=table: from_arrays(t, name="t")), f"the first as CSV and as {name}")
    if isinstance(source, str):
        return source
    target = outcome(lambda: read_table(files[1], name="t", delimiter=sign, like=source))
    for name, table in doors(second, rng).items():
        fields = Fields(source.schema, source.schema.names, named=True)
        same(target, outcome(lambda t=table, f=fields: held_to(f, t, "M", "t")), f"the second as CSV and as {name}")
    if isinstance(target, str):
        return target
    check_finite(Preprocess, source, target)
    return "read"


def _is_empty(made: Made) -> bool:
    """Whether a line of a CSV would be blank, which is left out there and is a row of a frame."""
    rows = zip(*made.columns.values(), strict=True)
    return any(all((_written(value) or "").strip() == "" for value in row) for row in rows)


def check_finite(preprocess: Any, source: Any, target: Any) -> None:
    """What networks see is finite, and of each row alone."""
    made = outcome(lambda: preprocess.of_features([source, target]))
    if isinstance(made, str):
        return
    for domain in (source, target):
        x = made.batch(domain.inputs, None)
        assert bool(x.isfinite().all()), f"not finite: {x}"
        assert made.batch(domain.inputs[:1], None).equal(x[:1]), "a row depends on the others"


def run(seed: int, count: int) -> dict[str, Any]:
    """Feed `count` pairs."""
    outcomes, failures, began = Counter[str](), [], time.monotonic()
    slowest = (0.0, -1)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for index in range(count):
            at = time.process_time()
            try:
                outcomes[feed(seed, index, Path(folder))] += 1
            except Exception as error:
                failures.append((index, f"{type(error).__name__}: {error!s:.300}"))
            slowest = max(slowest, (time.process_time() - at, index))
    return {
        "tables": 2 * count,
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures,
        "seconds": round(time.monotonic() - began, 1),
        "slowest_input": {"cpu_seconds": round(slowest[0], 2), "number": slowest[1]},
    }


def replay(seed: int, index: int) -> None:
    """Show one pair and what comes of it."""
    for made in pair(Random(f"{seed}/{index}")):
        print(made.texts())
    with tempfile.TemporaryDirectory() as folder:
        try:
            print(feed(seed, index, Path(folder)))
        except Exception:
            traceback.print_exc()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=0, help="another seed, other tables")
    options.add_argument("--scale", type=float, default=1.0, help="this many times as many; writes results only at 1")
    options.add_argument("--replay", type=int, help="show one pair, by its number")
    chosen = options.parse_args()
    if chosen.replay is not None:
        replay(chosen.seed, chosen.replay)
        return 0
    facts = run(chosen.seed, max(1, round(COUNT * chosen.scale)))
    print(f"{facts['tables']:,} tables in {facts['seconds']:.0f} s  {facts['outcomes']}")
    for index, what in facts["failures"][:10]:
        print(f"  {what}\n  python benchmarks/fuzz/tables.py --seed {chosen.seed} --replay {index}")
    print(f"{len(facts['failures']):,} failures")
    if chosen.scale == 1:
        _write(facts, chosen.seed)
    return 1 if facts["failures"] else 0


def _write(facts: dict[str, Any], seed: int) -> None:
    from acclimate.runs.machine import current_commit, machine

    OUT.parent.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "benchmarks/fuzz/tables.py", *sys.argv[1:]])
    found = {**facts, "failures": len(facts["failures"]), "seed": seed, "command": command}
    found |= {"commit": current_commit(), "hardware": machine()}
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
