"""What a translator leaves behind: pictures, paths, means, frames and monitored losses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.translation.vae_gan import SharedLatentVAEGAN
from acclimate.problems.fitting import fit
from acclimate.problems.translation.examples import (
    PER_SIDE,
    chosen,
    frame_examples,
    translations_of_run,
    write_frame,
)
from acclimate.running import requests
from acclimate.running.adaptation import Callbacks, adapt, resume
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Hooks
from acclimate.training.inference import Translated
from acclimate.training.trainer import Interrupted
from acclimate.types import Side
from worlds import quick_fit, tiny_plan, weights

METHOD = SharedLatentVAEGAN(maps=2)
SIDES: tuple[Side, Side] = ("source", "target")


@pytest.fixture(scope="module")
def task() -> Task:
    return dimmed_bars(40)


@pytest.fixture(scope="module")
def fitted(task: Task) -> Fitted:
    return quick_fit(METHOD, task, steps=2)


@pytest.fixture(scope="module")
def content(fitted: Fitted, task: Task) -> dict[str, np.ndarray]:
    found = translations_of_run(fitted, task)
    assert found is not None
    return found


def test_pictures_are_what_the_networks_make_of_them(content: Mapping[str, np.ndarray], fitted: Fitted) -> None:
    method, nets, preprocess = fitted.plan.method, fitted.nets, fitted.plan.preprocess.of("target")
    x = preprocess.batch(content["target_inputs"], None)
    with torch.no_grad():
        codes = method.embed(nets, x, "target")
        there = method.decode(nets, codes, "source")
        back = method.decode(nets, method.embed(nets, there, "source"), "target")
        made = {"reconstructed": method.decode(nets, codes, "target"), "translated": there, "returned": back}
    for name, pictures in made.items():
        # A code computed in another batch may differ in its last bit, and a byte by one.
        apart = preprocess.pixels(pictures).astype(int) - content[f"target_{name}"]
        assert np.abs(apart).max() <= 1, name
        assert content[f"target_{name}"].shape == (PER_SIDE, 32, 32, 1)


def test_paths_run_from_a_source_example_to_the_nearest_target_example(
    content: Mapping[str, np.ndarray], fitted: Fitted
) -> None:
    method, nets, preprocess = fitted.plan.method, fitted.nets, fitted.plan.preprocess.of("target")
    ends = [preprocess.batch(content[f"path_{side}_inputs"], None) for side in SIDES]
    with torch.no_grad():
        codes = [method.embed(nets, x, side) for x, side in zip(ends, SIDES, strict=True)]
        middle = preprocess.pixels(method.decode(nets, (codes[0] + codes[1]) / 2, "target"))
    assert content["path_target"].shape == (6, 9, 32, 32, 1)
    assert np.abs(middle.astype(int) - content["path_target"][:, 4]).max() <= 1
    targets = torch.from_numpy(content["codes"][content["is_target"]])
    nearest = torch.cdist(codes[0], targets).min(dim=1).values
    assert torch.allclose((codes[0] - codes[1]).norm(dim=1), nearest, atol=1e-4)


def test_class_means_are_of_true_classes_where_they_are_known(
    content: Mapping[str, np.ndarray], fitted: Fitted, task: Task
) -> None:
    assert content["by_label"]
    drawn = fitted.plan.preprocess.of("target").fit(task.target_test).array[..., 0].astype(float)
    for label in (0, 1):
        members = task.hidden.target_test == label
        assert content["target_mean_of"][label] == members.sum()
        assert np.abs(content["target_mean"][label, ..., 0] - drawn[members].mean(axis=0)).max() <= 0.5 + 1e-9


def test_without_answers_means_are_of_predicted_classes(fitted: Fitted, task: Task) -> None:
    alone = Task(task.source, task.target.unlabelled())
    found = translations_of_run(fitted, alone)
    assert found is not None
    assert not found["by_label"]
    answers = found["predicted"][found["is_target"]]
    assert found["target_mean_of"].tolist() == np.bincount(answers, minlength=2).tolist()
    assert (found["label"][found["is_target"]] == -1).all()
    assert (found["target_label"] == -1).all()


def test_hidden_labels_choose_nothing(fitted: Fitted, task: Task) -> None:
    turned = dimmed_bars(40)
    for role in ("target", "target_test"):
        getattr(turned.hidden, role)[:] = 1 - getattr(task.hidden, role)
    one, two = (translations_of_run(fitted, t) for t in (task, turned))
    assert one is not None
    assert two is not None
    for name in one:
        if name not in ("label", "target_label", "target_mean", "target_mean_of"):
            assert np.array_equal(one[name], two[name]), name


def test_examples_are_chosen_by_known_classes_in_turns() -> None:
    labels = np.array([0] * 50 + [1] * 5 + [2] * 3)
    rows = chosen(Domain(np.zeros((58, 2), np.float32), labels, ("a", "b", "c")), 12)
    assert np.bincount(labels[rows]).tolist() == [5, 4, 3]
    assert (np.diff(labels[rows]) >= 0).all()
    few = np.array([-1] * 50 + [0, 0, 1])
    rows = chosen(Domain(np.zeros((53, 2), np.float32), few, ("a", "b")), 8)
    assert sorted(few[rows].tolist()) == [-1, -1, -1, -1, -1, 0, 0, 1]
    assert len(set(chosen(Domain(np.zeros((4, 2), np.float32)), 9).tolist())) == 4


def test_methods_without_a_decoder_are_refused(task: Task) -> None:
    other = quick_fit(SourceOnly(), task, steps=1)
    assert translations_of_run(other, task) is None
    with pytest.raises(RequestError, match=r"run must be of a method that has a decoder .* one of 'source-only'"):
        other.check_translates("run")


def watching(task: Task, seen: list[tuple[int, Mapping[Side, Translated]]], rows: list[dict]) -> Hooks:
    plan = tiny_plan(METHOD, task)
    return Hooks(
        monitor={role: plan.preprocess.fit(domain) for role, domain in task.domains().items()},
        show={side: plan.preprocess.fit(domain) for side, domain in frame_examples(task).items()},
        picture=lambda step, pictures: seen.append((step, pictures)),
        record=rows.append,  # type: ignore[arg-type]
    )


def test_frames_and_monitored_losses_change_no_weight(task: Task) -> None:
    seen: list[tuple[int, Mapping[Side, Translated]]] = []
    rows: list[dict] = []
    plan = tiny_plan(METHOD, task, steps=4)
    watched = weights(fit(plan, task.source, task.target, watching(task, seen, rows)))
    alone = weights(fit(plan, task.source, task.target))
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert [step for step, _ in seen] == [0, 2, 4]
    evaluated = [row for row in rows if row["kind"] == "evaluation"]
    assert [row["step"] for row in evaluated] == [0, 2, 4]
    names = {f"{role}_{name}" for role in task.domains() for name in ("kl", "reconstruction")}
    assert names <= evaluated[0].keys()
    assert all(row["target_test_reconstruction"] > 0 for row in evaluated)


def test_monitored_losses_are_means_over_examples(fitted: Fitted, task: Task) -> None:
    rows: list[dict] = []
    three = Domain(task.target.inputs[:3])
    plan = fitted.plan
    hooks = Hooks(monitor={"target": plan.preprocess.fit(three)}, record=rows.append)  # type: ignore[arg-type]
    nets = fit(plan, task.source, task.target, hooks).nets
    last = [row for row in rows if row["kind"] == "evaluation"][-1]
    with torch.no_grad():
        single = [
            plan.method.monitor(
                nets, plan.preprocess.batch(plan.preprocess.fit(three).array[i : i + 1], None), "target"
            )
            for i in range(3)
        ]
    assert last["target_kl"] == pytest.approx(np.mean([float(s["kl"]) for s in single]), rel=1e-4)


def test_a_frame_has_six_rows(fitted: Fitted, task: Task, tmp_path: Path) -> None:
    examples = frame_examples(task)
    write_frame(tmp_path / "frame.png", {side: fitted.translated(examples[side], side) for side in SIDES})
    with Image.open(tmp_path / "frame.png") as picture:
        assert picture.size == (8 * 34 - 2, 6 * 34 - 2)


@pytest.fixture
def request_of_bars(task: Task, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setattr(requests, "load_task", lambda name, seed: task)
    return Request(
        task="demo",
        method="vae-gan",
        method_options={"maps": 2},
        training={"steps": 6, "batch_size": 8, "evaluations": 3, "device": "cpu"},
        baseline=False,
    )


def test_a_run_keeps_frames_and_redraws_them_after_a_stop(request_of_bars: Request, tmp_path: Path) -> None:
    whole = adapt(request_of_bars, tmp_path / "whole")
    assert [step for step, _ in whole.frames()] == [0, 2, 4, 6]
    assert whole.translations_path.is_file()
    whole.check()
    steps = iter(range(99))
    with pytest.raises(Interrupted):
        adapt(request_of_bars, tmp_path / "cut", Callbacks(stop=lambda: next(steps) == 3))
    cut = Run(tmp_path / "cut")
    assert [step for step, _ in cut.frames()] == [0, 2]
    (cut.frames_path / "00000005.png").write_bytes(b"of a step that the checkpoint knows nothing of")
    (cut.frames_path / ".00000004.png.0.part").write_bytes(b"half")
    resume(cut.folder)
    assert sorted(path.name for path in cut.frames_path.iterdir()) == [path.name for _, path in whole.frames()]
    for (_, one), (_, two) in zip(cut.frames(), whole.frames(), strict=True):
        assert one.read_bytes() == two.read_bytes()
    with (
        np.load(cut.translations_path, allow_pickle=False) as a,
        np.load(whole.translations_path, allow_pickle=False) as b,
    ):
        assert all(np.array_equal(a[name], b[name]) for name in b.files)
