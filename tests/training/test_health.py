"""Each check on a training that truly has the illness, and all of them on twenty that are well.

The ill runs are made ill by what users do: a learning rate far too high, a reversal switched off, a target far away.
No log is made up, except where a pure function is tested against arithmetic.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import discovery, estimators
from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from acclimate.data.task import Task
from acclimate.errors import WorkError
from acclimate.methods.base import Method
from acclimate.methods.classification.coral import DeepCORAL
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD, OneStepMCD
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.networks.architecture import Architecture
from acclimate.problems.fitting import fit, make_trainer
from acclimate.problems.planning import make_plan
from acclimate.runs import checkpoint_files
from acclimate.runs.findings import CHECKS, Finding, checks_made, findings
from acclimate.training import checkpoints
from acclimate.training.collapse import AND_UNKNOWN, SOME_CLASSES, collapsed, effective_classes
from acclimate.training.health import Health, exploded, first_broken, foreign, saturated
from acclimate.training.hooks import Hooks
from acclimate.training.probe import Probe, Probed, Statistics, told_apart
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Interrupted, Trainer
from worlds import TinyNet, target_accuracy

Rows = list[dict[str, Any]]
ADAM = {"optimizer": "adam", "lr": 1e-3, "batch_size": 64, "precision": "fp32"}
SOFT = {"normalisation": "standard", **ADAM}


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def plain_net() -> nn.Module:
    """Two layers without batch norm, which would take a mere move of the target back by itself."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())


class SmallDiscriminator(DANN):
    """DANN with a discriminator as small as these worlds, not of a thousand units, for the sake of time."""

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        width = architecture.width
        small = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        return {**super().networks(architecture, num_classes), "discriminator": small}


class DeadDiscriminator(SmallDiscriminator):
    """Its hidden units start so low that no input ever wakes them: no gradient reaches them, and they never learn."""

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        nets = super().networks(architecture, num_classes)
        hidden = nets["discriminator"][0]  # type: ignore[index]
        nn.init.constant_(hidden.bias, -1e3)
        return nets


def train(method: Method, task: Task, network: nn.Module | None = None, **options: Any) -> tuple[Rows, float]:
    """The rows of a training, and its accuracy on the held-out target, which no check sees."""
    plan = make_plan(method, task.source, task.target, network=network, options={**ADAM, **options})
    rows: Rows = []
    fitted = fit(plan, task.source, task.target, Hooks(record=rows.append))  # type: ignore[arg-type]
    return rows, target_accuracy(fitted, task)


def kinds(rows: Rows) -> list[str]:
    return [finding.kind for finding in findings(rows)]


def only(rows: Rows, kind: str) -> Finding:
    return next(finding for finding in findings(rows) if finding.kind == kind)


def domain_accuracy(rows: Rows) -> np.ndarray:
    return np.array([row["domain_accuracy"] for row in rows if row["kind"] == "losses"])


# Divergence


