"""Going on from a finished run on another batch of data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import acclimate as ac
from acclimate import discovery
from acclimate.data.synthetic import shifted_blobs
from acclimate.errors import DataError, RequestError, UnknownNameError, WorkError
from acclimate.methods.source_free.shot import SHOT
from acclimate.problems.fitting import taken_over
from acclimate.problems.planning import make_method
from acclimate.reports.outcome import outcome
from acclimate.running import adaptation
from acclimate.running.adaptation import Callbacks, adapt, resume
from acclimate.running.begun import begun_with
from acclimate.runs import checkpoint_files
from acclimate.runs.continued import continued, with_options
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.trainer import Interrupted
from worlds import tiny_plan

COLUMNS = ["a", "b", "c", "d"]


def batch(n: int, shift: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return (rng.normal(size=(n, 4)) + 3 * np.eye(4)[y] + shift).astype(np.float32), y


def write(path: Path, n: int, shift: float, seed: int, kinds: tuple[str, ...] = ("x", "y", "z")) -> Path:
    x, y = batch(n, shift, seed)
    frame = pl.DataFrame(x, schema=COLUMNS).with_columns(kind=pl.Series([kinds[i] for i in y]))
    frame.write_csv(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("batches")
    shifts = {"source": 0.0, "may": 0.5, "june": 1.5}
    return {name: write(folder / f"{name}.csv", 120, s, i) for i, (name, s) in enumerate(shifts.items())}


@pytest.fixture(scope="module")
def may(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = Request(
        source=str(files["source"]), target=str(files["may"]), label_column="kind", method="dann",
        training={"epochs": 8, "batch_size": 32, "evaluations": 2, "precision": "fp32"},
    )  # fmt: skip
    return adapt(asked, tmp_path_factory.mktemp("may") / "run").folder


def on(model: Path, target: Path, **training: object) -> Request:
    return with_options(continued(Request(model=str(model), target=str(target)), {"model"}), {}, training)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(checkpoints.load(checkpoint_files.latest(run / "checkpoints"), "nets/").tensors)


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())


def test_the_run_begun_with_stands_beside_with_its_own_answers(
    files: dict[str, Path], may: Path, tmp_path: Path
) -> None:
    run = adapt(on(may, files["june"], epochs=2), tmp_path / "june")
    assert run.baseline is not None
    assert same(weights(run.baseline.folder), weights(may))
    assert not same(weights(run.folder), weights(may))
    x, y = batch(120, 1.5, 2)
    right = (ac.load(may).predict(pl.DataFrame(x, schema=COLUMNS)) == np.array(["x", "y", "z"])[y]).mean()
    assert run.baseline.summary is not None
    assert run.baseline.summary["scores"]["target_accuracy"] == pytest.approx(right)
    said = outcome(run)
    assert str(may) in " ".join(said.sentences)
    assert said.tiles[0].name == "The model begun with"


def test_what_the_networks_see_is_the_old_run_s(files: dict[str, Path], may: Path, tmp_path: Path) -> None:
    run, before = adapt(on(may, files["june"], epochs=1), tmp_path / "june"), Run(may).config
    assert run.config["preprocess"] == before["preprocess"]
    assert run.config["task"]["classes"] == before["task"]["classes"]
    assert run.config["task"]["schema"] == before["task"]["schema"]
    assert run.config["training"] == before["training"] | {"epochs": 1}


def test_a_step_of_no_length_leaves_the_weights(files: dict[str, Path], may: Path, tmp_path: Path) -> None:
    """With a rate near zero the weights are the old run's; only batch norm has seen another batch."""
    run = adapt(on(may, files["june"], steps=1, lr=1e-30), tmp_path / "june")

    def learnt(folder: Path) -> dict[str, torch.Tensor]:
        return {k: v for k, v in weights(folder).items() if k.endswith((".weight", ".bias"))}

    assert learnt(run.folder)
    assert same(learnt(run.folder), learnt(may))


