"""The folder as a whole: written at once or not at all, safe whatever names are, read again by acclimate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import acclimate as ac
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, two_clinics
from acclimate.errors import AcclimateError, RequestError, UnknownNameError, WorkError
from acclimate.export import folder as exporting_folder
from acclimate.export.card import plain
from acclimate.export.folder import export_run
from acclimate.running.adaptation import adapt
from acclimate.running.requests import task_of_run
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from exporting import KINDS, answers_alone, run_of
from worlds import TinyNet

HOSTILE = ('=HYPERLINK("http://x")', "[a](javascript:alert(1))<script>", "../../etc/passwd", "`rm`\n# head")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Of a closed form, so that nothing slow is written."""
    return run_of(KINDS["lrt"], tmp_path_factory.mktemp("runs") / "made")


def test_a_folder_in_use_is_refused_and_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    (kept := tmp_path / "out" / "kept").parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(AcclimateError, match="out"):
        export_run(run.folder, tmp_path / "out", ("arrays",))
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_writer_that_dies_leaves_nothing_half(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exporting_folder, "model_card", die)
        with pytest.raises(KeyboardInterrupt):
            export_run(run.folder, tmp_path / "out", ("arrays",))
    assert not list(tmp_path.iterdir())
    export_run(run.folder, tmp_path / "out", ("arrays",))
    assert (tmp_path / "out" / "model.npz").is_file()


def test_what_a_killed_writer_left_goes_with_the_next(run: Run, tmp_path: Path) -> None:
    (abandoned := tmp_path / f".out.{'0' * 16}.part").mkdir()
    (abandoned / "model.npz").write_bytes(b"half")
    export_run(run.folder, tmp_path / "out", ("arrays",))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_names_of_strangers_do_nothing(tmp_path: Path) -> None:
    """Classes that look like formulas, links, HTML or paths, in the card, in answers and as names of files."""
    (place := tmp_path / "made").mkdir()
    y = np.arange(24) % 4
    x = np.random.default_rng(0).normal(size=(24, 2)) + y[:, None]
    quoted = ['"' + HOSTILE[c].replace('"', '""') + '"' for c in y]
    for name, labelled in (("a.csv", 24), ("b.csv", 8)):
        names = [*quoted[:labelled], *[""] * (24 - labelled)]
        rows = [f"{one},{other},{label}" for (one, other), label in zip(x, names, strict=True)]
        (place / name).write_text("\n".join(["x,y,label", *rows]), encoding="utf-8")
    paths = {"source": str(place / "a.csv"), "target": str(place / "b.csv")}
    request = Request(**paths, label_column="label", method="lrt", baseline=False)
    made = adapt(request, place / "run")
    export_run(made.folder, tmp_path / "out", ("arrays",))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "<script>" not in card
    assert "[a](javascript" not in card
    assert "\n# head" not in card
    answers = answers_alone(tmp_path / "out", str(place / "b.csv"))
    assert not any(row["predicted"].startswith("=") for row in answers)
    assert {path.parent for path in tmp_path.rglob("*") if "passwd" in path.name} == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n# b", r"a \# b"),
        ("[x](http://y)", r"\[x\](http\://y)"),
        ("<img src=x>&amp;", "&lt;img src=x&gt;&amp;amp;"),
        ("www.x.org", r"www\.x.org"),
        ("1.5 % of red-ish", "1.5 % of red-ish"),
        ("\u202eabc\x00", "abc"),
    ],
)
def test_text_in_the_card_is_shown_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_head_of_the_card_is_what_the_hub_reads(run: Run, tmp_path: Path) -> None:
    export_run(run.folder, tmp_path / "out", ("arrays",), license_='mit"\nx: y')
    _, head, _ = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    assert json.loads(facts["license"]) == 'mit"\nx: y'
    assert json.loads(facts["tags"]) == ["acclimate", "domain-adaptation", "lrt"]
    assert facts["pipeline_tag"] == "tabular-classification"


