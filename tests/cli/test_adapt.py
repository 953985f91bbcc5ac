from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import shifted_blobs, two_vocabularies
from acclimate.running.adaptation import load
from acclimate.runs.record import Run
from commands import Command

QUICK = ("--set", "steps=4", "--batch-size", "16", "--precision", "fp32", "--set", "evaluations=2")


def test_from_folders_to_predictions(acclimate: Command, pictures: dict[str, Path], tmp_path: Path) -> None:
    said = acclimate(
        "adapt", "--source", pictures["source"], "--target", pictures["target"], "--target-test", pictures["test"],
        "--method", "dann", "--out", "run", *QUICK,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "DANN on" in said.out
    assert "target, held out" in said.out
    assert "Report: run/report.html" in said.out
    assert "Source only: step 4/4" in said.err
    run = Run(tmp_path / "run")
    for path in (run.config_path, run.metrics_path, run.predictions_path, run.sample_path, run.report_path):
        assert path.stat().st_size > 0
    assert run.baseline.config["method"]["name"] == "source-only"
    assert sorted(p.suffix for p in run.checkpoints_path.iterdir()) == [".json", ".safetensors"]
    predictions = pl.read_parquet(run.predictions_path)
    assert predictions.filter(split="target")["label"].null_count() == 60
    held_out = predictions.filter(split="target_test")
    accuracy = (held_out["predicted"] == held_out["label"]).mean()
    assert accuracy == pytest.approx(run.summary["scores"]["target_test_accuracy"])

    said = acclimate("evaluate", "run", "--data", pictures["test"], "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["accuracy"] == pytest.approx(accuracy)

    said = acclimate("predict", "run", pictures["test"], "--out", "answers.csv")
    assert said.code == 0, said.err
    answers = pl.read_csv("answers.csv")
    assert answers.columns == ["row", "id", "predicted", "confidence"]
    assert answers["predicted"].to_list() == held_out["predicted"].to_list()
    assert answers["id"].to_list() == held_out["id"].to_list()

    said = acclimate("report", "run")
    assert said.code == 0
    assert "Report: run/report.html" in said.out


def test_from_tables(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"])
    said = acclimate("adapt", *sides, "--label-column", "kind", "-m", "coral", "--out", "run", "--json", *QUICK)
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["scores"] == {}
    assert found["method"] == "coral"
    assert not said.err
    said = acclimate("evaluate", "run", "--data", tables["test"], "--label-column", "kind")
    assert said.code == 0, said.err
    assert "on 120 examples" in said.out
    said = acclimate("predict", "run", tables["target"], "--out", "a.parquet")
    assert said.code == 0, said.err
    assert set(pl.read_parquet("a.parquet")["predicted"]) <= {"blob 0", "blob 1", "blob 2"}


def test_without_target_labels_it_says_that_nothing_is_proved(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    said = acclimate("adapt", *sides, "-m", "mcc", "--out", "run", *QUICK)
    first = said.out.splitlines()[0]
    assert re.fullmatch(
        r"Target accuracy is unknown, as no target label is known; \d+\.\d.% of answers differ from those of source "
        r"only, (no check noticed anything|the checks noticed .*)",
        first,
    )
    assert "nothing here proves that the model is good" in said.out
    assert json.loads(acclimate("report", "run", "--json").out)["verdict"] == first


def test_health_is_told_live_and_at_the_end(acclimate: Command, tmp_path: Path) -> None:
    """A target so far off that its examples fall into one class; and one that is the source over again."""
    task = shifted_blobs(200, shift=4.0)
    for name, domain in (("source", task.source), ("target", task.target)):
        np.savez(tmp_path / f"{name}.npz", X=domain.inputs, y=domain.labels)
    settings = ("-m", "source-only", "--set", "normalisation=standard", "--lr", "0.001", "--batch-size", "64")
    sides = ("--source", "source.npz", "--target", "target.npz", "--steps", "200", *settings)
    said = acclimate("adapt", *sides, "--out", "ill")
    assert said.code == 0, said.err
    assert re.search("Warning: Step 200: The batch-norm statistics in use are the source’s.* adabn", said.err)
    assert re.search("Warning: Step 200: The batch-norm statistics in use are the source’s", said.out)
    assert "that is no praise" not in said.out

    said = acclimate(
        "adapt", "--source", "source.npz", "--target", "source.npz", *sides[4:], "--out", "well", "--json"
    )
    assert said.code == 0, said.err
    health = json.loads(said.out)["health"]
    assert health["findings"] == []
    assert "class-collapse" in health["checks"]
    assert "No check noticed anything. None of them sees a label of the target" in acclimate("report", "well").out


def test_divergence_ends_with_code_1_and_one_sentence(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    said = acclimate("adapt", *sides, "-m", "coral", "--lr", "1e30", "--set", "optimizer=sgd", "--no-baseline")
    assert said.code == 1
    sentence = " ".join(said.err.split())  # the console breaks lines
    assert re.search(r"Error: Training diverged: \w+ went first, no finite number at step \d+ of", sentence)
    assert sentence.endswith("There is no good checkpoint yet.")
    assert "Traceback" not in sentence


def test_flags_override_the_file_and_set_overrides_both(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "recipe.toml"
    config.write_text(
        f'source = "{tables["source"]}"\ntarget = "{tables["target"]}"\nlabel_column = "kind"\n'
        'method = "mcd"\nn = 2\nsteps = 9\nlr = 0.5\n[training]\nseed = 3\n'
    )
    said = acclimate("adapt", "--config", config, "--lr", "0.1", "--set", "n=3", "--steps", "2", "--out", "run")
    assert said.code == 0, said.err
    settled = Run("run").config
    assert settled["method"]["options"] == {"n": 3}
    assert (settled["training"]["lr"], settled["training"]["seed"], settled["steps"]) == (0.1, 3, 2)


def test_a_dry_run_trains_and_writes_nothing(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    said = acclimate("adapt", *sides, "-m", "dann", "--dry-run", "--json")
    assert said.code == 0, said.err
    plan = json.loads(said.out)
    assert plan["parameters"].keys() == {"features", "classifier", "discriminator"}
    assert plan["steps"] > 0
    assert plan["gflop_per_step"] >= 0
    assert not list(tmp_path.iterdir())
    assert "Nothing was trained" in acclimate("adapt", *sides, "-m", "dann", "--dry-run").out


def test_runs_get_free_names_and_are_never_overwritten(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind", "--no-baseline")
    for _ in range(2):
        assert acclimate("adapt", *sides, "-m", "source-only", *QUICK).code == 0
    assert sorted(p.name for p in Path("runs").iterdir()) == [
        "source-target-source-only-seed0",
        "source-target-source-only-seed0-2",
    ]
    before = Run("runs/source-target-source-only-seed0").metrics_path.read_bytes()
    said = acclimate("adapt", *sides, "-m", "source-only", "--out", "runs/source-target-source-only-seed0", *QUICK)
    assert said.code == 2
    assert "out must be a new or empty folder" in said.err
    assert Run("runs/source-target-source-only-seed0").metrics_path.read_bytes() == before


def test_methods_and_tasks_are_listed_and_explained(acclimate: Command) -> None:
    assert {m["name"] for m in json.loads(acclimate("methods", "--json").out)} >= {"dann", "mcd", "source-only"}
    said = acclimate("tasks").out
    assert "mnist-usps" in said
    assert "Pairs of office:<x>_<a>-<y>_<b>: surf_amazon-decaf_dslr" in said
    assert "20 in all: acclimate tasks --json" in said
    explained = acclimate("methods", "mcd")
    assert "fit the source" in explained.out
    assert "How often step C is repeated" in explained.out
    assert "weight_decay" in explained.out


MISTAKES = [
    (("adapt", "--task", "mnist-usp"), "task must be a known name; got 'mnist-usp'. Did you mean 'mnist-usps'"),
    (("adapt", "--task", "demo", "-m", "mdc"), "method must be a known name; got 'mdc'. Did you mean 'mdd' or 'mcd'"),
    (("adapt",), "source must be given; got nothing. Give --source and --target, or a public --task."),
    (("adapt", "--source", "x"), "target must be given"),
    (("adapt", "--task", "demo", "--source", "x", "--target", "y"), "task must stand alone"),
    (("adapt", "--source", "nowhere", "--target", "nowhere"), "got 'nowhere'"),
    (
        ("adapt", "--task", "demo", "--set", "epoch=3"),
        "option must be a known name; got 'epoch'. Did you mean 'epochs'",
    ),
    (("adapt", "--task", "demo", "--set", "epochs"), "set must have the form name=value; got 'epochs'"),
    (("adapt", "--task", "demo", "--config", "no.toml"), "config must be a file that can be read; got no.toml"),
    (("adapt", "--task", "mnist-usps"), "acclimate data get usps"),
    (("resume", "nowhere"), "run must be the folder of a run"),
    (("evaluate", "nowhere", "--data", "x"), "run must be the folder of a run"),
    (("predict", "nowhere", "x", "--out", "a.txt"), "out must end in .parquet or .csv; got 'a.txt'"),
    (("report", "nowhere"), "run must be the folder of a run"),
    (("compare", "--task", "demo"), "methods must be given"),
    (("compare", "--methods", "mcd"), "task must be given"),
    (("methods", "mcdd"), "Did you mean 'mdd' or 'mcd'"),
    (("adapt", "--task", "demo", "--seed", "-1"), "seed must be at least 0"),
    (("adapt", "--task", "demo", "--set", "seed=abc"), "seed must be a whole number"),
    (("adapt", "--task", "demo", "--set", "label_column=3"), "label_column must be text"),
    (("adapt", "--task", "demo", "--set", "network=5"), "network must be text"),
    (("adapt", "--task", "demo", "--set", "baseline=maybe"), "baseline must be true or false"),
    (("adapt", "--task", "demo", "--set", "method=5"), "method must be text"),
    (("adapt", "--task", "demo", "--lr", "inf"), "lr must be a finite number"),
    (("adapt", "--task", "demo", "-m", "dan", "--set", "factors=[0]"), "factors.0 must be greater than 0"),
]


def test_what_training_saw_is_named(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["test"], "--label-column", "kind", "--no-baseline")
    hidden = acclimate("adapt", *sides, "-m", "mcc", "--out", "a", *QUICK)
    assert "target, seen unlabelled in training" in hidden.out
    assert "source only" not in hidden.out  # there is none to compare with
    given = acclimate("adapt", *sides, "-m", "mcc", "--label-budget", "2", "--out", "b", *QUICK)
    assert re.search(r"target, \d of its labels used in training", given.out)
    assert "unlabelled in training" not in given.out
    bound = acclimate("adapt", *sides, "-m", "train-on-target", "--out", "c", *QUICK, "--json")
    found = json.loads(bound.out)
    assert found["labelled_target"] > 0
    assert any("learns from target labels and from nothing else" in note for note in found["notes"])


def test_epochs_and_steps_exclude_each_other(acclimate: Command) -> None:
    said = acclimate("adapt", "--task", "demo", "--epochs", "3", "--steps", "4")
    assert said.code == 2
    assert "epochs and steps must not both be given; got 3 and 4" in said.err


def test_a_class_the_model_does_not_know_stands_in_the_table(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    acclimate("adapt", *sides, "-m", "source-only", "--out", "run", *QUICK)
    lines = tables["test"].read_text().splitlines()
    more = tmp_path / "more.csv"
    more.write_text("\n".join([*lines, lines[-1].rpartition(",")[0] + ",pyramid"]) + "\n")
    said = acclimate("evaluate", "run", "--data", more, "--label-column", "kind")
    assert "pyramid (unknown to the model)" in said.out
    found = json.loads(acclimate("evaluate", "run", "--data", more, "--label-column", "kind", "--json").out)
    assert found["classes"]["pyramid"] == {"n": 1, "recall": 0.0, "recall_before": None}
    assert sum(entry["n"] for entry in found["classes"].values()) == found["n"]


RECIPES = [
    ("training = 5", "adapt", "training must be a table of options"),
    ("source = 5", "adapt", "source must be text"),
    ('task = "demo"\nmethods = ["dann"]', "compare", "methods must be a table for each row"),
    ('task = "demo"\n[methods]\ndann = 3', "compare", "methods must be a table for each row"),
    ("task = 5\n[methods.dann]", "compare", "task must be a name or a list of names; got 5"),
    ('task = "demo"\nseeds = 0\n[methods.dann]', "compare", "seeds must be at least 1"),
    ("task =", "compare", "config must be TOML"),
]


@pytest.mark.parametrize(("text", "command", "sentence"), RECIPES)
def test_mistakes_in_a_recipe_get_a_sentence(
    acclimate: Command, tmp_path: Path, text: str, command: str, sentence: str
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text)
    said = acclimate(command, "--config", recipe)
    assert said.code == 2, said.err
    assert sentence in said.err.replace("\n", " ")
    assert list(tmp_path.iterdir()) == [recipe]


def test_brackets_in_names_are_shown_as_they_are(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    text = tables["source"].read_text()
    names = sorted({line.split(",")[-1] for line in text.splitlines()[1:]})
    source, target = tmp_path / "names[" / "].csv", tmp_path / "t.csv"
    source.parent.mkdir()
    source.write_text(text.replace(names[0], "[bold]b"))
    target.write_text(tables["target"].read_text())
    sides = ("--source", source, "--target", target, "--label-column", "kind")
    said = acclimate("adapt", *sides, "-m", "source-only", "--out", "run", *QUICK)
    assert said.code == 0, said.err
    assert "[/]" in said.out
    assert "[bold]b" in acclimate("evaluate", "run", "--data", source, "--label-column", "kind").out


@pytest.mark.parametrize(
    ("words", "sentence"), MISTAKES, ids=lambda value: " ".join(value) if type(value) is tuple else ""
)
def test_mistakes_get_a_sentence_exit_code_2_and_leave_nothing(
    acclimate: Command, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = acclimate(*words)
    assert said.code == 2, said.err
    assert sentence in said.err.replace("\n", " ")
    assert "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


def test_mistakes_of_values_name_the_option(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    for words, sentence in (
        (("--lr", "-1"), "lr must be greater than 0; got -1.0. Initial learning rate. Leave lr out for the default."),
        (("-m", "mcd", "--set", "n=0"), "n must be at least 1; got 0"),
        (
            ("-m", "adabn", "--network", "mcd-usps"),
            "network must be 'mlp', 'bag-of-words' or a module of yours for feature vectors",
        ),
        (
            (
                "-m",
                "train-on-target",
            ),
            "label_budget needs a target with labels",
        ),
        (("--label-budget", "lots"), "label_budget must be 0, a whole number of labels per class"),
        (("--device", "cuda:9"), "device must be one that this machine has; got 'cuda:9'"),
    ):
        said = acclimate("adapt", *sides, *words, "--out", "run")
        assert said.code == 2, (words, said.err)
        assert sentence in said.err.replace("\n", " "), said.err
        assert not list(tmp_path.iterdir())


def test_debug_shows_the_traceback(acclimate: Command) -> None:
    from acclimate.errors import RequestError

    with pytest.raises(RequestError):
        acclimate("--debug", "report", "nowhere")


def weights(folder: Path) -> dict[str, np.ndarray]:
    fitted = load(folder)
    return {f"{n}.{k}": v.numpy() for n, net in fitted.nets.items() for k, v in net.state_dict().items()}


def test_ctrl_c_saves_and_resume_ends_where_an_unstopped_run_does(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    words = [
        "adapt", "-m", "dann", "--source", str(tables["source"]), "--target", str(tables["target"]),
        "--label-column", "kind", "--steps", "600", "--no-baseline", "--batch-size", "32", "--precision", "fp32",
        "--set", "evaluations=3",
    ]  # fmt: skip
    typed = [sys.executable, "-m", "acclimate", *words, "--out", "stopped"]
    stopped = subprocess.Popen(typed, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "stopped" / "metrics.jsonl"
    deadline = time.monotonic() + 600
    # There are metrics once the training goes on, which takes long enough for a signal on the fastest machine.
    while not log.is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    stopped.send_signal(signal.SIGINT)
    err = stopped.communicate(timeout=600)[1]
    assert stopped.returncode == 130, err
    assert "saved. Go on with: acclimate resume stopped" in err
    assert Run(tmp_path / "stopped").summary is None
    resumed = acclimate("resume", "stopped")
    assert resumed.code == 0, resumed.err
    assert acclimate(*words, "--out", "whole").code == 0
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(np.array_equal(one[k], two[k]) for k in one)
    assert Run(tmp_path / "whole").metrics() == Run(tmp_path / "stopped").metrics()
    again = acclimate("resume", "stopped")
    assert again.code == 2
    assert "run must be unfinished to be resumed" in again.err


def test_a_training_of_one_step_has_no_speed(acclimate: Command, tmp_path: Path) -> None:
    task = two_vocabularies(40)
    sides = {"source": (task.source, task.source.labels), "target": (task.target, None)}
    for name, (domain, labels) in sides.items():
        rows = [{"text": text} for text in to_texts(domain.rows)]
        for row, label in zip(rows, () if labels is None else labels, strict=False):
            row["label"] = str(label)
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = acclimate("adapt", "--source", "source.jsonl", "--target", "target.jsonl", "-m", "tfidf", "--no-baseline")
    assert said.code == 0, said.err
    assert "TF-IDF and logistic regression: step 1/1\n" in said.err
    (report,) = tmp_path.glob("**/report.html")
    page = report.read_text(encoding="utf-8")
    assert "computed at once" in page
    assert "Which words carried the decision" in page
