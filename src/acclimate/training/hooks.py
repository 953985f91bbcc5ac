"""What the callbacks of a training may do: watch it, record it, stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acclimate.data.domain import Domain
from acclimate.runs.findings import Finding
from acclimate.training.inference import Translated
from acclimate.training.proportions import Baseline
from acclimate.types import Outputs, PseudoLabels, Side

Observer = Callable[[Mapping[str, Outputs], PseudoLabels | None], Mapping[str, float]]
Picturer = Callable[[int, Mapping[Side, Translated]], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, for whoever displays it.

    Attributes:
        phase: what it is called.
        step: steps done.
        steps: in all.
        logs: the latest logged means.
        findings: what is unhealthy at present.
    """

    phase: str
    step: int
    steps: int
    logs: Mapping[str, float]
    findings: tuple[Finding, ...] = ()


@dataclass
class Hooks:
    """What the callbacks of a training may do; nothing that flows back into it.

    Attributes:
        evaluate: domains to run the networks over at evaluation points, by role.
        observe: turns those outputs, and the method's pseudo-labels if it has any, into numbers to record.
        monitor: domains to take the method's `monitor` losses over at the same points, by role.
        show: a few examples of each side to translate at the same points, for a problem of translation.
        picture: receives the step and those translations.
        record: receives every metrics row.
        progress: called after every step.
        stop: asked before every step; True saves the state and stops.
        phase: what to call this training in progress displays.
        folder: where checkpoints go; none are written without it.
        position: how far the record has come, for the checkpoint to remember.
        held_out: source examples that no step trains on, for the checks to judge by.
        baseline: what the model without adaptation answers, for them to compare with.
    """

    evaluate: Mapping[str, Domain] = field(default_factory=dict)
    observe: Observer | None = None
    monitor: Mapping[str, Domain] = field(default_factory=dict)
    show: Mapping[Side, Domain] = field(default_factory=dict)
    picture: Picturer = lambda step, translations: None
    record: Callable[[Mapping[str, object]], None] = lambda row: None
    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    phase: str = "training"
    folder: Path | None = None
    position: Callable[[], Mapping[str, object]] = dict
    held_out: Domain | None = None
    baseline: Baseline | None = None