def test_divergence_names_the_log_that_went_first_and_its_step(tmp_path: Path) -> None:
    """The features' scores explode: their covariance overflows one step before the cross-entropy does."""
    task = shifted_blobs(300, shift=3.0)
    options = {"optimizer": "sgd", "lr": 50.0, "batch_size": 64, "steps": 5000}
    plan = make_plan(DeepCORAL(), task.source, task.target, options={**options, "momentum": 0.9})
    by_step = _logs_by_step(plan, task)
    first = next(step for step, logs in enumerate(by_step, 1) if not all(map(math.isfinite, logs.values())))
    name = next(name for name, value in by_step[first - 1].items() if not math.isfinite(value))

    rows: Rows = []
    hooks = Hooks(record=rows.append, folder=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(WorkError) as stop:
        fit(plan, task.source, task.target, hooks)
    said = str(stop.value)
    assert f"{name} went first, no finite number at step {first} of 5000" in said
    assert "Try a lower learning rate than 50 or clip_norm=1" in said
    assert "There is no good checkpoint yet." in said
    # With 5,000 steps a row is written every tenth: the step is that of the loss, not that of the row.
    assert first % 10 != 0
    found = only(rows, "diverged")
    assert (found.severity, found.step) == ("stopped", math.ceil(first / 10) * 10)
    assert "NaN" not in json.dumps(rows)


def _logs_by_step(plan: Any, task: Task, most: int = 50) -> list[dict[str, float]]:
    """Every step's logs, read at every step, up to the first that is not finite."""
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    logs: list[dict[str, float]] = []
    with seeded(plan.options.seed + 1, torch.device("cpu")):
        for _ in range(most):
            trainer.train_step()
            logs.append({name: float(values[-1]) for name, values in trainer._window.floats().items()})
            if not all(map(math.isfinite, logs[-1].values())):
                break
    return logs


def test_the_last_good_checkpoint_is_named_and_stays(tmp_path: Path) -> None:
    """A learning rate that is harmless at first, then made absurd: as when a spike ends a long training."""
    trainer = _trainer(tmp_path, steps=60)
    trainer.hooks.progress = lambda progress: _spike(trainer) if progress.step == 30 else None
    trainer.hooks.stop = lambda: trainer.save() if trainer.step == 20 else None  # type: ignore[assignment,return-value,func-returns-value]
    with pytest.raises(WorkError, match="The last good checkpoint is .*step-00000020.safetensors"):
        trainer.train()
    (kept,) = checkpoint_files.checkpoints(tmp_path)
    assert all(v.isfinite().all() for v in checkpoints.load(kept, "nets/").tensors.values())


def test_a_save_never_puts_broken_weights_over_good_ones(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, steps=6000)  # a row every twelve steps: nothing but the save can notice
    for _ in range(2):
        trainer.train_step()
    trainer.save()
    _spike(trainer)
    trainer.train_step()
    with pytest.raises(WorkError, match="at step 3 of 6000.*step-00000002.safetensors"):
        trainer.save()
    assert [path.name for path in checkpoint_files.checkpoints(tmp_path)] == ["step-00000002.safetensors"]


def test_weights_that_break_in_the_last_step_are_not_kept(tmp_path: Path) -> None:
    """The last step's losses are finite, as they are computed before it."""
    rows: Rows = []
    trainer = _trainer(tmp_path, steps=5)
    trainer.hooks.record = rows.append  # type: ignore[assignment]
    trainer.hooks.progress = lambda progress: _spike(trainer) if progress.step == 5 else None
    with pytest.raises(WorkError, match="a weight or a moment of the optimizer went first"):
        trainer.train()
    assert not checkpoint_files.checkpoints(tmp_path)
    assert kinds(rows) == ["diverged"]


def _trainer(folder: Path, steps: int) -> Trainer:
    task = shifted_blobs(80)
    plan = make_plan(SourceOnly(), task.source, task.target, options={**ADAM, "batch_size": 16, "steps": steps})
    return make_trainer(plan, task.source, task.target, Hooks(folder=folder))


def _spike(trainer: Trainer) -> None:
    """What one overflowing gradient leaves behind."""
    with torch.no_grad():
        next(trainer.nets["classifier"].parameters()).fill_(float("inf"))


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"a": [1, 2, 3], "b": [1, 2, 3]}, None),
        ({"a": [1, math.nan, math.nan], "b": [math.inf, math.nan, math.nan]}, ("b", 8)),
        ({"a": [1, 2, math.nan], "b": [1, 2, math.nan]}, ("a", 10)),  # in the same step, a is logged before b
        ({"a": [1, 1, math.nan], "n": [1, 1, 1, 1, 1, math.nan, 1, 1, 1]}, ("n", 9)),  # logged three times a step
    ],
)
def test_what_broke_first(window: dict[str, list[float]], expected: tuple[str, int] | None) -> None:
    assert first_broken(window, last=10, steps=3) == expected


# Class collapse


def test_a_collapse_is_noticed_where_two_classes_become_one() -> None:
    """The target lies so far off that most of it falls into the region of one class."""
    rows, accuracy = train(SourceOnly(), shifted_blobs(300, shift=12.0), plain_net(), steps=300)
    assert accuracy < 0.7
    found = only(rows, "class-collapse")
    assert found.step == 200, "two looks, at 100 and 200, must show it"
    assert "have collapsed" in found.sentence
    assert "of the source" in found.sentence
    assert "classes are taken for each other there" in found.sentence
    assert "not-learnt" not in kinds(rows)


def test_a_training_too_short_to_learn_says_that_the_source_is_no_better() -> None:
    rows, _ = train(SourceOnly(), shifted_blobs(300), plain_net(), steps=1, lr=1e-6)
    found = only(rows, "not-learnt")
    assert "On the source it is hardly better" in found.sentence
    assert "rain longer" in found.advice
    assert "class-collapse" not in kinds(rows)


def _look(target: list[int], expected: list[int] | None = None) -> Probed:
    labels = np.array(expected or [32] * len(target))
    return Probed(labels, labels, np.array(target))


