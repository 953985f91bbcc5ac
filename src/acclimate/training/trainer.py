"""The training loop: every method's, and the only one."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.streams import PairedStream, ordered
from acclimate.errors import WorkError
from acclimate.methods.base import Method
from acclimate.runs.options import TrainingOptions
from acclimate.training import checkpoints
from acclimate.training.inference import outputs
from acclimate.training.optimizers import SCHEDULES, make_optimizer, set_learning_rate
from acclimate.training.precision import train_in_bf16, train_in_fp32
from acclimate.training.processes import Processes
from acclimate.types import Examples, Outputs, Passes, Update

Observer = Callable[[Mapping[str, Outputs]], Mapping[str, float]]
_LOGGED_POINTS = 500
# A checkpoint is written when training has gone on this many times as long as the last one took to write, and at
# least this many seconds: at most 2 % of the time goes into saving.
_CHECKPOINT_SHARE, _CHECKPOINT_SECONDS = 50, 30


class Interrupted(Exception):  # noqa: N818  not an error: it was asked for
    """Training stopped because it was asked to; its state is saved."""

    def __init__(self, step: int, steps: int) -> None:
        self.step, self.steps = step, steps
        super().__init__(f"stopped at step {step} of {steps}")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, for whoever displays it."""

    phase: str
    step: int
    steps: int
    logs: Mapping[str, float]


@dataclass
class Hooks:
    """What the surroundings of a training may do; nothing that flows back into it.

    Attributes:
        evaluate: domains to run the networks over at evaluation points, by role.
        observe: turns those outputs into numbers to record.
        record: receives every metrics row.
        progress: called after every step.
        stop: asked before every step; True saves the state and stops.
        phase: what to call this training in progress displays.
        folder: where checkpoints go; none are written without it.
    """

    evaluate: Mapping[str, Domain] = field(default_factory=dict)
    observe: Observer | None = None
    record: Callable[[Mapping[str, object]], None] = lambda row: None
    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    phase: str = "training"
    folder: Path | None = None


