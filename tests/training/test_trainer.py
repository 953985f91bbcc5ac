from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.data.cache import VARIABLE
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from acclimate.errors import RequestError, UnknownNameError, WorkError
from acclimate.methods.base import Networks
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.classification.train_on_target import TrainOnTarget
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Pretrained
from acclimate.problems.fitting import fit, make_trainer
from acclimate.problems.planning import make_plan
from acclimate.runs import checkpoint_files
from acclimate.runs.options import TrainingOptions
from acclimate.training import checkpoints, precision
from acclimate.training.calendar import Calendar
from acclimate.training.hooks import Hooks, Progress
from acclimate.training.optimizers import make_optimizer, set_learning_rate
from acclimate.training.precision import choose_precision, gains_from_bf16, train_in_bf16
from acclimate.training.processes import Processes
from acclimate.types import Batch, Outputs, PseudoLabels, Update
from worlds import TinyNet, quick_fit, target_accuracy, tiny_plan, weights

CPU = torch.device("cpu")


class ReusesASpentGraph(Stepwise[Batch]):
    """Yields two updates from one graph: the mistake that autograd must catch."""

    name: ClassVar[str] = "reuses"
    title: ClassVar[str] = "Reuses"
    paper: ClassVar[str] = "none"

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        logits = self.logits(nets, batch.source.x)
        yield Update(logits.square().mean(), trains=("features", "classifier"))
        yield Update(logits.mean(), trains=("features",))


class NamesTheWrongNetwork(Stepwise[Batch]):
    """Claims to train a network that its loss does not reach."""

    name: ClassVar[str] = "wrong"
    title: ClassVar[str] = "Wrong"
    paper: ClassVar[str] = "none"

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        with torch.no_grad():
            features = nets["features"](batch.source.x)
        yield Update(nets["classifier"](features).mean(), trains=("features", "classifier"))


def test_a_spent_graph_cannot_be_used_again() -> None:
    with pytest.raises(RuntimeError, match="second time|modified by an inplace"):
        quick_fit(ReusesASpentGraph(), dimmed_bars(40))


def test_an_update_that_does_not_reach_a_network_is_refused() -> None:
    with pytest.raises(WorkError, match="an update trains 'features', but its loss does not depend on that network"):
        quick_fit(NamesTheWrongNetwork(), dimmed_bars(40))


@pytest.mark.parametrize(
    ("sizes", "options", "steps"),
    [
        ((2000, 1800), {"batch_size": 128, "epoch_length": "shorter"}, 14),  # MCD's subsample protocol
        ((73_257, 55_000), {"batch_size": 128, "epoch_length": "shorter"}, 429),  # SVHN → MNIST
        ((100_000, 31_367), {"batch_size": 128, "epoch_length": "shorter"}, 245),  # SYN SIGNS → GTSRB
        ((100, 1000), {"batch_size": 10}, 100),
        ((3, 5), {"batch_size": 10}, 1),
    ],
)
def test_epochs_are_as_long_as_the_protocols_say(
    sizes: tuple[int, int], options: dict[str, object], steps: int
) -> None:
    assert Calendar.of(TrainingOptions(**options), *sizes).steps_per_epoch == steps  # type: ignore[arg-type]


def test_hooks_see_losses_evaluations_and_every_step() -> None:
    task = dimmed_bars(40)
    rows: list[dict[str, object]] = []
    seen: list[Progress] = []
    plan = tiny_plan(DANN(), task, steps=6, evaluations=3)

    def observe(outputs: dict[str, Outputs], pseudo: PseudoLabels | None) -> dict[str, float]:
        assert pseudo is None
        return {f"{role}_n": len(found.logits) for role, found in outputs.items()}

    hooks = Hooks(
        evaluate={"target_test": plan.preprocess.fit(task.target_test)},
        observe=observe,  # type: ignore[arg-type]
        record=rows.append,  # type: ignore[arg-type]
        progress=seen.append,
    )
    fit(plan, task.source, task.target, hooks)
    assert [p.step for p in seen] == [1, 2, 3, 4, 5, 6]
    assert [r["step"] for r in rows if r["kind"] == "evaluation"] == [0, 2, 4, 6]
    assert all(r["target_test_n"] == 40 for r in rows if r["kind"] == "evaluation")
    losses = [r for r in rows if r["kind"] == "losses"]
    assert [r["step"] for r in losses] == [1, 2, 3, 4, 5, 6]
    assert {"label_loss", "domain_loss", "domain_accuracy", "reversal"} <= losses[0].keys()