def test_the_rule_of_collapse() -> None:
    classes = [str(c) for c in range(10)]
    even = [25, 26] * 5
    assert collapsed(1, _look(even), classes) is None
    missing = collapsed(1, _look([0, *even[1:]]), classes)
    assert missing is not None
    assert "“0” 0.0 % (10.0 % of the source)" in missing.sentence
    # A class that the source hardly has may be missing, and a rare answer alone is no collapse.
    assert collapsed(1, _look([0, *even[1:]], [1, *[36] * 9]), classes) is None
    assert collapsed(1, _look([4, *even[1:]]), classes) is None
    assert collapsed(1, _look([250] + [1] * 9), classes) is not None
    assert collapsed(1, _look([200, 56]), classes[:2]) is None
    assert collapsed(1, _look([240, 16]), classes[:2]) is not None


def test_effective_classes_by_another_way() -> None:
    """exp(H) is also the inverse of the geometric mean of the shares, weighted by themselves."""
    counts = np.array([5, 0, 3, 2])
    assert effective_classes(counts) == pytest.approx(1 / (0.5**0.5 * 0.3**0.3 * 0.2**0.2))
    assert effective_classes(np.full(7, 3)) == pytest.approx(7)
    assert effective_classes(np.array([0, 9])) == pytest.approx(1)


# Domain classifiers


def test_a_saturated_discriminator() -> None:
    """Nothing is reversed, so the features never learn to hide their domain."""
    task = shifted_blobs(300, shift=4.0)
    rows, _ = train(SmallDiscriminator(max_reversal=0.0), task, plain_net(), steps=300, lr=3e-3)
    assert domain_accuracy(rows)[-30:].mean() > 0.95
    found = only(rows, "discriminator-saturated")
    assert found.step == 120, "as soon as the ramp is over"
    assert found.until is None
    assert "It has won" in found.sentence
    assert "max_reversal" in found.advice
    assert "discriminator-blind" not in kinds(rows)


def test_a_blind_discriminator() -> None:
    """Its hidden units are dead, while the two sides lie far apart."""
    task = shifted_blobs(300, shift=4.0)
    rows, _ = train(DeadDiscriminator(), task, plain_net(), steps=300)
    assert abs(domain_accuracy(rows) - 0.5).max() < 0.01
    found = only(rows, "discriminator-blind")
    assert found.step == 200
    assert "right on more than 50.0 %" in found.sentence


def test_a_discriminator_with_nothing_to_see_is_not_blind() -> None:
    """The same dead one where source and target are alike: no other could do better."""
    rows, accuracy = train(DeadDiscriminator(), shifted_blobs(300, shift=0.0), plain_net(), steps=300)
    assert accuracy > 0.95
    assert abs(domain_accuracy(rows) - 0.5).max() < 0.01
    assert kinds(rows) == []


def test_a_discriminator_that_was_beaten_is_healthy() -> None:
    task = shifted_blobs(300, shift=2.0)
    rows, accuracy = train(SmallDiscriminator(), task, plain_net(), steps=600)
    told = domain_accuracy(rows)
    assert accuracy > 0.95
    assert np.convolve(told, np.full(30, 1 / 30), "valid").max() > 0.6 > told[-60:].mean()
    assert kinds(rows) == []


def test_saturation_needs_nearly_every_example() -> None:
    assert saturated(1, 0.94) is None
    assert saturated(1, 0.96) is not None


def test_telling_apart_agrees_with_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    for shift in (0.0, 1.0, 3.0):
        source = rng.normal(size=(256, 20))
        target = rng.normal(size=(256, 20)) + np.eye(20)[0] * shift
        x, y = np.concatenate([source, target]), np.repeat([0, 1], 256)
        fitted = np.tile(np.arange(256) % 2 == 0, 2)
        other = LogisticRegression().fit(x[fitted], y[fitted]).score(x[~fitted], y[~fitted])
        share, n = told_apart(source, target)
        assert n == 256
        assert share == pytest.approx(other, abs=0.05)


# Explosions


def test_a_loss_that_explodes_and_stays_finite() -> None:
    task = shifted_blobs(300, shift=4.0)
    rows, _ = train(DeepCORAL(weight=0.0), task, plain_net(), steps=150, lr=0.3)
    logged = [row["coral"] for row in rows if row["kind"] == "losses"]
    assert np.mean(logged[-15:]) > 1e3
    assert "coral has exploded" in only(rows, "exploding-loss").sentence


def test_an_explosion_that_passes_is_said_to_be_over() -> None:
    """MCD recovers from the first steps at an absurd rate."""
    rows, _ = train(MCD(n=1), shifted_blobs(300, shift=4.0), plain_net(), steps=150, lr=1.0)
    found = only(rows, "exploding-loss")
    assert found.until is not None
    assert found.step < found.until
    assert f"It was over by step {found.until}." in found.text()


