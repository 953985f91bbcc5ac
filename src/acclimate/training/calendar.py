"""`Calendar`: which steps a training has, and what is due at each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from acclimate.runs.options import TrainingOptions

_LOGGED_POINTS = 500


@dataclass(frozen=True)
class Calendar:
    """The steps of a training.

    Attributes:
        steps: how many in all.
        steps_per_epoch: how many pass over the data once.
    """

    steps: int
    steps_per_epoch: int

    @classmethod
    def of(cls, options: TrainingOptions, n_source: int, n_target: int) -> Calendar:
        """Of a training; an epoch is the full batches in one pass, at least one.

        Args:
            options: say which of the two sides an epoch passes over.
            n_source: labelled source examples; no step trains on others. None at all leaves the target alone.
            n_target: target examples.
        """
        lengths = [n for n in (n_source, n_target) if n]
        length = min(lengths) if options.epoch_length == "shorter" else max(lengths)
        epoch = max(1, length // options.batch_size)
        return cls(options.steps or options.epochs * epoch, epoch)

    @property
    def log_every(self) -> int:
        """Steps from one logged mean of the losses to the next."""
        return max(1, self.steps // _LOGGED_POINTS)

    def logs(self, step: int) -> bool:
        """Whether the losses since the last time are logged after that step."""
        return step % self.log_every == 0 or step == self.steps

    def evaluations(self, number: int) -> set[int]:
        """Steps after which the accuracy curves get a point, evenly spaced; the end has its own."""
        every = max(1, round(self.steps / number))
        return {*range(every, self.steps, every)}

    def between(self, shares: Iterable[float]) -> set[int]:
        """Steps before which a method does a closed-form step, at these shares; each is one of the training's."""
        return {min(self.steps - 1, round(share * self.steps)) for share in shares}

    def epoch(self, step: int) -> float:
        """How often the data have been passed over by then."""
        return round(step / self.steps_per_epoch, 4)
