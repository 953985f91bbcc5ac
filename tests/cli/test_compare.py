"""`acclimate compare` on files of one's own, as a user types it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.errors import DataError
from acclimate.running import adaptation
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from commands import Command
from forked import begin

QUICK = ("--steps", "4", "--batch-size", "16", "--precision", "fp32", "--set", "evaluations=2")
KIND = ("--label-column", "kind")


def sides(tables: dict[str, Path], target: str = "target") -> tuple[str | Path, ...]:
    return ("--source", tables["source"], "--target", tables[target], *KIND)


def test_every_method_that_fits_is_compared_with_one_source_only(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    said = acclimate("compare", *sides(tables), *QUICK, "--out", "all")
    assert said.code == 0, said.err
    first, *rest = said.out.splitlines()
    assert first == "Nothing here measures which method is best: no target label is known."
    told = "\n".join(rest)
    for method in ("source-only", "adabn", "dann", "mcc", "mcd", "coral", "dan", "sa", "msda"):
        assert re.search(rf"^{method} ", told, re.MULTILINE), method
    assert "target accuracy" not in told
    for heading in ("answers unlike source-only", "same as the others", "source accuracy", "noticed"):
        assert heading in told
    assert "Not compared (takes texts): amn, ngram-memory, tfidf" in said.err
    assert re.search(r"Not compared \(learns from target labels .*\): .*cgt, .*svmt", said.err)
    trained = [run for run in (tmp_path / "all").rglob("config.json") if "source-only" in str(run)]
    assert len(trained) == 1
    one = Run(tmp_path / "all" / "source-only-seed0")
    for method in ("mcc", "dann", "adabn"):
        run = Run(tmp_path / "all" / f"{method}-seed0")
        assert run.baseline.config == one.config
        assert run.baseline.predictions_path.read_bytes() == one.predictions_path.read_bytes()
        run.baseline.check()
    audit = re.search(r"^Which to take, from forty labels: acclimate (audit all/source-only-seed0 .*)$", told, re.M)
    assert acclimate(*audit[1].split(), "--out", "to_label.csv").code == 0
    page = (tmp_path / "all" / "comparison.html").read_text()
    assert "Nothing here measures which method is best" in page
    assert "Who answers alike" in page
    assert "Target accuracy" not in page


def test_a_cell_has_what_a_run_of_its_own_has(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    assert acclimate("compare", *sides(tables, "test"), *QUICK, "--methods", "mcc", "--out", "both").code == 0
    assert acclimate("adapt", *sides(tables, "test"), *QUICK, "-m", "mcc", "--out", "one").code == 0
    assert acclimate("report", "both/mcc-seed0").code == 0

    def contents(folder: Path) -> set[str]:
        names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
        return {name for name in names if not Path(name).name.startswith(".")}

    cell, run = tmp_path / "both" / "mcc-seed0", tmp_path / "one"
    assert contents(cell) == contents(run)
    assert pl.read_parquet(cell / "predictions.parquet").equals(pl.read_parquet(run / "predictions.parquet"))
    said = acclimate("predict", "both/mcc-seed0", tables["target"], "--out", "answers.csv")
    assert said.code == 0, said.err
    assert acclimate("evaluate", "both/mcc-seed0", "--data", tables["test"], *KIND).code == 0


def test_with_target_labels_there_is_an_accuracy_and_what_choosing_by_it_costs(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    words = ("compare", *sides(tables), "--target-test", tables["test"], *QUICK, "--methods", "mcc,DeepCORAL")
    said = acclimate(*words, "--seeds", "2", "--out", "few")
    assert said.code == 0, said.err
    assert said.out.startswith(
        "Target accuracy is measured on 120 held-out target examples whose labels no training saw."
    )
    assert "has spent these labels on the choice" in said.out
    assert re.search(r"So many labels leave up to ±\d+\.\d points of an accuracy to chance", said.out)
    assert "same with other seeds" in said.out
    assert "mcc  seed 1: " in said.err
    found = json.loads(acclimate(*words, "--seeds", "2", "--out", "few", "--json").out)
    assert found["measured"]
    assert found["compared_with"] == "source-only"
    assert [row["method"] for row in found["methods"]] == ["source-only", "mcc", "coral"]
    for row in found["methods"]:
        runs = [Run(path) for path in row["runs"]]
        assert row["target_accuracy"] == [run.summary["scores"]["target_test_accuracy"] for run in runs]
        assert row["mean"] == pytest.approx(np.mean(row["target_accuracy"]))
    baseline, mcc, _ = found["methods"]
    assert mcc["gain"] == pytest.approx(mcc["mean"] - baseline["mean"])
    answers = {
        (name, seed): pl.read_parquet(tmp_path / "few" / f"{name}-seed{seed}" / "predictions.parquet")
        .filter(split="target_test")["predicted"]
        .to_numpy()
        for name in ("source-only", "mcc")
        for seed in (0, 1)
    }
    changed = [(answers["mcc", seed] != answers["source-only", seed]).mean() for seed in (0, 1)]
    assert mcc["answers_changed"] == pytest.approx(np.mean(changed))
    assert found["same_answers"]["mcc"]["source-only"] == pytest.approx(1 - np.mean(changed))
    assert mcc["same_with_other_seeds"] == pytest.approx((answers["mcc", 0] == answers["mcc", 1]).mean())
    page = (tmp_path / "few" / "comparison.html").read_text()
    assert "has spent these labels" in page
    assert "<svg" in page


def test_hidden_labels_of_the_target_change_nothing_but_scores(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    shuffled = pl.read_csv(tables["test"]).with_columns(pl.col("kind").reverse())
    shuffled.write_csv(tmp_path / "shuffled.csv")
    for name, target in (("a", tables["test"]), ("b", tmp_path / "shuffled.csv")):
        words = ("--source", tables["source"], "--target", target, *KIND, *QUICK, "--methods", "mcc", "--out", name)
        assert acclimate("compare", *words).code == 0
    for method in ("source-only", "mcc"):
        one, two = (pl.read_parquet(f"{name}/{method}-seed0/predictions.parquet") for name in "ab")
        assert one["predicted"].equals(two["predicted"])
        assert not one["label"].equals(two["label"])


def test_it_goes_on_after_a_kill(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    words = ["compare", *map(str, sides(tables)), "--methods", "mcc,adabn", "--batch-size", "16", "--steps", "120"]
    words += ["--set", "checkpoint_seconds=0", "--precision", "fp32", "--out", "killed"]
    process = begin(tmp_path, *words, log=tmp_path / "said")
    deadline = time.monotonic() + 300
    while not list((tmp_path / "killed" / "mcc-seed0" / "checkpoints").glob("*.safetensors")):
        assert process.exitcode is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    before = (tmp_path / "killed" / "source-only-seed0" / "summary.json").read_text()
    assert not (tmp_path / "killed" / "mcc-seed0" / "summary.json").exists()
    said = acclimate(*words)
    assert said.code == 0, said.err
    assert (tmp_path / "killed" / "source-only-seed0" / "summary.json").read_text() == before
    assert (tmp_path / "killed" / "mcc-seed0" / "baseline" / "summary.json").read_text() == before
    again = acclimate(*words)
    assert again.out == said.out


def test_files_that_changed_are_refused(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    source, target = (pl.read_csv(tables[side]) for side in ("source", "test"))
    source.write_csv(tmp_path / "s.csv")
    target.write_csv(tmp_path / "t.csv")
    words = ("compare", "--source", "s.csv", "--target", "t.csv", *KIND, *QUICK, "--out", "cells")
    assert acclimate(*words, "--methods", "mcc").code == 0
    target.with_columns(pl.col("x") + 1).write_csv(tmp_path / "t.csv")
    said = acclimate(*words, "--methods", "mcc,coral")
    assert said.code == 2
    assert "target must be the same as when the comparison began; got other content. Restore the data" in said.err
    target.with_columns(pl.col("kind").reverse()).write_csv(tmp_path / "t.csv")
    said = acclimate(*words, "--methods", "mcc,coral")
    assert said.code == 2
    assert "labels of target must be the same as when the comparison began" in said.err
    assert not (tmp_path / "cells" / "coral-seed0").exists()
    target.write_csv(tmp_path / "t.csv")
    assert acclimate(*words, "--methods", "mcc,coral").code == 0
    said = acclimate(*words, "--methods", "mcc", "--lr", "0.01")
    assert said.code == 2
    assert "must have been run with the same training" in said.err
    (tmp_path / "cells" / "comparison.json").write_text('{"data": 5}')
    said = acclimate(*words, "--methods", "mcc")
    assert said.code == 1
    assert "comparison.json is not as acclimate writes it" in said.err


def test_folders_of_images(acclimate: Command, pictures: dict[str, Path], tmp_path: Path) -> None:
    folders = ("--source", pictures["source"], "--target", pictures["test"])
    said = acclimate("compare", *folders, *QUICK, "--methods", "adabn,dann", "--jobs", "2", "--out", "cells")
    assert said.code == 0, said.err
    assert said.out.startswith("Target accuracy is measured on 60 target examples whose labels no training saw.")
    assert Run(tmp_path / "cells" / "dann-seed0").baseline.config["method"]["name"] == "source-only"


def test_texts_have_the_linear_model_beside_them(acclimate: Command, tmp_path: Path) -> None:
    write_texts(tmp_path)
    words = ("compare", "--source", "a.jsonl", "--target", "b.jsonl", "--out", "cells")
    said = acclimate(*words, "--methods", "ngram-memory,msda")
    assert said.code == 0, said.err
    assert "answers unlike tfidf" in said.out
    for method in ("ngram-memory", "msda"):
        assert Run(tmp_path / "cells" / f"{method}-seed0").baseline.config["method"]["name"] == "tfidf"


def test_the_plan_of_all_that_fits_texts(acclimate: Command, tmp_path: Path) -> None:
    write_texts(tmp_path)
    said = acclimate("compare", "--source", "a.jsonl", "--target", "b.jsonl", "--dry-run", "--json", *QUICK)
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert {"source-only", "tfidf", "ngram-memory", "amn", "dann"} <= found["methods"].keys()
    assert found["left_out"]["cgt"] == "takes numbers, each side its own"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]


def write_texts(folder: Path) -> None:
    from acclimate.data.ragged import to_texts
    from acclimate.data.synthetic import two_vocabularies

    task = two_vocabularies(40)
    for name, domain, labels in (("a", task.source, task.source.labels), ("b", task.target, None)):
        rows = [{"text": text} for text in to_texts(domain.rows)]
        for row, label in zip(rows, [] if labels is None else labels, strict=False):
            row["label"] = task.source.classes[label]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def test_a_label_budget_brings_the_methods_that_need_one(acclimate: Command, tables: dict[str, Path]) -> None:
    said = acclimate("compare", *sides(tables, "test"), *QUICK, "--label-budget", "3", "--dry-run", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)["methods"].keys()
    assert {"source-only", "mcc", "cgt", "svmt", "nnt", "train-on-target"} <= found


def test_sides_of_different_columns_are_compared_by_what_takes_them(acclimate: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    np.savez(tmp_path / "s.npz", X=rng.normal(size=(40, 5)).astype(np.float32) + y[:, None], y=y)
    few = np.where(np.arange(40) < 8, y, -1)
    np.savez(tmp_path / "t.npz", X=rng.normal(size=(40, 3)).astype(np.float32) + y[:, None], y=few)
    words = ("compare", "--source", "s.npz", "--target", "t.npz", "--out", "cells")
    said = acclimate(*words, "--methods", "svmt,cgt")
    assert said.code == 0, said.err
    assert said.out.startswith(
        "Nothing here measures which method is best: the 8 target labels known were given to training."
    )
    assert "answers unlike nnt" in said.out
    assert Run(tmp_path / "cells" / "cgt-seed0").baseline.config["method"]["name"] == "nnt"
    said = acclimate(*words, "--dry-run", "--json")
    assert said.code == 0, said.err
    assert "dann" not in json.loads(said.out)["methods"]
    assert json.loads(said.out)["left_out"]["dann"] == "takes the same columns on both sides"


def test_one_that_fails_does_not_stop_the_others(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "wild.toml").write_text("[methods.coral]\noptimizer = 'sgd'\nlr = 1e30\n[methods.mcc]\n")
    words = ("compare", "--config", "wild.toml", *sides(tables), *QUICK, "--steps", "20", "--out", "cells")
    said = acclimate(*words)
    assert said.code == 1
    assert "coral  seed 0: failed. Training diverged" in said.err
    assert re.search("^mcc ", said.out, re.MULTILINE)
    assert not re.search("^coral ", said.out, re.MULTILINE)
    assert "Training diverged" in (tmp_path / "cells" / "comparison.html").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--source", "a.csv"), "target must be given; got nothing."),
        (("--target", "a.csv"), "source must be given; got nothing."),
        (("--source", "a.csv", "--target", "a.csv", "--task", "demo"), "task must stand alone; got a task"),
        (
            ("--source", "a.csv", "--target", "a.csv", "--results", "r"),
            "results must be given with public",
        ),
        (("--task", "demo", "--methods", "mcc", "--dry-run"), "dry_run must be given with files of your own only"),
        (("--source", "no.csv", "--target", "no.csv"), "source must be a folder or file that exists"),
        (("--source", "a.csv", "--target", "a.csv", *KIND, "--methods", "amn"), "method must be one for features"),
        (("--source", "a.csv", "--target", "a.csv", *KIND, "--methods", "mcx"), "Did you mean 'mcd' or 'mcc'"),
        (("--source", "a.csv", "--target", "a.csv", *KIND, "--set", "epoch=3"), "Did you mean 'epochs'"),
        (("--source", "a.csv", "--target", "a.csv", *KIND, "--lr", "-1"), "lr must be greater than 0; got -1"),
        (("--source", "a.csv", "--target", "a.csv", *KIND, "--set", "seed=3"), "a comparison goes through the seeds"),
        (
            ("--source", "a.csv", "--target", "a.csv", *KIND, "--epochs", "3", "--steps", "4"),
            "not both be given",
        ),
        (
            ("--source", "a.csv", "--target", "a.csv", *KIND, "--methods", "mcc", "--out", "a.csv"),
            "be a folder that can be written",
        ),
    ],
)
def test_mistakes_get_a_sentence_and_leave_nothing(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "a.csv").write_bytes(tables["source"].read_bytes())
    said = acclimate("compare", *words)
    assert said.code == 2, said.err
    assert sentence in said.err.replace("\n", " ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_its_options_about_data_and_training_are_those_of_adapt(acclimate: Command) -> None:
    from typer.main import get_command

    from acclimate.cli.main import app

    commands = get_command(app).commands
    names = {name: {option for p in commands[name].params for option in p.opts} for name in ("adapt", "compare")}
    assert names["adapt"] - names["compare"] == {
        *("--model", "--method", "-m", "--seed", "--baseline", "--budget", "--candidates", "--preset")
    }


def test_a_method_that_sees_another_input_has_a_source_only_of_its_own(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "raw.toml").write_text('[methods.mcc]\nnormalisation = "none"\n[methods.adabn]\n')
    said = acclimate("compare", "--config", "raw.toml", *sides(tables), *QUICK, "--out", "cells")
    assert said.code == 0, said.err
    runs = [Run(tmp_path / "cells" / f"{name}-seed0") for name in ("mcc", "adabn")]
    for run in runs:
        assert run.baseline.config["preprocess"] == run.config["preprocess"]
    assert runs[0].config["preprocess"] != runs[1].config["preprocess"]


def test_data_that_change_meanwhile_are_refused_before_a_run_begins(tables: dict[str, Path], tmp_path: Path) -> None:
    training = {"steps": 2, "batch_size": 16, "precision": "fp32", "evaluations": 1}
    path = tmp_path / "t.csv"
    path.write_bytes(tables["target"].read_bytes())
    about = {"source": str(tables["source"]), "target": str(path), "label_column": "kind", "training": training}
    baseline = adaptation.adapt(Request(method="source-only", baseline=False, **about), tmp_path / "baseline")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DataError, match="target must hold the same data"):
        adaptation.adapt(Request(method="mcc", **about), tmp_path / "cell", baseline=baseline.folder)
    assert not (tmp_path / "cell").exists()
