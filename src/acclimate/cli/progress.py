"""One calm live line on a terminal; plain lines, now and then, everywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from acclimate.cli.console import duration, err

if TYPE_CHECKING:
    from acclimate.runs.findings import Finding
    from acclimate.training.hooks import Progress

_PLAIN_SECONDS = 10.0


class LiveProgress:
    """Shows progress on standard error, of training if nothing else is said; call it after every step.

    Args:
        quiet: show nothing.
        unit: what is counted, one of them and in rates.
    """

    def __init__(self, quiet: bool = False, unit: tuple[str, str] = ("step", "it")) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=err,
            transient=True,
            refresh_per_second=4,
            disable=quiet or not err.is_terminal,
        )
        self._quiet, self._unit = quiet, unit
        self._plain = not quiet and not err.is_terminal
        self._phase, self._task = "", TaskID(0)
        self._started = self._first_step = self._shown = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where training stands."""
        now = time.monotonic()
        if progress.phase != self._phase:
            self._begin(progress, now)
        rate = (progress.step - self._first_step) / max(now - self._started, 1e-9)
        if self._plain:
            if now - self._shown >= _PLAIN_SECONDS or progress.step == progress.steps:
                left = duration((progress.steps - progress.step) / max(rate, 1e-9))
                # There is no time to speak of before a second step.
                course = [_speed(rate, self._unit[1]), f"{left} left"] if now > self._started else []
                said = [
                    f"{self._unit[0]} {progress.step}/{progress.steps}",
                    *course,
                    *filter(None, [_losses(progress)]),
                ]
                err.print(f"{progress.phase}: {', '.join(said)}", soft_wrap=True)
                self._shown = now
        else:
            self._bar.update(
                self._task, completed=progress.step, rate=_speed(rate, self._unit[1]), losses=_losses(progress)
            )

    def tell(self, sentence: str) -> None:
        """Say something at once, on a line of its own that stays."""
        if not self._quiet:
            err.print(sentence, soft_wrap=True, markup=False)

    def warn(self, finding: Finding) -> None:
        """Tell what was found unhealthy."""
        self.tell(f"Warning: {finding.text()}")

    def _begin(self, progress: Progress, now: float) -> None:
        if self._phase:
            self._bar.remove_task(self._task)
        self._phase, self._started, self._first_step, self._shown = progress.phase, now, progress.step - 1, now
        self._task = self._bar.add_task(progress.phase, total=progress.steps, rate="", losses="")


def _losses(progress: Progress) -> str:
    """What is unhealthy, by its short name, and the losses."""
    words = [f"! {finding.word}" for finding in progress.findings]
    return "  ".join([*words, *(f"{name} {value:.3f}" for name, value in progress.logs.items())])


def _speed(rate: float, unit: str) -> str:
    """Steps a second, or seconds a step for slow ones."""
    return f"{rate:.1f} {unit}/s" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s/{unit}"