def test_watching_changes_nothing() -> None:
    task = dimmed_bars(40)
    plan = tiny_plan(DANN(), task)
    hooks = Hooks(evaluate={"target": plan.preprocess.fit(task.target)}, observe=lambda *seen: {})
    watched, alone = fit(plan, task.source, task.target, hooks), fit(plan, task.source, task.target)
    a, b = weights(watched), weights(alone)
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_the_learning_rate_follows_its_schedule_and_pretrained_parts_follow_slower() -> None:
    net = nn.Sequential(Pretrained(nn.Linear(2, 2), lr_scale=0.1), nn.Linear(2, 2))
    optimizer = make_optimizer(net, TrainingOptions(lr=0.5))
    assert optimizer is not None
    set_learning_rate(optimizer, 0.2)
    rates = sorted(g["lr"] for g in optimizer.param_groups)
    assert rates == pytest.approx([0.02, 0.2])
    frozen = nn.Linear(2, 2).requires_grad_(False)
    assert make_optimizer(frozen, TrainingOptions()) is None


def test_gradients_can_be_clipped() -> None:
    task = dimmed_bars(40)
    free, clipped = (
        quick_fit(SourceOnly(), task, optimizer="sgd", lr=1.0, momentum=0.0, steps=1, clip_norm=c)
        for c in (None, 1e-4)
    )
    start = tiny_plan(SourceOnly(), task).networks()["classifier"].weight
    moves = [(f.nets["classifier"].weight - start).norm().item() for f in (free, clipped)]
    assert moves[1] <= 1e-4 < moves[0]


def test_bf16_is_used_in_training_mode_only_and_hands_out_float32() -> None:
    seen: list[torch.dtype] = []

    class Spy(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = super().forward(x)
            seen.append(out.dtype)
            return out

    net = Spy(3, 2)
    train_in_bf16(net, CPU)
    assert net(torch.randn(4, 3)).dtype == torch.float32
    net.eval()
    net(torch.randn(4, 3))
    assert seen == [torch.bfloat16, torch.float32]


def test_precision_is_left_alone_where_it_is_chosen_or_cannot_pay() -> None:
    alone = Processes("cpu")
    assert choose_precision("fp32", "images", alone) == "fp32"
    assert choose_precision("bf16", "features", alone) == "bf16"
    assert choose_precision("auto", "features", alone) == "fp32"
    assert choose_precision("auto", "images", alone) in ("fp32", "bf16")
    assert not gains_from_bf16("mps")


def test_a_processor_is_asked_once_whether_it_gains_from_bf16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    asked = []

    def answer(fast: bool) -> bool:
        asked.append(fast)
        return fast

    for fast in (True, False):  # whatever a later look would find
        monkeypatch.setattr(precision, "_is_faster_in_bf16", lambda fast=fast: answer(fast))
        gains_from_bf16.cache_clear()  # another process
        assert gains_from_bf16("cpu")
    assert asked == [True]
    (tmp_path / "cache" / "bf16.json").write_text("[damaged")
    gains_from_bf16.cache_clear()
    assert not gains_from_bf16("cpu")
    gains_from_bf16.cache_clear()


def test_a_cache_that_cannot_be_written_costs_a_second_look_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(precision, "_is_faster_in_bf16", lambda: True)
    gains_from_bf16.cache_clear()
    assert gains_from_bf16("cpu")
    gains_from_bf16.cache_clear()


def test_every_process_takes_the_main_ones_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "gains_from_bf16", lambda device: False)
    processes = Processes("cpu")
    monkeypatch.setattr(processes, "gather", lambda own: [True, own])
    assert choose_precision("auto", "images", processes) == "bf16"


def test_compiled_networks_learn_the_same() -> None:
    pytest.importorskip("torch._inductor")
    task = dimmed_bars(40)
    plain = quick_fit(SourceOnly(), task, steps=3)
    try:
        compiled = quick_fit(SourceOnly(), task, steps=3, compile=True)
    except torch._dynamo.exc.BackendCompilerFailed as error:  # no C++ compiler
        pytest.skip(f"this machine cannot compile: {error}")
    a, b = weights(plain), weights(compiled)
    assert all(torch.allclose(a[k].float(), b[k].float(), atol=1e-4) for k in a)


def test_train_on_target_needs_labels_and_says_so() -> None:
    with pytest.raises(RequestError, match="label_budget must grant target labels .* Add --label-budget all"):
        quick_fit(TrainOnTarget(), dimmed_bars(40))


