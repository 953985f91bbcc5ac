"""Hands labels and arrays of every kind to every door: only errors of ours come back, and no two doors differ.

    python benchmarks/fuzz/doors.py [--seed 0] [--scale 1.0] [--only labels]
    python benchmarks/fuzz/doors.py --seed 0 --replay labels:1234

The doors for labels: what estimators and `SampleDomainAdapter` read, arrays, .npz, Parquet, CSV and JSON lines. Each
that can hold the labels at all must make the same classes of the same rows of them, or refuse them as the others do.
The doors for inputs: arrays, `fit`, `predict`, `score` and `SampleDomainAdapter`. An input follows from seed, kind
and number alone; one that fails is printed with the command that shows it again. Writes
benchmarks/results/fuzz/doors.json.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy import sparse

import acclimate as ac
from acclimate.data.class_names import name_key
from acclimate.data.domain import Domain
from acclimate.data.readers import from_arrays, read_arrays, read_table, read_texts
from acclimate.data.readers.labels import is_missing, read_labels
from acclimate.errors import AcclimateError

sys.path.insert(0, str(Path(__file__).parent))
from command import fuzz

TMP = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Labels

_WORDS = ("a", "b", "ä", "a\u0308", "é", "e\u0301", "A", "True", "true", "false", " a ", "nan", "NA", "<NA>", "", " ")
_SPELT = ("0", "1", "2", "1.0", "01", "-1", "-1.0", "1.5", "1e3", "-2", "inf", "١", "−1", "0x1", "1_0", "-0")
_NUMBERS = (0, 1, 2, 3, 7, 1.0, 2.0, 0.5, 1.5, 2.5, -1, -1.0, -2, 1e20, 2**63, 10**30, -0.0)
_NONE = (None, math.nan)
_ODD = (
    math.inf, -math.inf, 1j, (), [1], {"a": 1}, date(2020, 1, 1), b"a", b"\xff", "\ud800", object(), Decimal("1.50"),
    Decimal("NaN"), np.datetime64("NaT"), np.float32(0.1), np.int8(3), np.True_, 10**5000, "a\0b", "a\nb", 'a"b',
)  # fmt: skip
_POOLS: tuple[tuple[Any, ...], ...] = (
    _WORDS, _SPELT, (*_WORDS, *_SPELT), _NUMBERS, (*_NUMBERS, *_NONE), (*_WORDS, *_NONE), (0, 1), (-1, 0, 1), (-1, 1),
    (True, False), (True, False, None), tuple(range(40)), tuple(i / 7 for i in range(40)),
    (*_WORDS, *_SPELT, *_NUMBERS, *_NONE, True), (*_NUMBERS, *_ODD), (*_WORDS, *_ODD),
)  # fmt: skip


def labels(rng: Random) -> list[Any]:
    """Labels of one example each, drawn from a pool of a kind."""
    pool = rng.choice(_POOLS)
    few = [rng.choice(pool) for _ in range(rng.randint(1, 6))]
    return [rng.choice(few) for _ in range(rng.randint(1, 12))]


Named = list[str] | str  # for each row the key of its class, "" where it has none; or the kind of error


def _named(domain: Any) -> list[str]:
    """What a domain, or labels, say of each row."""
    indices = domain.labels if isinstance(domain, Domain) else domain.indices
    return [name_key(domain.classes[i]) if i >= 0 else "" for i in indices.tolist()]


def _outcome(door: Callable[[], Any]) -> Named:
    try:
        return _named(door())
    except AcclimateError as error:
        return _kind(error)


def _kind(error: AcclimateError) -> str:
    if not str(error):
        raise AssertionError("an error must say something") from error
    return type(error).__name__


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "objects": lambda y: _objects(y),
    "column": lambda y: _objects(y)[:, None],
    "masked": lambda y: np.ma.MaskedArray(_objects(y), mask=[is_missing(v) for v in y]),
}
_TYPED: dict[str, Callable[[list[Any]], Any]] = {
    "array": np.asarray,
    "float32": lambda y: np.asarray(y, dtype=np.float32),
    "int8": lambda y: np.asarray(y, dtype=np.int8),
    "tensor": torch.tensor,
    "polars": lambda y: _column(y),
    "strings": lambda y: np.asarray(y, dtype=np.dtypes.StringDType(na_object=None)),
}


def _column(y: list[Any]) -> pl.Series:
    if any(_is_huge(value) or isinstance(value, Decimal) for value in y):
        raise TypeError("Polars 2.1 panics at these")
    return pl.Series(y)


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 2**63


def _objects(y: list[Any]) -> np.ndarray:
    array = np.empty(len(y), dtype=object)
    for row, value in enumerate(y):
        array[row] = value
    return array


def check_labels(rng: Random, folder: Path) -> str:
    """The same labels through every door that can hold them."""
    y = labels(rng)
    n, X = len(y), np.zeros((len(y), 2), dtype=np.float32)
    found = {"read_labels": _outcome(lambda: read_labels(y, n, "y"))}
    for name, make in _CONTAINERS.items():
        found[name] = _outcome(lambda make=make: read_labels(make(y), n, "y"))
    found["arrays"] = _outcome(lambda: from_arrays(X, y))
    name = rng.choice(("JSON lines", "CSV"))
    found[name] = (_csv if name == "CSV" else _json_lines)(y, folder)
    found = {door: named for door, named in found.items() if named is not None}
    if not any(
        isinstance(value, list | tuple) for value in y
    ):  # a list of lists is another array than one of objects
        _agree(found)
    name = rng.choice(list(_TYPED))
    try:
        typed = _TYPED[name](y)
    except Exception:  # it is not of that type
        return _summary(found["read_labels"])
    _agree(_typed_doors(typed, X, folder))
    return _summary(found["read_labels"])


def _typed_doors(typed: Any, X: np.ndarray, folder: Path) -> dict[str, Named]:
    """Labels of one type, which may have changed them, through the doors that hold such."""
    found = {
        "typed": _outcome(lambda: read_labels(typed, len(X), "y")),
        "arrays": _outcome(lambda: from_arrays(X, typed)),
    }
    if isinstance(typed, np.ndarray) and not typed.dtype.hasobject and typed.dtype.kind in "biufUS":
        np.savez(folder / "a.npz", X=X, y=typed)
        found["npz"] = _outcome(lambda: read_arrays(folder / "a.npz"))
    if isinstance(typed, pl.Series) and typed.dtype in (pl.String, pl.Boolean, pl.Int64, pl.Float64, pl.Null):
        pl.DataFrame({"x": X[:, 0], "y": typed}).write_parquet(folder / "a.parquet")
        found["parquet"] = _outcome(lambda: read_table(folder / "a.parquet", label_column="y"))
    return found


def _json_lines(y: list[Any], folder: Path) -> Named | None:
    try:
        lines = [json.dumps({"text": "t", "label": value}) for value in y]
    except (TypeError, ValueError):
        return None
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return _outcome(lambda: read_texts(folder / "a.jsonl"))


def _csv(y: list[Any], folder: Path) -> Named | None:
    """As pandas and Excel write them: what is missing is empty, what is no text is spelt."""
    if any(not isinstance(value, str | bool | int | float | None) or _is_huge(value) for value in y):
        return None
    cells = ["" if is_missing(value) else str(value) for value in y]
    if any(not cell.isprintable() or '"' in cell or cell in ("inf", "-inf") for cell in cells):
        return None
    quoted = "".join(f'{row},"{cell}"\n' for row, cell in enumerate(cells))
    (folder / "a.csv").write_text(f"x,y\n{quoted}", encoding="utf-8")
    return _outcome(lambda: read_table(folder / "a.csv", label_column="y"))


def _agree(found: dict[str, Named]) -> None:
    kinds = {json.dumps(named) for named in found.values()}
    assert len(kinds) == 1, f"doors differ: {found}"


def _summary(named: Named) -> str:
    return named if isinstance(named, str) else "read"


# Models

_QUICK: dict[str, Any] = {"steps": 1, "batch_size": 8, "precision": "fp32", "evaluations": 1}


@cache
def _model(kind: str) -> Any:
    rng = np.random.default_rng(0)
    shape = {"features": (12, 3), "images": (12, 4, 4), "floats": (12, 4, 4)}[kind]
    X = rng.random(shape).astype(np.float32) if kind != "images" else rng.integers(0, 256, shape, dtype=np.uint8)
    y = np.arange(12) % 3
    network = None if kind == "features" else "tiny"
    return ac.SourceOnly(**_QUICK, network=network).fit((X, y), X), X, y


def check_scores(rng: Random, _: Path) -> str:
    """Labels of any kind against a model of three classes: both forms of `score` and a count by hand agree."""
    model, X, _y = _model("features")
    y = labels(rng)
    y = (y * 12)[:12] if rng.random() < 0.8 else y
    adapter = _adapter()
    found = {}
    for name, score in {
        "score": lambda: model.score(X, y),
        "pair": lambda: model.score((X, y)),
        "adapter": lambda: (
            adapter.score(X[known], _some(y, known)) if (known := _known(y)).any() else model.score(X, y)
        ),
    }.items():
        try:
            found[name] = score()
        except AcclimateError as error:
            found[name] = _kind(error)
    assert len(set(map(repr, found.values()))) == 1, f"scores differ: {found}"
    if isinstance(found["score"], str):
        return found["score"]
    named = _named(read_labels(y, 12, "y"))
    right = [str(p) == name for p, name in zip(model.predict(X).tolist(), named, strict=True) if name]
    assert math.isclose(found["score"], sum(right) / len(right)), f"{found['score']} for {sum(right)} of {len(right)}"
    return "read"


def _known(y: list[Any]) -> np.ndarray:
    """Which labels there are, of as many as the model has examples; all where that cannot be told."""
    try:
        return read_labels(y, 12, "y").known
    except AcclimateError:
        return np.ones(12, dtype=bool)


def _some(y: list[Any], known: np.ndarray) -> list[Any]:
    return [v for v, k in zip(y, known, strict=True) if k] if len(y) == len(known) else y


@cache
def _adapter() -> Any:
    model, X, y = _model("features")
    fitted = ac.SampleDomainAdapter(ac.SourceOnly(**_QUICK)).fit(np.vstack([X, X]), [*y.tolist(), *[-1] * 12])
    fitted.estimator_ = model
    return fitted


def check_fits(rng: Random, _: Path) -> str:
    """Labels of any kind on both sides: a pair of arrays and a stacked X are refused alike, or answer alike."""
    source, target = labels(rng) * 3, labels(rng)
    if rng.random() < 0.5:
        target = [None] * len(target)
    values = np.random.default_rng(rng.randrange(2**32))
    X, Z = (values.random((len(side), 2)).astype(np.float32) for side in (source, target))
    hidden = [None] * len(target)
    options = _QUICK if rng.random() < 0.9 else {**_QUICK, "bins": 2}
    found: dict[str, Any] = {}
    for name, fit in {
        "pair": lambda: ac.SourceOnly(**options).fit((X, source), Z),
        "hidden": lambda: ac.SourceOnly(**options).fit((X, source), (Z, hidden)),
        "stacked": lambda: ac.SampleDomainAdapter(ac.SourceOnly(**options)).fit(
            np.vstack([X, Z]), [*source, *hidden], [1] * len(X) + [-1] * len(Z)
        ),
        "with answers": lambda: ac.SourceOnly(**options).fit((X, source), (Z, target)),
    }.items():
        try:
            model = fit()
            answers = model.predict(Z)
            assert answers.shape == (len(Z),), answers.shape
            assert set(answers.tolist()) <= set(model.classes_.tolist())
            found[name] = json.dumps(answers.tolist(), default=str)
        except AcclimateError as error:
            found[name] = _kind(error)
    found.pop("with answers")  # these may teach it something else
    assert len(set(found.values())) == 1, f"fits differ: {found}"
    return found["pair"] if found["pair"].endswith("Error") else "fitted"


# Inputs

_DTYPES = ("u1", "i4", "i8", "f2", "f4", "f8", "?", "c8", "M8[s]", "m8[s]", "U3", "S3", "O", "V4", "i4,f4")


_NO_ARRAYS: tuple[Any, ...] = (
    None, 3, "text", b"bytes", {}, set(), {"a": [1, 2]}, [], [[]], [[1], [1, 2]], iter([1]), ["a"], [None],
    [{"a": 1}, {"b": 2}], memoryview(b"abcd"), object(), range(4), ("a", "b"),
)  # fmt: skip


def array(rng: Random) -> Any:
    """An array of any rank, type and range, or something that is none."""
    if rng.random() < 0.1:
        return rng.choice(_NO_ARRAYS)
    rank = rng.choice((0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5))
    shape = tuple(rng.choice((0, 1, 1, 3, 4, 4, 12, 12)) for _ in range(rank))
    if rng.random() < 0.5:
        shape = rng.choice(((12, 3), (12, 4, 4), (12, 4, 4, 1), (12, 1, 4, 4), (2, 3)))
    values = np.random.default_rng(rng.randrange(2**32)).random(shape) * rng.choice(
        (1, 1, 1.004, 1.05, 3, 255, 256, 1e30)
    )
    values = values - rng.choice((0, 0, 0, 0.01, 0.5, 100))
    if values.size and rng.random() < 0.1:
        values.flat[rng.randrange(values.size)] = rng.choice((math.nan, math.inf, -math.inf, -1e-9, 1.004))
    try:
        made = values.astype(rng.choice(_DTYPES))
    except (TypeError, ValueError):
        made = values
    form = rng.choice((None, None, None, None, np.ndarray.tolist, sparse.csr_matrix, torch.tensor, np.ma.masked_array,
                       np.asfortranarray, lambda a: a[::-1], lambda a: list(a)))  # fmt: skip
    try:
        return made if form is None else form(made)
    except Exception:  # it cannot have that form
        return made


def check_inputs(rng: Random, _: Path) -> str:
    """An array of any kind to `predict` of a model of such inputs, as a pair, and as a domain of its own."""
    X = array(rng)
    model, fitted, _y = _model(rng.choice(("features", "images", "floats")))
    outcomes = []
    for call in (
        lambda: model.predict(X),
        lambda: model.predict_proba(X).argmax(axis=1),
        lambda: model.predict((X, None)),
        lambda: model.score(X, np.arange(X.shape[0] if getattr(X, "shape", ()) else 2) % 3),
        lambda: ac.SourceOnly(**_QUICK, network=model.network).fit((fitted, np.arange(12) % 3), X),
    ):
        try:
            found = call()
            outcomes.append("answered")
            if isinstance(found, np.ndarray):
                assert found.ndim == 1, found.shape
        except AcclimateError as error:
            outcomes.append(_kind(error))
    assert outcomes[0] == outcomes[1], outcomes
    return outcomes[0]


def check_whites(rng: Random, _: Path) -> str:
    """Float images are read alike whatever stands beside them: one by one, in a batch, or as bytes."""
    model, images, _y = _model("floats")
    rows = [rng.randrange(12) for _ in range(rng.randint(1, 5))]
    batch = images[rows] * rng.choice((1, 0.003, 0.5))
    if rng.random() < 0.3:
        batch[0, 0, 0] = rng.choice((1.004, -0.004, 1.09))
    whole = model.predict_proba(batch)
    for row in range(len(batch)):
        assert np.allclose(model.predict_proba(batch[row : row + 1]), whole[row], atol=1e-5)
    as_bytes = np.rint(batch.clip(0, 1) * 255).astype(np.uint8)
    assert np.allclose(model.predict_proba(as_bytes), whole, atol=1e-5)
    return "answered"


@dataclass(frozen=True)
class Kind:
    """Inputs of one kind.

    Attributes:
        check: makes one by a generator, in an empty folder, and hands it round; says what came of it.
        count: how many at scale 1.
    """

    check: Callable[[Random, Path], str]
    count: int


KINDS = {
    "labels": Kind(check_labels, 8_500),
    "scores": Kind(check_scores, 300),
    "fits": Kind(check_fits, 200),
    "inputs": Kind(check_inputs, 800),
    "whites": Kind(check_whites, 250),
}


def feed(kind: str, seed: int, index: int, folder: Path) -> str:
    """Make one input, hand it to its doors, and say what came of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KINDS[kind].check(Random(f"{seed}/{kind}/{index}"), folder)


def run_kind(kind: str, seed: int, count: int) -> dict[str, Any]:
    """So many inputs of a kind."""
    outcomes, failures, began = Counter[str](), [], time.monotonic()
    with tempfile.TemporaryDirectory(dir=TMP) as folder:
        for index in range(count):
            try:
                outcomes[feed(kind, seed, index, Path(folder))] += 1
            except Exception as error:
                failures.append((index, f"{type(error).__name__}: {error!s:.400}"))
    seconds = round(time.monotonic() - began, 1)
    return {"inputs": count, "outcomes": dict(sorted(outcomes.items())), "failures": failures, "seconds": seconds}


def replay(kind: str, seed: int, index: int) -> None:
    """Show what comes of one input."""
    with tempfile.TemporaryDirectory(dir=TMP) as folder:
        try:
            print(feed(kind, seed, index, Path(folder)))
        except Exception:
            traceback.print_exc()


def main() -> int:
    return fuzz(__doc__ or "", "doors", {name: kind.count for name, kind in KINDS.items()}, run_kind, replay)


if __name__ == "__main__":
    sys.exit(main())