def test_classifiers_that_disagree_fully() -> None:
    """The classifiers drift apart on the target, and nothing is reversed to bring the features back."""
    task = shifted_blobs(300, shift=14.0)
    rows, _ = train(OneStepMCD(max_reversal=0.0), task, plain_net(), steps=300, lr=1e-2)
    found = only(rows, "classifiers-disagree")
    assert found.step == 200
    assert "different answers on 100.0 % of target examples" in found.sentence


def test_growth_alone_is_no_explosion() -> None:
    first = {"label_loss": 2.3, "coral": 1e-3, "reversal": 0.01, "mmd": 0.1}
    assert exploded(1, first, {"label_loss": 0.1, "coral": 0.1, "reversal": 1.0}, 10) is None
    assert exploded(1, first, {"label_loss": 20.0}, 10) is None
    assert exploded(1, first, {"label_loss": 30.0}, 10) is not None
    assert exploded(1, first, {"coral": 30.0}, 10) is not None


# Batch norm


def test_statistics_of_the_source_on_a_target_that_was_moved() -> None:
    task = shifted_blobs(300, shift=4.0)
    rows, accuracy = train(SourceOnly(), task, steps=300, **SOFT)
    assert accuracy < 0.9
    found = only(rows, "foreign-statistics")
    assert found.step == 200
    assert "are the source’s: at features.1 the target lies" in found.sentence
    assert "adabn" in found.advice
    # The advice is good: the same weights with the target's statistics.
    advised, better = train(discovery.methods()["adabn"].load()(), task, steps=300, **SOFT)
    assert better > accuracy + 0.1
    assert kinds(advised) == []


def test_statistics_of_other_classes_are_no_cure() -> None:
    look = Probed(
        expected=np.array([5.0, 5.0]),
        right=np.array([5.0, 5.0]),
        target=np.array([9.0, 1.0]),
        statistics=Statistics("features.1", source=2.0, target=4.0, changed=0.7, shares=(0.5, 0.5)),
    )
    known = foreign(3, look, ("a", "b"))
    for expected in (SOME_CLASSES, AND_UNKNOWN):
        other = foreign(3, look, ("a", "b"), expected)
        assert known is not None
        assert other is not None
        assert other.sentence == known.sentence
        assert "adabn" in known.advice
        assert not {"adabn", "dann", "mcc"} & set(other.advice.replace(",", " ").replace(".", " ").split())
        assert "right if the proportions are equal" not in other.advice


def test_statistics_that_differ_without_effect_are_no_illness() -> None:
    """A move of half as much changes the statistics, but no answer."""
    rows, accuracy = train(SourceOnly(), shifted_blobs(300, shift=2.0), steps=300, **SOFT)
    assert accuracy > 0.95
    assert kinds(rows) == []
    assert "foreign-statistics" in (checks_made(rows) or [])


# All of them


HEALTHY = [
    (name, world, seed)
    for world, names in {
        "alike": ("source-only", "dann", "mcd"),
        "moved": ("adabn", "mcc", "coral"),
        "far": ("dan", "mcd-one-step", "dann"),
        "pictures": ("mcd",),
    }.items()
    for name in names
    for seed in (0, 1)
]


def test_twenty_healthy_trainings_are_silent() -> None:
    worlds = {
        "alike": lambda seed: shifted_blobs(300, shift=0.0, seed=seed),
        "moved": lambda seed: shifted_blobs(300, shift=2.0, seed=seed),
        "far": lambda seed: shifted_blobs(300, shift=4.0, seed=seed),
        "pictures": lambda seed: dimmed_bars(200, seed=seed),
    }
    assert len(HEALTHY) == 20
    for name, world, seed in HEALTHY:
        torch.manual_seed(seed)
        pictures = world == "pictures"
        method = SmallDiscriminator() if name == "dann" else discovery.methods()[name].load()()
        options = ADAM if pictures else SOFT
        rows, accuracy = train(
            method, worlds[world](seed), TinyNet() if pictures else None, **{**options, "steps": 210, "seed": seed}
        )
        assert accuracy > 0.9, (name, world, seed, accuracy)
        assert kinds(rows) == [], (name, world, seed)
        assert {"diverged", "class-collapse", "exploding-loss"} <= set(checks_made(rows) or ())


