"""Regression as a user types it, on a small table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Command


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two years of flats: the second is larger, prices follow the same rule."""
    folder, rng = tmp_path_factory.mktemp("sales"), np.random.default_rng(0)
    paths = {}
    for year, more in (("2023", 0), ("2024", 15)):
        area, baseline = rng.uniform(30 + more, 120 + more, 240).round(1), rng.integers(0, 9, 240)
        price = (900 + 31.5 * area + 20 * baseline + rng.normal(0, 30, 240)).round(2)
        paths[year] = folder / f"{year}.csv"
        pl.DataFrame({"area": area, "baseline": baseline, "price": price}).write_csv(paths[year])
    paths["unpriced"] = folder / "unpriced.csv"
    pl.read_csv(paths["2024"]).drop("price").write_csv(paths["unpriced"])
    return paths


QUICK = ("--steps", "60", "--batch-size", "32")


def test_a_price_is_found_learnt_told_predicted_and_scored(acclimate: Command, sales: dict[str, Path]) -> None:
    sides = ("--source", sales["2023"], "--target", sales["2024"], "--label-column", "price")
    said = acclimate("adapt", *sides, *QUICK, "--out", "run")
    assert said.code == 0, said.err
    assert said.err.startswith("“price” holds numbers with fractions, so the number itself is predicted")
    assert "mean absolute error" in said.out.splitlines()[0]
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "answer against truth" in page
    assert "class" not in page[page.index("<main>") : page.index("How it was done")].replace("class=", "")
    table = pl.read_parquet("run/predictions.parquet")
    assert set(table["split"]) == {"target", "source_test"}

    assert acclimate("predict", "run", sales["unpriced"], "--out", "answers.csv").code == 0
    answers = pl.read_csv("answers.csv")
    assert answers.columns == ["row", "id", "predicted", "low", "high"]
    assert 1_000 < answers["predicted"].mean() < 6_000
    assert (answers["low"] < answers["predicted"]).all()

    said = acclimate("evaluate", "run", "--data", sales["2024"], "--json")
    told = json.loads(said.out)
    seen, prices = answers["predicted"].to_numpy(), pl.read_csv(sales["2024"])["price"].to_numpy()
    assert told["mae"] == pytest.approx(np.abs(seen - prices).mean(), rel=1e-4)
    assert told["r2"] == pytest.approx(1 - np.square(seen - prices).sum() / np.square(prices - prices.mean()).sum())
    assert 0 <= told["coverage"] <= 1

    for words, what in (
        (("serve", "run"), "must be of a method that tells classes apart to be served"),
        (("export", "run", "out"), "must be safetensors for a method that predicts numbers"),
        (("choose", "run", "run"), "which predicts numbers"),
        (("predict", "run", sales["unpriced"], "--adapt", "tent", "--out", "b.csv"), "must be left out for a run"),
        (("adapt", "--model", "run", "--target", sales["2024"]), "must be of a method that tells classes apart"),
    ):
        said = acclimate(*words)
        assert said.code != 0
        assert what in said.err


def test_without_labels_it_says_what_cannot_be_told(acclimate: Command, sales: dict[str, Path]) -> None:
    sides = ("--source", sales["2023"], "--target", sales["unpriced"], "--label-column", "price")
    said = acclimate(
        "adapt", *sides, "--problem", "regression", "-m", "source-only", *QUICK, "--out", "run", "--json"
    )
    told = json.loads(said.out)
    assert told["method"] == "regression-source-only"
    assert told["verdict"].startswith("Whether adaptation helped cannot be told")
    assert set(told["scores"]) == {"source_test_mae", "source_test_rmse", "source_test_r2"}
    assert told["estimate"] is None


def written(path: Path, values: list[object]) -> Path:
    pl.DataFrame({"x": np.arange(len(values), dtype=float), "y": [str(v) for v in values]}).write_csv(path)
    return path


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([2.5] * 30, "must differ to be learnt"),
        ([f"w{i}" for i in range(30)], "must be finite numbers"),
        ([*np.arange(29) / 2, "inf"], "must be finite numbers"),
        ([1.5, 2.5, 3.5, *[""] * 27], "must be known for at least 10 examples"),
    ],
)
def test_labels_that_no_number_can_be_learnt_of(
    acclimate: Command, tmp_path: Path, values: list[object], rule: str
) -> None:
    side = written(tmp_path / "a.csv", values)
    asked = ("--source", side, "--target", side, "--label-column", "y", "--problem", "regression", "--out", "run")
    said = acclimate("adapt", *asked)
    assert said.code != 0
    assert rule in said.err
    assert not Path("run").exists()


def test_whole_numbers_are_never_taken_for_numbers_to_predict(acclimate: Command, tmp_path: Path) -> None:
    """Codes of classes look like that; who means numbers says so."""
    side = written(tmp_path / "a.csv", [*range(0, 300, 7)])
    said = acclimate("adapt", "--source", side, "--target", side, "--label-column", "y", "--out", "run")
    assert said.code != 0
    assert "The number itself: --problem regression" in said.err


def test_a_problem_and_a_method_that_do_not_fit(acclimate: Command, sales: dict[str, Path]) -> None:
    sides = ("--source", sales["2023"], "--target", sales["2024"], "--label-column", "price")
    for words, what in (
        (("--problem", "regresion"), "regression"),
        (("--problem", "regression", "-m", "mcd"), "mcd"),
        (("--problem", "regression", "-m", "auto"), "must be named for any problem but adaptation"),
        (("--problem", "partial"), "must be named for the problem 'partial'"),
        (("--problem", "regression", "--bins", "3"), "must be left out where the number itself is asked for"),
        (("-m", "dann"), "must be classes"),
    ):
        said = acclimate("adapt", *sides, *words)
        assert said.code != 0, words
        assert what in said.err, words