def test_killed_and_resumed_it_ends_bit_for_bit_as_if_it_had_not_been(
    files: dict[str, Path], may: Path, tmp_path: Path
) -> None:
    whole = adapt(on(may, files["june"], epochs=3, checkpoint_seconds=0), tmp_path / "whole")
    model = Path(shutil.copytree(may, tmp_path / "model"))
    steps = iter(range(100))
    asked = on(model, files["june"], epochs=3, checkpoint_seconds=0)
    with pytest.raises(Interrupted):
        adapt(asked, tmp_path / "cut", Callbacks(stop=lambda: next(steps) > 4))
    shutil.rmtree(model)  # the new run does without the old one's folder by now
    resumed = resume(tmp_path / "cut")
    assert same(weights(resumed.folder), weights(whole.folder))


def test_a_model_that_has_changed_before_it_was_taken_over_is_told(
    files: dict[str, Path], may: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(may, tmp_path / "model"))

    def killed(*_: object) -> None:
        raise Interrupted(0, 1)

    asked = on(model, files["june"], epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(adaptation, "_set_beside", killed)
        with pytest.raises(Interrupted):
            adapt(asked, tmp_path / "cut")
    again = adapt(on(may, files["june"], epochs=1), tmp_path / "other")
    shutil.rmtree(model)
    shutil.copytree(again.folder, model)
    with pytest.raises(WorkError, match="other weights"):
        resume(tmp_path / "cut")


@pytest.mark.parametrize(
    ("given", "named", "says"),
    [
        ({"method": "mcd"}, {"method"}, "must be the model's own, 'dann'"),
        ({"task": "demo"}, set(), "must not be given with a model"),
        ({"network": "bag-of-words"}, set(), "must be the model's own, 'mlp'"),
    ],
)
def test_what_the_weights_do_not_fit_is_refused(may: Path, given: dict[str, str], named: set[str], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        continued(Request(model=str(may), target="june.csv", **given), named)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, found in discovery.methods().items()
        if found.fact("problem", "adaptation") in ("adaptation", "partial", "open-set")
        and "features" in found.fact("reads", {"features": {}})
    ],
)
def test_a_model_of_any_method_is_taken_over_whole_or_refused(name: str) -> None:
    task = shifted_blobs(12, shift=1.0)
    plan = tiny_plan(make_method(name, {}), task)
    theirs, refused = plan.networks(), ""
    try:
        new = begun_with(plan, SHOT(), task.target, {})
    except RequestError as error:
        refused = str(error)
    if refused:
        assert "answers in a way of its own" in refused
        return
    ours = new.networks()
    checkpoints.load_networks(ours, taken_over(checkpoints.of_networks(theirs), name, new))
    assert same(ours["features"].state_dict(), theirs["features"].state_dict())
    assert same(ours["classifier"].state_dict(), theirs["classifier"].state_dict())


def test_an_option_of_the_inputs_is_refused(files: dict[str, Path], may: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="normalisation must be the model's own"):
        adapt(on(may, files["june"], normalisation="mean"), tmp_path / "june")
    assert not (tmp_path / "june").exists()