def test_looking_changes_nothing() -> None:
    """Weights, running averages and random states are the same after every kind of look, in either mode."""
    task = dimmed_bars(80)
    for method in (SourceOnly(), DANN(), MCD()):
        plan = make_plan(method, task.source, task.target, network=TinyNet(), options={**ADAM, "steps": 4})
        trainer = make_trainer(plan, task.source, task.target, Hooks())
        trainer.train_step()
        before = {f"{n}.{k}": v.clone() for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
        drawn = torch.get_rng_state()
        for final in (False, True):
            assert trainer.checkup.probe(apart=True, final=final) is not None
        after = {f"{n}.{k}": v for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
        assert before.keys() == after.keys()
        assert all(torch.equal(before[k], after[k]) for k in before)
        assert torch.equal(drawn, torch.get_rng_state())


def test_looks_read_no_target_label() -> None:
    """Labels of the target that training was given change nothing of what is seen."""
    task = dimmed_bars(80)
    plan = make_plan(SourceOnly(), task.source, task.target, network=TinyNet(), options=ADAM)
    nets, fitted = plan.networks(), plan.preprocess.fit
    looks = []
    for labels in (np.full(80, -1), np.zeros(80, np.int64)):
        target = fitted(Domain(task.target.inputs, labels, task.source.classes, "target"))
        looker = Probe(plan.method, nets, fitted(task.source), target, plan.preprocess, torch.device("cpu"), 128)
        looks.append(looker(apart=True, final=True))
    one, two = looks
    assert one is not None
    assert two is not None
    assert np.array_equal(one.target, two.target)
    assert one.told_apart == two.told_apart
    assert one.statistics == two.statistics


def test_a_stopped_training_remembers_what_it_noticed(tmp_path: Path) -> None:
    """The rows of two halves are those of the whole, through a look that only suspects and a finding that holds."""
    task = shifted_blobs(200, shift=4.0)
    plan = make_plan(
        SmallDiscriminator(max_reversal=0.0),
        task.source,
        task.target,
        network=plain_net(),
        options={**ADAM, "lr": 3e-3, "steps": 300},
    )

    def run(stop_at: int | None, folder: Path, resume: bool = False) -> Rows:
        rows: Rows = []
        trainer = make_trainer(plan, task.source, task.target, Hooks(record=rows.append, folder=folder))  # type: ignore[arg-type]
        trainer.hooks.stop = lambda: trainer.step == stop_at
        with seeded(1, torch.device("cpu")):
            if resume:
                trainer.restore(checkpoints.load(checkpoint_files.latest(folder)))
            if stop_at is None:
                trainer.train()
            else:
                with pytest.raises(Interrupted):
                    trainer.train()
        return rows

    for name in ("whole", "early", "late"):
        (tmp_path / name).mkdir()
    whole = run(None, tmp_path / "whole")
    assert "discriminator-saturated" in kinds(whole)
    for name, stop_at in (("early", 105), ("late", 207)):
        halves = run(stop_at, tmp_path / name) + run(None, tmp_path / name, resume=True)
        assert halves == whole


def test_the_state_is_plain_data() -> None:
    health = Health(100, ("a", "b"))
    for step in range(1, 60):
        health.log(step, {"label_loss": 0.5, "domain_accuracy": 0.99})
    state = json.loads(json.dumps(health.state_dict()))
    other = Health(100, ("a", "b"))
    other.load_state_dict(state)
    assert other.state_dict() == health.state_dict()
    assert [finding.kind for finding in other.holding] == ["discriminator-saturated"]


def test_progress_says_what_is_wrong_now() -> None:
    task = shifted_blobs(200, shift=4.0)
    plan = make_plan(
        SmallDiscriminator(max_reversal=0.0),
        task.source,
        task.target,
        network=plain_net(),
        options={**ADAM, "lr": 3e-3, "steps": 200},
    )
    words: dict[int, list[str]] = {}
    hooks = Hooks(progress=lambda progress: words.update({progress.step: [f.word for f in progress.findings]}))
    fit(plan, task.source, task.target, hooks)
    assert words[79] == []
    assert words[80] == ["discriminator saturated"]


def test_estimators_keep_the_findings() -> None:
    task = shifted_blobs(300, shift=4.0)
    model = estimators.estimator(SourceOnly)(steps=200, **SOFT).fit(task.source, task.target)
    assert [finding.kind for finding in model.health_] == ["foreign-statistics", "class-shares"]
    assert model.verdict_.endswith(
        "the checks noticed batch-norm statistics that are not the target's and classes that are answered far less "
        "often than the source suggests"
    )
    assert all(row["kind"] == "losses" for row in model.history_)
    well = estimators.estimator(SourceOnly)(steps=200, **SOFT).fit(task.source, task.source)
    assert well.health_ == []


def test_every_kind_has_a_description() -> None:
    from acclimate.training import collapse, health, proportions

    text = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (collapse, health, proportions))
    assert all(f'"{kind}"' in text for kind in CHECKS)