def test_users_own_network_is_copied_not_trained() -> None:
    task, network = dimmed_bars(40), TinyNet()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    plan = make_plan(SourceOnly(), task.source, task.target, network=network, options={"steps": 2, "batch_size": 8})
    fitted = fit(plan, task.source, task.target)
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    assert fitted.outputs(task.target).features.shape == (40, 16)


def test_features_that_nobody_asks_for_are_not_kept() -> None:
    # 60,000 images through the SVHN network are 0.4 GB; their features 0.7 GB, which were held twice.
    task = dimmed_bars(40)
    fitted = quick_fit(MCD(), task)
    whole, without = (fitted.outputs(task.target, keep_features=keep) for keep in (True, False))
    assert whole.features.shape == (40, 16)
    assert without.features.shape == (40, 0)
    assert np.array_equal(whole.logits, without.logits)
    assert all(np.array_equal(whole.heads[name], without.heads[name]) for name in whole.heads)


def test_a_network_of_the_wrong_shape_is_refused() -> None:
    task = dimmed_bars(40)

    class Mixes(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(1, -1)

    plan = make_plan(SourceOnly(), task.source, task.target, network=Mixes())
    with pytest.raises(RequestError, match=r"network must map \(2, 1, 8, 8\) inputs to \(2, d\) features"):
        fit(plan, task.source, task.target)


@pytest.mark.parametrize(
    ("network", "world", "words"),
    [
        ("mcd-usbs", dimmed_bars, "Did you mean 'mcd-usps'"),
        ("mlp", dimmed_bars, "network must be one for images"),
        ("mcd-usps", shifted_blobs, "must be 'mlp', 'bag-of-words' or a module of yours for feature vectors"),
    ],
)
def test_networks_that_do_not_fit_are_refused(network: str, world: object, words: str) -> None:
    task = world(40)  # type: ignore[operator]
    with pytest.raises(RequestError, match=words):
        make_plan(SourceOnly(), task.source, task.target, network=network)


def test_options_have_rules_and_suggestions() -> None:
    with pytest.raises(UnknownNameError, match="option must be a known name; got 'epoch'. Did you mean 'epochs'"):
        TrainingOptions.resolve({}, {"epoch": 3})
    with pytest.raises(RequestError, match="lr must be greater than 0; got -1"):
        TrainingOptions.resolve({}, {"lr": -1})
    assert TrainingOptions.resolve({"lr": 0.5}, {"lr": None, "epochs": 2}).lr == 0.5


def test_the_learning_rate_follows_its_schedule_down_to_its_floor() -> None:
    task = dimmed_bars(40)
    options = {"steps": 6, "optimizer": "sgd", "lr": 0.005, "lr_schedule": "annealing", "lr_floor": 0.002}
    trainer = make_trainer(tiny_plan(SourceOnly(), task, **options), task.source, task.target, Hooks())
    rates = []
    for _ in range(6):
        trainer.train_step()
        rates.append(float(trainer.optimizers["classifier"].param_groups[0]["lr"]))
    # As in the code of HATN: max(.005 / (1 + 10 p)^.75, .002)
    assert rates == pytest.approx([max(0.005 / (1 + 10 * step / 6) ** 0.75, 0.002) for step in range(6)])
    assert rates[-1] == pytest.approx(0.002)
    with pytest.raises(RequestError, match=r"lr_floor must be at most lr, 0\.005; got 0\.01\. Lower it"):
        tiny_plan(SourceOnly(), task, lr=0.005, lr_floor=0.01)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    path = tmp_path / "step-00000001.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(WorkError, match="cannot be read"):
        checkpoints.load(path)
    with pytest.raises(WorkError, match="no checkpoint"):
        checkpoint_files.latest(tmp_path / "nowhere")


def test_the_two_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    task = dimmed_bars(40)
    trainer = make_trainer(tiny_plan(DANN(), task), task.source, task.target, Hooks(folder=tmp_path))
    for _ in range(3):
        trainer.train_step()
        trainer.save()
    assert [p.name for p in checkpoint_files.checkpoints(tmp_path)] == [
        f"step-0000000{k}.safetensors" for k in (2, 3)
    ]
    assert not [p for p in tmp_path.iterdir() if p.suffix == ".part"]


def test_learns_a_simple_world() -> None:
    task = shifted_blobs(300, shift=0.0)
    fitted = quick_fit(SourceOnly(), task, steps=150, batch_size=64, lr=1e-2)
    assert target_accuracy(fitted, task) > 0.98
