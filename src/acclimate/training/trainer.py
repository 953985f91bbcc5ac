"""The training loop: every method's, and the only one."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.errors import WorkError
from acclimate.methods.abilities import AfterTraining, BetweenSteps, PseudoLabelled
from acclimate.methods.base import Method
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.batch_norm import averaging_layers
from acclimate.runs import checkpoint_files
from acclimate.runs.findings import noticed
from acclimate.runs.options import TrainingOptions
from acclimate.streams.base import Stream
from acclimate.streams.order import Weigh, ordered
from acclimate.streams.pair import labelled_rows
from acclimate.training import checkpoints
from acclimate.training.calendar import Calendar
from acclimate.training.checkup import CheckUp
from acclimate.training.collapse import ALL_CLASSES, Expected
from acclimate.training.evaluation import Evaluation
from acclimate.training.gradient_noise import add_gradient_noise
from acclimate.training.gradients import backward
from acclimate.training.health import Health, diverged, first_broken
from acclimate.training.hooks import Hooks, Progress
from acclimate.training.inference import examples_at_once
from acclimate.training.optimizers import SCHEDULES, make_optimizer, set_learning_rate
from acclimate.training.placement import as_made, placed
from acclimate.training.probe import Probe
from acclimate.training.processes import Processes
from acclimate.training.validation import Validation
from acclimate.training.window import Window
from acclimate.types import Examples, Passes, PseudoLabels, Update

# A checkpoint is written when training has gone on this many times as long as the last one took to write: at most 2 %
# of the time goes into saving, unless the user wants one after every step.
_CHECKPOINT_SHARE = 50


class Interrupted(Exception):  # noqa: N818  not an error: it was asked for
    """Training stopped because it was asked to; its state is saved."""

    def __init__(self, step: int, steps: int) -> None:
        self.step, self.steps = step, steps
        super().__init__(f"stopped at step {step} of {steps}")


class Trainer:
    """Trains a method's networks on one pair of domains.

    Args:
        method: what to do with a batch.
        nets: its networks, by the names its updates use; trained in place.
        source: labelled source in stored form (`preprocess.fit`).
        target: the target likewise; −1 where a label is not given.
        stream: draws batches of the two, in the form that the method takes.
        preprocess: turns stored arrays into input.
        options: resolved options; `precision` must no longer be `"auto"`.
        processes: this process's device and place.
        hooks: logging, evaluation, checkpoints.
        weigh: gives labels their weights where the method passes over a side; None where all examples count alike.
        validation: chooses the weights by examples that no step trains on, looked at after every epoch; None keeps
            the last step's.
        expected: what the source's classes let expect of answers on the target.
    """

    def __init__(
        self,
        method: Method,
        nets: Mapping[str, nn.Module],
        source: Domain,
        target: Domain,
        stream: Stream[Any],
        preprocess: AnyPreprocess,
        options: TrainingOptions,
        processes: Processes,
        hooks: Hooks,
        weigh: Weigh | None = None,
        validation: Validation | None = None,
        expected: Expected = ALL_CLASSES,
    ) -> None:
        self.method, self.preprocess, self.options = method, preprocess, options
        self.processes, self.device, self.hooks = processes, processes.device, hooks
        self.source, self.target = source, target
        self.nets = {name: placed(net, preprocess.kind, options, processes) for name, net in nets.items()}
        made = {name: make_optimizer(net, options) for name, net in self.nets.items()}
        self.optimizers: dict[str, Optimizer] = {name: o for name, o in made.items() if o is not None}
        self.step, self.weigh = 0, weigh
        self.streams = stream
        self.calendar = Calendar.of(options, source.num_labelled, len(target))
        self.health = Health(self.steps, source.classes, expected)
        self.validation = validation
        self.evaluation = Evaluation(method, self.nets, preprocess, self.device, hooks, examples_at_once(options))
        self._window = Window()
        self._latest: dict[str, float] = {}
        self._saved_step, self._saved_at, self._save_seconds = -1, time.monotonic(), 0.0
        self._began, self._seconds_before = time.monotonic(), 0.0
        self._restored = self._finished = False

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return self.calendar.steps

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of training, those before a restart included."""
        return self._seconds_before + time.monotonic() - self._began

    def train(self) -> None:
        """Run to the last step, and do what the method does after it; nothing is left to do for a finished snapshot.

        Raises:
            Interrupted: if `hooks.stop` said so; the state is saved first.
            WorkError: if a logged number or a weight is no longer finite.
        """
        if self._finished:
            return
        shares = self.method.between_steps_at if isinstance(self.method, BetweenSteps) else ()
        points, between = self.calendar.evaluations(self.options.evaluations), self.calendar.between(shares)
        if not self._restored:
            self._evaluate()
        while self.step < self.steps and not (self.validation and self.validation.is_over):
            stop, save = self.processes.any(self.hooks.stop(), self._checkpoint_is_due())
            if stop or save:
                self.save()
            if stop:
                raise Interrupted(self.step, self.steps)
            if self.step in between:
                self._between_steps()
            self.train_step()
            if self.calendar.logs(self.step):
                self._log()
            if self.step in points:
                self._evaluate()
            self._validate()
            if self.health.look_is_due(self.step) and self.processes.is_main:
                self._report(self.checkup.look(self.step, final=False))
            if self.processes.is_main:
                found = self.health.holding
                self.hooks.progress(Progress(self.hooks.phase, self.step, self.steps, self._latest, found))
        self._conclude()

    def train_step(self) -> None:
        """Draw one batch and carry out every update the method makes of it; a closed form has none."""
        for net in self.nets.values():
            net.train()
        progress = self.step / self.steps
        lr = max(self.options.lr * SCHEDULES[self.options.lr_schedule](progress), self.options.lr_floor)
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, lr)
        if isinstance(self.method, Stepwise):
            batch = self.streams.batch(progress, self.device)
            for number, update in enumerate(self.method.updates(self.nets, batch)):
                self._apply(update, number)
        self.step += 1

    def _apply(self, update: Update, number: int) -> None:
        """Take the step's update of that number."""
        parameters = backward(update, self.nets)
        self.processes.average_gradients(parameters, self.streams.share)
        if self.options.clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.options.clip_norm)
        if eta := self.options.gradient_noise:
            trained, decay = [self.nets[name] for name in update.trains], self.options.gradient_noise_decay
            add_gradient_noise(trained, eta, self.options.seed, self.step, number, decay)
        for name in update.trains:
            self.optimizers[name].step()
        self._window.add(update.logs)

    def _between_steps(self) -> None:
        """Let the method do its closed-form step.

        A checkpoint of this step is of before it, so that a resumed training does it too.
        """
        assert isinstance(self.method, BetweenSteps)
        self.processes.share_buffers(self.nets)  # what is computed of networks must be the same in every process
        for net in self.nets.values():
            net.eval()
        with torch.no_grad():
            self.method.between_steps(self.nets, self._passes())

    def _log(self) -> None:
        """Record the mean of every log since the last row."""
        window, self._window = self._window, Window()
        self._latest = self.processes.average(window.means(), self.streams.share)
        if not all(math.isfinite(mean) for mean in self._latest.values()):
            self._stop(window.floats())
        self._record("losses", self._latest)
        self._report(self.health.log(self.step, self._latest))

    def _record(self, kind: str, numbers: Mapping[str, float]) -> None:
        """Hand a metrics row to the record, in the one process that keeps it."""
        if self.processes.is_main:
            self.hooks.record({"kind": kind, "step": self.step, "epoch": self.calendar.epoch(self.step), **numbers})

    def _report(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Hand rows about health to the record."""
        for row in rows if self.processes.is_main else ():
            self.hooks.record(row)

    @cached_property
    def checkup(self) -> CheckUp:
        """What the health checks see of the networks."""
        sides, at_once = (self.source, self.target), examples_at_once(self.options)
        probe = Probe(self.method, self.nets, *sides, self.preprocess, self.device, at_once)
        return CheckUp(probe, self.source, self.target, self.health, self.hooks)

    def _stop_if_not_finite(self, window: Mapping[str, Sequence[float]]) -> None:
        """Stop before anything is made of weights, moments or averages that are no numbers."""
        logs = all(math.isfinite(value) for values in window.values() for value in values)
        broken = not logs or not all(bool(tensor.isfinite().all()) for tensor in self._learnt())
        if self.processes.any(broken)[0]:
            self._stop(window)

    def _learnt(self) -> Iterator[Tensor]:
        for net in self.nets.values():
            yield from net.parameters()
        for layer in averaging_layers(self.nets).values():
            yield from (v for v in (layer.running_mean, layer.running_var) if v is not None)
        for optimizer in self.optimizers.values():
            for state in optimizer.state.values():
                yield from (v for v in state.values() if isinstance(v, Tensor))

    def _stop(self, window: Mapping[str, Sequence[float]]) -> NoReturn:
        """Record and raise what went first, with the last good checkpoint."""
        first = first_broken(window, self.step, (self.step - 1) % self.calendar.log_every + 1)
        bf16 = self.options.precision == "bf16"
        finding = diverged(self.step, first, self.steps, self.options.lr, bf16=bf16)
        self._report([noticed(finding)])
        raise WorkError(f"{finding.sentence} {finding.advice}{self._what_is_left()}")

    def _what_is_left(self) -> str:
        if self.hooks.folder is None:
            return ""
        with contextlib.suppress(WorkError):  # all of them damaged
            path, _ = checkpoint_files.latest_good(self.hooks.folder)
            if path is not None:
                return f" The last good checkpoint is {path}."
        return " There is no good checkpoint yet."

    def _evaluate(self) -> None:
        if not self.processes.is_main or not self.evaluation.is_asked:
            return
        pseudo_labels = self.pseudo_labels() if self.hooks.observe else None
        numbers = self.evaluation.numbers(self.step, pseudo_labels)
        if self.evaluation.has_numbers:
            self._record("evaluation", numbers)

    @torch.no_grad()
    def pseudo_labels(self) -> PseudoLabels | None:
        """The method's pseudo-labels for the target's training examples in memory at this step, if it has any."""
        if not isinstance(self.method, PseudoLabelled) or self.target.is_on_disk:
            return None
        for net in self.nets.values():
            net.eval()
        return self.method.pseudo_labels(self.nets, self._passes())

    def _validate(self) -> None:
        """After an epoch, ask the validation set; the main process's answer is everybody's."""
        if self.validation is None or self.step % self.calendar.steps_per_epoch:
            return
        loss = self.validation.loss(self.evaluation.outputs) if self.processes.is_main else float("inf")
        (improved,) = self.processes.any(loss < self.validation.best_loss)
        self.validation.note(self.step, loss, improved, checkpoints.network_tensors(self.nets))
        self._record("validation", self.validation.numbers(loss))

    @property
    def selection(self) -> tuple[str, int]:
        """How the final weights were chosen, `"last"` or the validation's rule, and of which step they are."""
        if self.validation is None or not self.validation.best_step:
            return "last", self.step
        return self.validation.rule, self.validation.best_step

    def _conclude(self) -> None:
        self._stop_if_not_finite({})
        if self.validation is not None:
            self.validation.restore(self.nets)
        self.processes.share_buffers(self.nets)
        self._end_training_mode()
        if isinstance(self.method, AfterTraining):
            self.method.after_training(self.nets, self._passes())
        self._stop_if_not_finite({})
        self._evaluate()
        if self.processes.is_main:
            self._report(self.checkup.conclude(self.step, self.evaluation.outputs))
        if self.hooks.folder and self.processes.is_main:
            facts = {"finished": True, "seconds": self.seconds, "record": self.hooks.position(), **self._waiting()}
            snapshot = checkpoints.Snapshot(self.step, checkpoints.network_tensors(self.nets), facts)
            checkpoints.save(self.hooks.folder, snapshot)

    def _end_training_mode(self) -> None:
        for net in self.nets.values():
            as_made(net).eval()

    def _passes(self) -> Passes:
        source = labelled_rows(self.source)
        return Passes(lambda: self._pass(source, "source"), lambda: self._pass(self.target, "target"))

    def _pass(self, domain: Domain, role: str) -> Iterator[Examples]:
        weights = self.weigh and self.weigh(domain.labels)
        return ordered(domain, self.preprocess.of(role), self.options.batch_size, self.device, weights)

    def _checkpoint_is_due(self) -> bool:
        if self.hooks.folder is None or not self.processes.is_main or self.step == 0:
            return False
        least = self.options.checkpoint_seconds
        wait = max(least, _CHECKPOINT_SHARE * self._save_seconds) if least else 0
        return time.monotonic() - self._saved_at >= wait

    def save(self) -> None:
        """Write everything needed to go on exactly from here; nothing if that is on disk already.

        Raises:
            WorkError: if a weight is no longer finite; nothing is written then.
        """
        if self.step == self._saved_step:
            return
        self._stop_if_not_finite(self._window.floats())
        start = time.monotonic()
        snapshot = self.snapshot()
        if self.hooks.folder is not None and self.processes.is_main:
            checkpoints.save(self.hooks.folder, snapshot)
        self._saved_step, self._saved_at = self.step, time.monotonic()
        self._save_seconds = self._saved_at - start

    def snapshot(self) -> checkpoints.Snapshot:
        """The state between two steps, that of all processes together."""
        tensors = checkpoints.network_tensors(self.nets)
        for name, optimizer in self.optimizers.items():
            tensors |= checkpoints.optimizer_tensors(name, optimizer)
        own = self._generators(), self._window.floats()
        everyones = self.processes.gather(own)
        for rank, (generators, _) in enumerate(everyones):
            tensors |= {f"generators/{rank}/{name}": state for name, state in generators.items()}
        facts = {
            "streams": self.streams.positions(),
            "windows": [window for _, window in everyones],
            "seconds": self.seconds,
            "record": self.hooks.position() if self.processes.is_main else {},
            "health": self.health.state_dict(),
            **self._waiting(),
        }
        if self.validation is not None:
            tensors |= self.validation.tensors()
        return checkpoints.Snapshot(self.step, tensors, facts)

    def _waiting(self) -> dict[str, Any]:
        """How far early stopping has come, for a checkpoint."""
        return {} if self.validation is None else {"validation": self.validation.state_dict()}

    def _generators(self) -> dict[str, Tensor]:
        """The states of everything that draws random numbers in this process."""
        states = {"torch": torch.get_rng_state(), **self.streams.generators()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return states

    def restore(self, snapshot: checkpoints.Snapshot) -> None:
        """Go back to the state a snapshot holds.

        A process that the snapshot knows nothing of, because there were fewer, keeps its fresh random states.
        """
        checkpoints.load_networks(self.nets, snapshot)
        self.step, self._restored = snapshot.step, True
        self._saved_step = snapshot.step
        self._began, self._seconds_before = time.monotonic(), snapshot.facts["seconds"]
        if self.validation is not None and "validation" in snapshot.facts:
            self.validation.load_state_dict(snapshot.facts["validation"], snapshot.part("best"))
        if snapshot.facts.get("finished"):
            self._finished = True
            self._end_training_mode()
            return
        for name, optimizer in self.optimizers.items():
            checkpoints.load_optimizer(name, optimizer, snapshot)
        self.streams.go_to(snapshot.facts["streams"])
        if "health" in snapshot.facts:
            self.health.load_state_dict(snapshot.facts["health"])
        windows = snapshot.facts["windows"]
        if self.processes.rank < len(windows):
            self._window = Window(windows[self.processes.rank])
            self._restore_generators(snapshot.part(f"generators/{self.processes.rank}"))

    def _restore_generators(self, states: Mapping[str, Tensor]) -> None:
        self.streams.set_generators(states)
        torch.set_rng_state(states["torch"])
        if "cuda" in states and self.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], self.device)
