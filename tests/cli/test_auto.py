"""`adapt --method auto`: candidates trained, one chosen without target labels, and a folder that is any run's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs
from acclimate.running import adaptation, auto, cost
from acclimate.running.requests import plan_request
from acclimate.runs.chosen import Chosen, read_chosen
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.plan import Plan
from commands import Command

QUICK = (
    *("--steps", "30", "--batch-size", "32", "--lr", "0.01", "--precision", "fp32", "--set", "evaluations=1"),
    *("--set", "optimizer=adam"),
)
TWO = ("--method", "auto", "--candidates", "2", *QUICK)


def sides(tables: dict[str, Path], target: str = "target") -> tuple[str | Path, ...]:
    return "--source", tables["source"], "--target", tables[target], "--label-column", "kind"


def chosen(folder: Path) -> Chosen:
    found = read_chosen(Run(folder))
    assert found is not None
    return found


def evidence(folder: Path) -> dict[str, bytes]:
    """What every candidate showed, to the bit."""
    found = {}
    for path in sorted(folder.glob("candidates/*/evidence.npz")):
        with np.load(path) as arrays:
            found |= {f"{path.parent.name}/{name}": arrays[name].tobytes() for name in arrays.files}
    return found


def test_a_folder_of_candidates_is_a_run_to_every_command(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    said = acclimate("adapt", *sides(tables), *TWO, "--out", "best")
    assert said.code == 0, said.err
    found = chosen(Path("best"))
    assert [one.name for one in found.candidates] == ["source-only", "mcd"]
    assert [len(one.runs) for one in found.candidates] == [2, 2]
    assert found.run in found.chosen.runs
    assert len(found.doubtful) == 10
    assert " is used; " in said.out.splitlines()[0]
    assert found.reasons[0] in said.out
    for one in found.candidates:  # each is a run of its own
        for place in one.runs:
            assert Run(Path("best") / place).summary is not None
            assert (Path("best") / place / "evidence.npz").is_file()
    assert Run("best").predictions_path.read_bytes() == Run(Path("best") / found.run).predictions_path.read_bytes()
    assert "--method auto" in Run("best").config["command"]
    Run("best").check()

    page = Path("best/report.html").read_text()
    assert page.index("Can you trust it?") < page.index('id="verdict"')
    assert "acclimate audit best" in page
    assert acclimate("predict", "best", tables["target"], "--out", "a.csv").code == 0
    assert len(pl.read_csv("a.csv")) == 120
    scored = json.loads(acclimate("evaluate", "best", "--data", tables["test"], "--json").out)
    assert scored["n"] > 0
    assert acclimate("audit", "best", *(Path("best") / one.runs[0] for one in found.candidates[1:])).code == 0
    assert json.loads(acclimate("report", "best", "--json").out)["choice"]["name"] == found.name
    assert ac.load("best").predict({"x": np.arange(3.0), "y": np.arange(3.0)}).shape == (3,)
    again = acclimate("resume", "best")
    assert again.code == 2
    assert "must be unfinished" in again.err
    taken = acclimate("adapt", *sides(tables), *TWO, "--out", "best")
    assert taken.code == 2
    assert "out must be a new or empty folder" in taken.err


def test_hidden_labels_of_the_target_change_no_bit_of_evidence_and_choice(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    labelled = pl.read_csv(tables["test"])
    labelled.write_csv("right.csv")
    labelled.with_columns(labelled["kind"].shuffle(seed=1)).write_csv("shuffled.csv")
    outcomes = []
    for name in ("right", "shuffled"):
        with_labels = {**tables, "target": Path(f"{name}.csv")}
        assert acclimate("adapt", *sides(with_labels), *TWO, "--out", name).code == 0
        told = chosen(Path(name)).model_dump()
        outcomes.append((evidence(Path(name)), told))
    assert outcomes[0] == outcomes[1]
    assert Run("right").summary["scores"] != Run("shuffled").summary["scores"]  # the labels are there, for scores


def test_it_goes_on_after_a_stop_and_ends_as_if_nobody_had(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (*sides(tables), *TWO)
    assert acclimate("adapt", *asked, "--out", "whole").code == 0
    train, calls = adaptation.adapt, []

    def stopped(*arguments: object, **options: object) -> Run:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(adaptation, "adapt", stopped)
        said = acclimate("adapt", *asked, "--out", "stopped")
    assert said.code == 130
    assert "acclimate resume stopped" in said.err
    unfinished = acclimate("report", "stopped")
    assert unfinished.code == 2
    assert "run must be finished" in unfinished.err
    assert "acclimate resume stopped" in acclimate("adapt", *asked, "--out", "stopped").err
    first = Path("stopped/candidates/source-only-seed0/summary.json").stat().st_mtime_ns

    with monkeypatch.context() as patched:  # and once more, when all is trained
        patched.setattr(auto, "carry", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert acclimate("resume", "stopped").code == 130
    said = acclimate("resume", "stopped")
    assert said.code == 0, said.err
    assert Path("stopped/candidates/source-only-seed0/summary.json").stat().st_mtime_ns == first
    assert evidence(Path("stopped")) == evidence(Path("whole"))
    assert chosen(Path("stopped")) == chosen(Path("whole"))
    assert Run("stopped").predictions_path.read_bytes() == Run("whole").predictions_path.read_bytes()


def test_a_candidate_that_diverges_costs_nothing_but_itself(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    Path("recipe.toml").write_text("[methods.mcc]\n[methods.wild]\nmethod = 'dann'\nlr = 1e30\n")
    words = [word for word in QUICK if word not in ("--lr", "0.01")]
    said = acclimate("adapt", *sides(tables), "--method", "auto", "--config", "recipe.toml", *words, "--out", "best")
    assert said.code == 0, said.err
    found = chosen(Path("best"))
    assert [one.name for one in found.candidates] == ["source-only", "mcc"]
    assert sorted(found.failed) == ["wild, seed 0", "wild, seed 1"]
    assert "wild, seed 0" in Path("best/report.html").read_text()
    assert "wild, seed 0 failed: " in said.out


def test_where_the_baseline_fails_there_is_nothing_to_choose_from(
    acclimate: Command, tables: dict[str, Path]
) -> None:
    said = acclimate("adapt", *sides(tables), *TWO, "--lr", "1e30", "--out", "best")
    assert said.code == 1
    assert "Traceback" not in said.err


def test_photos_are_doubted_as_pictures(acclimate: Command, pictures: dict[str, Path], tmp_path: Path) -> None:
    said = acclimate("adapt", "--source", pictures["source"], "--target", pictures["target"], *TWO, "--out", "best")
    assert said.code == 0, said.err
    page = Path("best/report.html").read_text()
    first = page.index("Look at these first")
    assert page[first : page.index("</section>", first)].count("data:image/") == 10
    (Path("best") / "doubtful.npz").write_bytes(b"no archive")
    damaged = acclimate("report", "best")
    assert damaged.code == 1
    assert "doubtful.npz" in damaged.err


def test_a_budget_is_kept_and_what_had_no_place_in_it_is_told(
    acclimate: Command, tables: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "plan_and_cost", invented_costs)
    small = acclimate("adapt", *sides(tables), "--method", "auto", *QUICK, "--budget", "30s", "--out", "none")
    assert small.code == 2
    assert "budget must be enough for source-only and linear-monge, 2 seeds each: about 40 s" in small.err
    assert not Path("none").exists()
    said = acclimate(
        "adapt", *sides(tables), "--method", "auto", "--candidates", "3", *QUICK, "--budget", "45s", "--out", "best"
    )
    assert said.code == 0, said.err
    found = chosen(Path("best"))
    assert [one.name for one in found.candidates] == ["source-only", "linear-monge"]
    assert found.left_out["mcd"] == "had no place in the budget"
    assert "Not tried (had no place in the budget): mcd" in said.out


def invented_costs(request: Request, task: ac.Task) -> tuple[Plan, cost.Cost]:
    """A plan, and a cost of ten seconds; of MCD a hundred."""
    plan = plan_request(request, task)
    return plan, cost.Cost({}, 1, 0, 100.0 if request.method == "mcd" else 10.0, demand=None)  # type: ignore[arg-type]


def test_a_dry_run_tells_costs_and_writes_nothing(acclimate: Command, tables: dict[str, Path]) -> None:
    said = acclimate("adapt", *sides(tables), *TWO, "--dry-run", "--json")
    assert set(json.loads(said.out)["methods"]) == {"source-only", "mcd"}
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--budget", "soon"), "budget must be a time such as 90s, 20m or 1h30m; got 'soon'"),
        (("--budget", "0m"), "budget must be a time such as"),
        (("--budget", "20 lightyears"), "budget must be a time such as"),
        (("--candidates", "1"), "candidates must be at least 2"),
        (("--candidates", "0"), "candidates must be a whole number from 1"),
        (("--jobs", "0"), "jobs must be a whole number from 1"),
        (("--seed", "3"), "seed must not be given with --method auto"),
        (("--no-baseline",), "baseline must not be given with --method auto"),
        (("--model", "x"), "model must not be given with --method auto"),
        (("--backend", "slurm"), "backend must be a known name"),
        (("--cluster", "tcp://x"), "cluster must come with a backend"),
        (("--set", "method=auto", "--epochs", "many"), "epochs"),
    ],
)
def test_mistakes_get_a_sentence_and_leave_nothing(
    acclimate: Command, tables: dict[str, Path], words: tuple[str, ...], told: str
) -> None:
    said = acclimate("adapt", *sides(tables), "--method", "auto", *words, "--out", "best")
    assert said.code == 2
    assert told in said.err
    assert not Path("best").exists()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[methods.source-only]\n", "methods must hold one that adapts; got source-only"),
        ("[methods.cgt]\n", "target must have some labelled examples for the method"),
        ("[methods.train-on-target]\n", "label_budget needs a target with labels"),
        ("[methods.mcdd]\n", "method must be a known name; got 'mcdd'"),
        ("[methods.mcc]\nlr = -1\n", "lr must be"),
    ],
)
def test_a_recipe_names_what_can_be_chosen_between(
    acclimate: Command, tables: dict[str, Path], table: str, told: str
) -> None:
    Path("recipe.toml").write_text(table)
    said = acclimate("adapt", *sides(tables), "--method", "auto", "--config", "recipe.toml", "--out", "best")
    assert said.code == 2
    assert told in said.err
    assert not Path("best").exists()


@pytest.mark.parametrize(
    "option", [("--budget", "20m"), ("--candidates", "3"), ("--jobs", "2"), ("--backend", "ray")]
)
def test_options_of_a_choice_belong_to_it(
    acclimate: Command, tables: dict[str, Path], option: tuple[str, str]
) -> None:
    said = acclimate("adapt", *sides(tables), "--method", "mcd", *option)
    assert said.code == 2
    assert "must come with --method auto" in said.err


@pytest.mark.parametrize(
    ("source", "target", "words", "told"),
    [
        ((30, 2), 29, (), "target must hold 30 examples at least to choose by; got 29"),
        ((30, 1), 40, (), "class"),
        ((9, 2), 40, (), "source must hold ten examples of each class"),
        ((30, 2), 40, ("--label-budget", "2"), "label_budget must be 0"),
    ],
)
def test_what_cannot_be_chosen_by_is_refused(
    acclimate: Command, source: tuple[int, int], target: int, words: tuple[str, ...], told: str
) -> None:
    each, classes = source
    rng = np.random.default_rng(0)
    for name, n in (("source", each * classes), ("target", target)):
        kinds = [f"k{i % classes}" for i in range(n)]
        pl.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), "kind": kinds}).write_csv(f"{name}.csv")
    said = acclimate(
        *("adapt", "--source", "source.csv", "--target", "target.csv", "--label-column", "kind"),
        *(*TWO, *words, "--out", "best"),
    )
    assert said.code == 2
    assert told in said.err
    assert not Path("best").exists()


def test_choose_between_runs_that_exist(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    for method in ("mcc", "source-only"):
        for seed in ("0", "1"):
            words = (*sides(tables), "-m", method, *QUICK, "--seed", seed, "--no-baseline")
            assert acclimate("adapt", *words, "--out", f"{method}{seed}").code == 0
    runs = ("mcc0", "mcc1", "source-only0", "source-only1")
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()}
    said = acclimate("choose", *runs)
    assert said.code == 0, said.err
    found = Chosen(**json.loads(acclimate("choose", *reversed(runs), "--json").out))
    assert found.run in runs
    assert [one.name for one in found.candidates] == ["source-only", "mcc"]
    assert f"acclimate predict {found.run}" in said.out
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()} == before

    alone = acclimate("choose", "mcc0", "mcc1")
    assert alone.code == 2
    assert "runs must have one among them that does not adapt" in alone.err
    twice = acclimate("choose", "mcc0", "mcc0", "source-only0")
    assert "runs must differ in method, options or seed" in twice.err
    assert "one seed only of" in acclimate("choose", "mcc0", "source-only0").out
    other = shifted_blobs(60, shift=3.0, seed=5)
    pl.DataFrame({"x": other.target.inputs[:, 0], "y": other.target.inputs[:, 1]}).write_csv("other.csv")
    shutil.copy("other.csv", "target.csv")
    words = ("--source", tables["source"], "--target", "other.csv", "--label-column", "kind", "-m", "mcc", *QUICK)
    assert acclimate("adapt", *words, "--no-baseline", "--out", "elsewhere").code == 0
    different = acclimate("choose", "source-only0", "elsewhere")
    assert different.code == 2
    assert "runs must not be of different tasks" in different.err


def test_a_baseline_beside_a_run_is_the_baseline(acclimate: Command, tables: dict[str, Path]) -> None:
    assert acclimate("adapt", *sides(tables), "-m", "mcc", *QUICK, "--out", "mine").code == 0
    found = json.loads(acclimate("choose", "mine", "--json").out)
    assert [one["name"] for one in found["candidates"]] == ["source-only", "mcc"]
    assert found["candidates"][0]["runs"] == ["mine/baseline"]