def test_a_source_of_a_class_that_the_model_does_not_know_is_refused(
    files: dict[str, Path], may: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other.csv", 60, 0.0, 5, kinds=("x", "y", "w"))
    asked = continued(Request(model=str(may), source=str(other), target=str(files["june"])), set())
    with pytest.raises(DataError, match=r"classes that the model knows.*got \['w'\]"):
        adapt(asked, tmp_path / "june")


def test_a_source_without_one_of_the_classes_numbers_them_as_the_model_does(
    files: dict[str, Path], may: Path, tmp_path: Path
) -> None:
    fewer = write(tmp_path / "fewer.csv", 90, 0.0, 5, kinds=("z", "y", "z"))
    asked = continued(Request(model=str(may), source=str(fewer), target=str(files["june"])), set())
    run = adapt(with_options(asked, {}, {"epochs": 1}), tmp_path / "june")
    assert run.config["task"]["source_counts"][0] == 0
    assert run.config["task"]["classes"] == ["x", "y", "z"]


def test_other_columns_are_refused_by_name(may: Path, tmp_path: Path) -> None:
    x, _ = batch(40, 1.5, 3)
    pl.DataFrame(x, schema=["a", "b", "c", "e"]).write_csv(tmp_path / "june.csv")
    with pytest.raises(DataError, match="'?d'?"):
        adapt(on(may, tmp_path / "june.csv"), tmp_path / "june")


def test_an_unfinished_run_cannot_be_begun_with(files: dict[str, Path], may: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(may, tmp_path / "model"))
    (model / "summary.json").unlink()
    with pytest.raises(RequestError, match="must be a finished run"):
        on(model, files["june"])


def test_without_a_source_a_method_that_needs_one_names_one_that_does_not(tmp_path: Path) -> None:
    options = {"steps": 2, "evaluations": 1}
    run = adapt(Request(task="demo", method="mcc", training=options, baseline=False), tmp_path / "run")
    with pytest.raises(
        RequestError, match="source must be given to the method .mcc.*--method shot, which needs none"
    ):
        on(run.folder, tmp_path)


def test_an_old_run_s_folder_can_be_begun_with(files: dict[str, Path], may: Path, tmp_path: Path) -> None:
    """One from before requests could name a model: the field is not in its record."""
    model = Path(shutil.copytree(may, tmp_path / "model"))
    config = json.loads((model / "config.json").read_text())
    del config["request"]["model"]
    config["format"] = 1
    (model / "config.json").write_text(json.dumps(config))
    (model / "manifest.json").unlink()
    asked = on(model, files["june"], epochs=1)
    assert asked.method == "dann"
    if Run(model).config["format"] == 1:
        assert asked.training["batch_size"] == 32


# In Python


def test_an_estimator_goes_on_and_stays_as_it_was() -> None:
    source, (x, _), (later, y) = batch(150, 0.0, 0), batch(120, 0.5, 1), batch(120, 1.5, 2)
    model = ac.DANN(epochs=6, batch_size=32, seed=0).fit(source, x)
    before = model.predict_proba(later)
    new = model.adapt(later, source, epochs=2)
    assert type(new) is type(model)
    assert new.epochs == 2
    assert model.epochs == 6
    np.testing.assert_array_equal(model.predict_proba(later), before)
    assert not np.array_equal(new.predict_proba(later), before)
    assert new.score(later, y) >= model.score(later, y) - 0.05
    np.testing.assert_array_equal(new.classes_, model.classes_)


def test_an_estimator_begins_with_its_own_weights() -> None:
    source, (x, _) = batch(150, 0.0, 0), batch(120, 0.5, 1)
    model = ac.DANN(epochs=4, batch_size=32).fit(source, x)
    new = model.adapt(x, source, steps=1, lr=1e-30)
    np.testing.assert_allclose(new.predict_proba(x), model.predict_proba(x), atol=1e-6)


def test_a_loaded_run_goes_on_in_python(may: Path) -> None:
    source, target = batch(120, 0.0, 0), batch(60, 1.5, 4)[0]
    named = pl.DataFrame(source[0], schema=COLUMNS), np.array(["x", "y", "z"])[source[1]]
    new = ac.load(may).adapt(pl.DataFrame(target, schema=COLUMNS)[COLUMNS[::-1]], named, epochs=1)
    assert set(new.predict(pl.DataFrame(target, schema=COLUMNS))) <= {"x", "y", "z"}


def test_labels_that_a_model_does_not_know_are_refused() -> None:
    source, (x, y) = batch(90, 0.0, 0), batch(60, 0.5, 1)
    model = ac.DANN(epochs=1, batch_size=32).fit(source, x)
    with pytest.raises(DataError, match="must be among"):
        model.adapt(x, (x, y + 1))
    with pytest.raises(DataError, match="must come with labels"):
        model.adapt(x, x)
    with pytest.raises(RequestError, match="normalisation must be the model's own"):
        model.adapt(x, source, normalisation="none")


def test_a_misspelt_option_is_told_with_what_was_meant() -> None:
    (x, y), (new, _) = batch(60, 0.0, 0), batch(60, 0.5, 1)
    model = ac.SourceOnly(steps=2, precision="fp32").fit((x, y), new)
    with pytest.raises(UnknownNameError, match="got 'epohcs'. Did you mean 'epochs'"):
        model.adapt(new, epohcs=3)
