"""How much memory a training is said to take, and the form that is chosen by it."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import acclimate as ac
from acclimate.data import free_memory as free_memory_module
from acclimate.data.free_memory import free_memory, left_by_containers, resident_memory
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.problems.fitting import fit, make_trainer
from acclimate.problems.planning import make_method, make_plan
from acclimate.running import memory
from acclimate.running.adaptation import Callbacks, adapt, load, resume
from acclimate.running.begun import altered
from acclimate.running.memory import Demand, demand_of, fitting, gigabytes, traced
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Interrupted
from worlds import same_weights

CPU = torch.device("cpu")
TASK = dimmed_bars(80)


def planned(method: str | Method = "mcc", **options: Any) -> Plan:
    chosen = make_method(method, {}) if isinstance(method, str) else method
    settings = {"steps": 4, "batch_size": 32, "precision": "fp32", "device": "cpu", **options}
    return make_plan(chosen, TASK.source, TASK.target, options=settings)


def with_free(monkeypatch: pytest.MonkeyPatch, free: float | None) -> None:
    """So many bytes are free, and nothing is taken for small unseen."""
    monkeypatch.setattr(memory, "free_memory", lambda device: None if free is None else int(free))
    monkeypatch.setattr(memory, "_MOST_FOR_A_NUMBER", 10**9)


def test_bytes_in_use_are_those_of_tensors_that_are_there() -> None:
    gc.collect()
    before = torch.zeros(1000)
    with memory._InUse(CPU) as in_use:
        one = before + 1
        view = one.view(10, 100)
        one.mul_(2)
        two = torch.cat([one, one])
        del one, two
        assert in_use.now == 4000, "the view still holds it"
        del view
        assert in_use.now == 0
        kept = [torch.zeros(n, dtype=torch.float64) for n in (1, 2)]
    assert max(in_use.line) == 12_000
    assert in_use.now == 24
    assert len(kept) == 2


def demand(small: list[float], large: list[float], **others: Any) -> Demand:
    facts: dict[str, Any] = {"weights": 0, "standing": 0, "answering": (0, 0), "heap": 1.0, **others}
    return Demand(np.array(small), np.array(large), **facts)


def test_the_highest_point_of_a_large_step_need_not_be_that_of_a_small_one() -> None:
    # 100 whatever the batch, 5 b, and 20 + 3 b.
    found = demand([100, 10, 26], [100, 20, 32])
    assert [found.of(b, 0) for b in (2, 4, 20, 30)] == [100, 100, 100, 150]
    assert demand([1, 2], [1, 4, 9], standing=1).of(8, 0) == 1 + 8 * 2, "whose operations hang on the batch"
    assert demand([10], [20], weights=7, standing=50, answering=(1_006, 1_012), heap=2.0).of(4, 100) == 2 * (
        7 + 50 + 1_000 + 300
    )


@pytest.mark.parametrize("activations", ["keep", "recompute"])
@pytest.mark.parametrize("name", ["mcd", "dann", "mutual-views"])
def test_two_small_steps_tell_what_a_whole_one_has_in_use(name: str, activations: str) -> None:
    plan = planned(name, network=None, activations=activations)
    told = demand_of(plan, TASK.source, TASK.target).of(32, 80)
    trainer = make_trainer(plan, TASK.source, TASK.target, Hooks())
    with seeded(0, CPU):
        whole = traced(trainer).of(32, 80)
    assert told == pytest.approx(whole, rel=0.1)


def test_activations_are_kept_where_they_fit_and_computed_again_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = planned()
    forms = ("keep", "recompute")
    need = {form: memory._need(planned(activations=form), TASK.source, TASK.target) for form in forms}
    assert need["recompute"] < 0.7 * need["keep"]
    with_free(monkeypatch, 1.3 * need["keep"])
    kept = fitting(plan, TASK.source, TASK.target)
    assert (kept.options.activations, kept.notes) == ("keep", ())

    with_free(monkeypatch, 1.2 * need["keep"])
    again = fitting(plan, TASK.source, TASK.target)
    assert again.options.activations == "recompute"
    assert "computed again" in again.notes[0]
    assert gigabytes(1.2 * need["keep"]) in again.notes[0]
    assert same_weights(*(fit(p, TASK.source, TASK.target) for p in (kept, again)))

    with_free(monkeypatch, 0.9 * need["recompute"])
    with pytest.raises(RequestError, match="batch_size must leave training enough memory; got 32 images") as error:
        fitting(plan, TASK.source, TASK.target)
    said = str(error.value)
    assert gigabytes(need["recompute"]) in said
    assert gigabytes(0.9 * need["recompute"]) in said
    assert "--batch-size 16" in said
    for named in ("keep", "recompute"):
        asked = planned(activations=named)
        assert fitting(asked, TASK.source, TASK.target) is asked, "what the user names is not questioned"


def test_nothing_is_tried_where_nothing_is_known_or_little_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, None)
    assert fitting(planned(), TASK.source, TASK.target).options.activations == "keep"
    monkeypatch.undo()

    def tried(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(memory, "demand_of", tried)
    assert fitting(planned(), TASK.source, TASK.target).options.activations == "keep"
    blobs = shifted_blobs(40)
    plan = make_plan(make_method("dann", {}), blobs.source, blobs.target)
    monkeypatch.setattr(memory, "free_memory", lambda device: 1)
    assert fitting(plan, blobs.source, blobs.target).options.activations == "keep", "no images"


def test_fewer_bytes_are_needed_for_smaller_batches_and_by_several_processes() -> None:
    found = demand_of(planned(), TASK.source, TASK.target)
    assert found.of(8, 8) < found.of(16, 16) < found.of(32, 32)


def files(folder: Path) -> None:
    """Sides as a user has them."""
    for name in ("source", "target"):
        domain = getattr(TASK, name)
        labels = {"y": domain.labels} if name == "source" else {}
        np.savez(folder / f"{name}.npz", X=domain.inputs, **labels)


def test_a_run_keeps_its_form_when_it_goes_on_and_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path)
    training = {"steps": 6, "batch_size": 16, "precision": "fp32", "device": "cpu", "evaluations": 2}
    request = Request(source="source.npz", target="target.npz", method="mcd", baseline=False, training=training)
    whole = adapt(request, "whole")
    assert whole.config["training"]["activations"] == "keep"

    monkeypatch.setattr(memory, "_MOST_FOR_A_NUMBER", 10**9)
    needed = iter([10, 1])  # kept, then computed again
    monkeypatch.setattr(memory, "_need", lambda *_: next(needed))
    monkeypatch.setattr(memory, "free_memory", lambda device: 5)
    told: list[str] = []
    steps: list[int] = []
    around = Callbacks(progress=lambda p: steps.append(p.step), stop=lambda: len(steps) == 3, notice=told.append)
    with pytest.raises(Interrupted):
        adapt(request, "short", around)
    assert any("computed again" in sentence for sentence in told), "before training"
    config = json.loads((tmp_path / "short" / "config.json").read_text())
    assert config["training"]["activations"] == "recompute"
    assert any("computed again" in note for note in config["task"]["notes"])

    monkeypatch.setattr(memory, "free_memory", lambda device: 10**15)
    resumed = resume("short")
    assert resumed.config["training"]["activations"] == "recompute"
    assert same_weights(load("whole"), load("short"))
    kept, again = (Run(folder).predictions_path.read_bytes() for folder in ("whole", "short"))
    assert len(kept) > 0 < len(again)
    rows = [[row for row in run.metrics() if row["kind"] == "losses"] for run in (whole, resumed)]
    assert rows[0] == rows[1]


def test_going_on_from_a_run_asks_this_machine_anew() -> None:
    plan = planned(activations="recompute")
    assert altered(plan, {}, {}).options.activations == "auto"
    assert altered(plan, {}, {"activations": "keep"}).options.activations == "keep"


def test_an_estimator_chooses_too_and_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("acclimate.estimators.fitting", lambda plan, *_: (asked.append("yes"), plan)[1])
    ac.DANN(steps=1, batch_size=8, activations="recompute").fit(TASK.source, TASK.target)
    assert asked == ["yes"]


def group(folder: Path, limit: str, used: int, cache: int, version: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = free_memory_module._NAMES[0 if version == 2 else 1]
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cache}\n")


def test_limits_of_containers_count_of_either_version(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/outer/inner\n")
    group(tmp_path / "two" / "outer", "1000", 700, 100, 2)
    group(tmp_path / "two" / "outer" / "inner", "max", 600, 100, 2)
    assert list(left_by_containers(tmp_path / "two", own)) == [400]
    group(tmp_path / "two" / "outer" / "inner", "500", 600, 0, 2)
    assert list(left_by_containers(tmp_path / "two", own)) == [0, 400]

    own.write_text("3:cpu:/x\n2:memory:/known/outside/only\n")
    group(tmp_path / "one" / "memory", "2000", 300, 50, 1)
    assert list(left_by_containers(tmp_path / "one", own)) == [1750]
    assert list(left_by_containers(tmp_path / "none", own)) == []
    assert list(left_by_containers(tmp_path / "none", tmp_path / "absent")) == []


def test_free_and_held_memory_are_told_in_bytes() -> None:
    free = free_memory(CPU)
    assert free is not None
    assert 10**6 < free < 10**14
    assert 5 * 10**7 < resident_memory() < 10**12
    assert free_memory(torch.device("meta")) is None


@pytest.mark.parametrize(
    ("size", "words"), [(7e7, "0.07 GB"), (1.94e9, "1.9 GB"), (2.04e10, "20 GB"), (9.96e8, "1.00 GB")]
)
def test_bytes_in_words(size: float, words: str) -> None:
    assert gigabytes(size) == words