class Trainer:
    """Trains a method's networks on one pair of domains.

    Args:
        method: what to do with a batch.
        nets: its networks, by the names its updates use; trained in place.
        source: labelled source in stored form (`preprocess.fit`).
        target: the target likewise; −1 where a label is not given.
        preprocess: turns stored arrays into input.
        options: resolved options; `precision` must no longer be `"auto"`.
        processes: this process's device and place.
        hooks: logging, evaluation, checkpoints.
    """

    def __init__(
        self,
        method: Method,
        nets: Mapping[str, nn.Module],
        source: Domain,
        target: Domain,
        preprocess: Preprocess,
        options: TrainingOptions,
        processes: Processes,
        hooks: Hooks,
    ) -> None:
        self.method, self.preprocess, self.options = method, preprocess, options
        self.processes, self.device, self.hooks = processes, processes.device, hooks
        self.source, self.target = source, target
        self.nets = {name: self._placed(net) for name, net in nets.items()}
        made = {name: make_optimizer(net, options) for name, net in self.nets.items()}
        self.optimizers: dict[str, Optimizer] = {name: o for name, o in made.items() if o is not None}
        self.streams = PairedStream(
            source, target, preprocess, options.batch_size, options.seed, (processes.rank, processes.size)
        )
        self.steps_per_epoch = epoch_steps(len(source), len(target), options)
        self.steps = options.steps or options.epochs * self.steps_per_epoch
        self.step = 0
        self._window: dict[str, list[Tensor | float]] = {}
        self._latest: dict[str, float] = {}
        self._saved_at, self._save_seconds = time.monotonic(), 0.0
        self._began, self._seconds_before = time.monotonic(), 0.0
        self._restored = self._finished = False

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of training, those before a restart included."""
        return self._seconds_before + time.monotonic() - self._began

    def _placed(self, net: nn.Module) -> nn.Module:
        net = net.to(self.device)
        if self.preprocess.kind == "images":
            net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.options.precision == "bf16":
            train_in_bf16(net, self.device)
        if self.options.compile:
            net.compile()
        return net

    def train(self) -> None:
        """Run to the last step, then let the method conclude; nothing is left to do for a finished snapshot.

        Raises:
            Interrupted: if `hooks.stop` said so; the state is saved first.
            WorkError: if a logged loss is no longer a finite number.
        """
        if self._finished:
            return
        log_every = max(1, self.steps // _LOGGED_POINTS)
        points = self._evaluation_points()
        if not self._restored:
            self._evaluate()
        while self.step < self.steps:
            if self.hooks.stop():
                self.save()
                raise Interrupted(self.step, self.steps)
            self.train_step()
            if self.step % log_every == 0 or self.step == self.steps:
                self._log()
            if self.step in points:
                self._evaluate()
            self.hooks.progress(Progress(self.hooks.phase, self.step, self.steps, self._latest))
            if self._checkpoint_is_due():
                self.save()
        self._conclude()

    def train_step(self) -> None:
        """Draw one batch and carry out every update the method makes of it."""
        for net in self.nets.values():
            net.train()
        progress = self.step / self.steps
        lr = self.options.lr * SCHEDULES[self.options.lr_schedule](progress)
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, lr)
        batch = self.streams.batch(progress, self.device)
        for update in self.method.updates(self.nets, batch):
            self._apply(update)
        self.step += 1

    def _apply(self, update: Update) -> None:
        parameters = backward(update, self.nets)
        self.processes.average_gradients(parameters)
        if self.options.clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.options.clip_norm)
        for name in update.trains:
            self.optimizers[name].step()
        for name, value in update.logs.items():
            self._window.setdefault(name, []).append(value)

    def _log(self) -> None:
        """Record the mean of every log since the last row; reading tensors here, not every step, avoids stalls."""
        self._latest = {
            name: float(torch.stack([torch.as_tensor(v, dtype=torch.float32) for v in values]).mean())
            for name, values in self._window.items()
        }
        self._window = {}
        self._check_finite()
        self.hooks.record({"kind": "losses", "step": self.step, "epoch": self._epoch, **self._latest})

    def _check_finite(self) -> None:
        lost = [name for name, value in self._latest.items() if not math.isfinite(value)]
        if lost:
            raise WorkError(
                f"training diverged: {' and '.join(lost)} no finite number at step {self.step} of {self.steps}. "
                f"Try a lower learning rate than {self.options.lr:g}, or --set clip_norm=1."
            )

    def _evaluation_points(self) -> set[int]:
        """Steps after which the accuracy curves get a point, evenly spaced; the end has its own."""
        every = max(1, round(self.steps / self.options.evaluations))
        return {*range(every, self.steps, every)}

    @property
    def _epoch(self) -> float:
        return round(self.step / self.steps_per_epoch, 4)

    def _evaluate(self) -> None:
        if self.hooks.observe is None:
            return
        seen = {role: self.outputs(domain) for role, domain in self.hooks.evaluate.items()}
        numbers = self.hooks.observe(seen)
        self.hooks.record({"kind": "evaluation", "step": self.step, "epoch": self._epoch, **numbers})

    def outputs(self, domain: Domain) -> Outputs:
        """What the networks say about a domain in stored form, without features."""
        return outputs(self.method, self.nets, domain, self.preprocess, self.device, keep_features=False)

    def _conclude(self) -> None:
        self._end_training_mode()
        source = self.streams.streams["source"].domain  # without its unlabelled examples
        self.method.conclude(self.nets, Passes(lambda: self._pass(source), lambda: self._pass(self.target)))
        self._evaluate()
        if self.hooks.folder and self.processes.is_main:
            facts = {"finished": True, "seconds": self.seconds}
            snapshot = checkpoints.Snapshot(self.step, checkpoints.network_tensors(self.nets), facts)
            checkpoints.save(self.hooks.folder, snapshot)

    def _end_training_mode(self) -> None:
        for net in self.nets.values():
            train_in_fp32(net)
            net.eval()

    def _pass(self, domain: Domain) -> Iterator[Examples]:
        return ordered(domain, self.preprocess, self.options.batch_size, self.device)

    def _checkpoint_is_due(self) -> bool:
        wait = max(_CHECKPOINT_SECONDS, _CHECKPOINT_SHARE * self._save_seconds)
        return self.hooks.folder is not None and time.monotonic() - self._saved_at > wait

    def save(self) -> None:
        """Write everything needed to go on exactly from here."""
        if self.hooks.folder is None or not self.processes.is_main:
            return
        start = time.monotonic()
        checkpoints.save(self.hooks.folder, self.snapshot())
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - start

    def snapshot(self) -> checkpoints.Snapshot:
        """The state between two steps."""
        tensors = checkpoints.network_tensors(self.nets)
        for name, optimizer in self.optimizers.items():
            tensors |= checkpoints.optimizer_tensors(name, optimizer)
        streams = self.streams.state_dict()
        tensors |= {f"generators/{side}": state["generator"] for side, state in streams.items()}  # type: ignore[misc]
        tensors["generators/torch"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["generators/cuda"] = torch.cuda.get_rng_state(self.device)
        window = {name: [float(v) for v in values] for name, values in self._window.items()}
        facts = {
            "streams": {side: state["indices"] for side, state in streams.items()},
            "window": window,
            "seconds": self.seconds,
        }
        return checkpoints.Snapshot(self.step, tensors, facts)

    def restore(self, snapshot: checkpoints.Snapshot) -> None:
        """Go back to the state a snapshot holds."""
        checkpoints.load_networks(self.nets, snapshot)
        self.step, self._restored = snapshot.step, True
        self._began, self._seconds_before = time.monotonic(), snapshot.facts["seconds"]
        if snapshot.facts.get("finished"):
            self._finished = True
            self._end_training_mode()
            return
        for name, optimizer in self.optimizers.items():
            checkpoints.load_optimizer(name, optimizer, snapshot)
        generators = snapshot.part("generators")
        positions = snapshot.facts["streams"]
        self.streams.load_state_dict(
            {side: {"indices": positions[side], "generator": generators[side]} for side in positions}
        )
        torch.set_rng_state(generators["torch"])
        if "cuda" in generators and self.device.type == "cuda":
            torch.cuda.set_rng_state(generators["cuda"], self.device)
        self._window = dict(snapshot.facts["window"])


def epoch_steps(n_source: int, n_target: int, options: TrainingOptions) -> int:
    """Full batches in one epoch, at least one."""
    length = min(n_source, n_target) if options.epoch_length == "shorter" else max(n_source, n_target)
    return max(1, length // options.batch_size)


def backward(update: Update, nets: Mapping[str, nn.Module]) -> list[nn.Parameter]:
    """Compute the gradients of exactly the networks that an update trains.

    Naming the parameters to `backward` makes autograd skip everything else, including weight gradients of layers
    that are only passed through.

    Args:
        update: what to minimise, and over what.
        nets: all networks.

    Returns:
        The parameters whose gradients were computed.

    Raises:
        WorkError: if the loss does not depend on a network that the update names.
    """
    parameters: list[nn.Parameter] = []
    for name in update.trains:
        own = [p for p in nets[name].parameters() if p.requires_grad]
        parameters.extend(own)
    for parameter in parameters:
        parameter.grad = None
    update.loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
    for name in update.trains:
        if all(p.grad is None for p in nets[name].parameters()):
            raise WorkError(f"an update trains {name!r}, but its loss does not depend on that network")
    return parameters


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators inside, and give the caller's state back afterwards."""
    devices: Sequence[int] = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