@pytest.mark.parametrize("name", ["mlp", "digits", "mobilenet", "cgt", "amn", "shared-prototypes"])
def test_what_was_saved_is_read_again_and_answers_to_the_bit(name: str, tmp_path: Path) -> None:
    """Also of a network whose first weights, ImageNet's, are not on this machine."""
    made = run_of(KINDS[name], tmp_path / "made")
    export_run(made.folder, tmp_path / "out", ("safetensors",))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"README.md", "config.json", "model.safetensors"}
    once, again = ac.load(made.folder), ac.from_pretrained(tmp_path / "out")
    target = task_of_run(made).target.unlabelled()
    np.testing.assert_array_equal(again.predict_proba(target), once.predict_proba(target))
    text = (tmp_path / "out" / "config.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text + (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_model_that_went_on_without_a_source_leaves_too(tmp_path: Path) -> None:
    first = run_of(KINDS["digits"], tmp_path / "made")
    request = Request(
        model=str(first.folder),
        target=str(tmp_path / "made" / "target"),
        method="shot",
        training={"steps": 2, "batch_size": 8, "evaluations": 1},
        baseline=False,
    )
    made = adapt(request, tmp_path / "on")
    export_run(made.folder, tmp_path / "out", ("pt2", "safetensors"))
    target = task_of_run(made).target.unlabelled()
    again, once = ac.from_pretrained(tmp_path / "out"), ac.load(made.folder)
    np.testing.assert_array_equal(again.predict_proba(target), once.predict_proba(target))


def test_an_estimator_saves_and_exports_itself(tmp_path: Path) -> None:
    task = shifted_blobs(40)
    model = ac.SourceOnly(steps=3, batch_size=8, seed=0).fit(task.source, task.target)
    model.save_pretrained(tmp_path / "kept")
    again = ac.from_pretrained(tmp_path / "kept")
    np.testing.assert_array_equal(again.predict(task.target), model.predict(task.target))
    np.testing.assert_array_equal(again.classes_, model.classes_)
    model.export(tmp_path / "out", task.target, form="arrays")
    np.savez(tmp_path / "x.npz", X=task.target.array)
    found = [row["predicted"] for row in answers_alone(tmp_path / "out", str(tmp_path / "x.npz"))]
    assert found == model.predict(task.target).tolist()
    with pytest.raises(RequestError, match="folder must be a new or empty folder"):
        model.save_pretrained(tmp_path / "out")
    with pytest.raises(UnknownNameError):
        model.export(tmp_path / "other", task.target, form="onxx")


def test_columns_by_name_survive_in_what_an_estimator_saves(tmp_path: Path) -> None:
    task = two_clinics(24).with_label_budget(2)
    model = ac.CGT(seed=0).fit(task.source, task.target)
    model.save_pretrained(tmp_path / "kept")
    again = ac.from_pretrained(tmp_path / "kept")
    assert again._fields["target"].schema == task.target.schema
    np.testing.assert_array_equal(again.predict(task.target), model.predict(task.target))


def test_a_network_of_ones_own_leaves_as_a_program_and_is_not_saved_by_name(tmp_path: Path) -> None:
    task = dimmed_bars(24)
    model = ac.SourceOnly(network=TinyNet(), steps=2, batch_size=8, seed=0).fit(task.source, task.target)
    with pytest.raises(RequestError, match="network of your own"):
        model.save_pretrained(tmp_path / "kept")
    model.export(tmp_path / "out", task.target, form="pt2")


def test_damaged_weights_are_told(run: Run, tmp_path: Path) -> None:
    export_run(run.folder, tmp_path / "out", ("safetensors",))
    path = tmp_path / "out" / "model.safetensors"
    weights = load_file(path)
    save_file({name: value for name, value in weights.items() if "bias" not in name}, path)
    with pytest.raises(WorkError, match="does not fit the network"):
        ac.from_pretrained(tmp_path / "out")
    path.write_bytes(b"half")
    with pytest.raises(WorkError, match="cannot be read"):
        ac.from_pretrained(tmp_path / "out")
    path.unlink()
    with pytest.raises(RequestError, match="--form safetensors"):
        ac.from_pretrained(tmp_path / "out")
