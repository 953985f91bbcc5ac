"""What leaves of a model: a program for each side that is asked about, and the run's answers to hold it against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.trim import trimmed
from acclimate.errors import RequestError, WorkError
from acclimate.export.program import Program
from acclimate.inputs.encode import PICTURE, encode
from acclimate.networks.photo_encoder import load_photo_encoder
from acclimate.problems.base import problem_called
from acclimate.training.fitted import Fitted
from acclimate.types import Side

_AT_ONCE = 64
# Of a logit, or of 1 where that is more: sums in another order differ in their last bits.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exit:
    """One program and the examples it is checked on.

    Attributes:
        side: whose examples it takes.
        program: the model.
        examples: in the form that the program takes, batch by batch.
        expected: what the run itself says of them, in order.
        pictures: how pictures reach it (`PictureFacts`); None where it takes none.
    """

    side: Side
    program: Program
    examples: Callable[[], Iterator[np.ndarray]]
    expected: np.ndarray
    pictures: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Of its files, without a suffix."""
        return "model" if self.side == "target" else "query"

    def check(self, run: Callable[[np.ndarray], np.ndarray], form: str) -> None:
        """Let a form of the program pass if it answers as the run does, on all of the examples.

        Raises:
            WorkError: if it does not.
        """
        got = np.concatenate([run(examples) for examples in self.examples()])
        if fault := difference(self.expected, got, ranks=self.program.gives == "logits"):
            raise WorkError(
                f"The form {form} answers otherwise than the run: {fault}. Nothing was written; choose another with "
                "--form, and please report this."
            )


def difference(expected: np.ndarray, got: np.ndarray, *, ranks: bool = True) -> str:
    """What is wrong with answers `(n, k)`; empty if they are the expected ones.

    They are if every number is within `TOLERANCE` and, of logits, the largest is the same one, or one that the
    expected answers hold for equally good by that measure.
    """
    if expected.shape != got.shape:
        return f"{got.shape} numbers in place of {expected.shape}"
    room = TOLERANCE * np.maximum(1.0, np.abs(expected))
    off = np.abs(got - expected)
    wide = ~(off <= room)  # what is no number is wide as well
    if wide.any():
        return f"{int(wide.any(axis=1).sum()):,} of {len(got):,} differ, by {np.nanmax(off):.2g} at most"
    if not ranks:
        return ""
    rows = np.arange(len(got))
    best, chosen = expected.argmax(axis=1), got.argmax(axis=1)
    gap = expected[rows, best] - expected[rows, chosen]
    other = gap > 2 * room[rows, best]
    return f"{int(other.sum()):,} of {len(got):,} have another class" if other.any() else ""


def exits(fitted: Fitted, sides: Mapping[Side, Domain]) -> list[Exit]:
    """What leaves of a model.

    Args:
        fitted: the model.
        sides: examples as they were read, of the target; of a model that finds things, of both sides.

    Raises:
        RequestError: if the model predicts numbers.
    """
    check_answers_classes(fitted)
    if fitted.plan.method.problem == "retrieval":
        return [_finder(fitted, side, domain) for side, domain in sides.items()]
    return [_classifier(fitted, sides["target"])]


def check_answers_classes(fitted: Fitted) -> None:
    """Let pass a model that tells classes apart or finds; what leaves of one that predicts numbers is its weights.

    Raises:
        RequestError: if it predicts numbers.
    """
    if not problem_called(fitted.plan.method.problem).asks_number:
        return
    rule = "must be safetensors for a method that predicts numbers; what goes with other forms names classes"
    fix = "Take --form safetensors, which acclimate.from_pretrained reads."
    raise RequestError("form", rule, f"another of {fitted.plan.method.name!r}", fix)


def _classifier(fitted: Fitted, domain: Domain) -> Exit:
    program = Program(fitted)
    stored = program.preprocess.fit(domain) if domain.kind != "images" else domain
    expected = fitted.outputs(domain, keep_features=False).logits
    return Exit("target", program, _batches(program, stored), expected, _pictures(program))


def _finder(fitted: Fitted, side: Side, domain: Domain) -> Exit:
    """Of a side of a model that finds: pictures go through what the run put them through first."""
    if domain.kind != "images":
        program = Program(fitted, side, "vectors")
        stored = program.preprocess.fit(domain)
        return Exit(side, program, _batches(program, stored), fitted.codes(stored, side))
    if side == "target":
        photos = load_photo_encoder(fitted.plan.options.photo_encoder)
        program = Program(fitted, side, "vectors", photos)
        expected = fitted.codes(encode(domain, encoder=photos), side)
        facts = {"stored": photos.stored, "channels": 3, "read_at": PICTURE, "drawings": False}
        return Exit(side, program, _batches(program, domain), expected, facts)
    program = Program(fitted, side, "vectors")
    drawings = trimmed(domain)
    facts = {"stored": program.stored, "channels": program.channels, "read_at": PICTURE, "drawings": True}
    return Exit(side, program, _batches(program, drawings), fitted.codes(drawings, side), facts)


def _pictures(program: Program) -> dict[str, Any] | None:
    if program.kind != "images":
        return None
    return {"stored": program.stored, "channels": program.channels, "read_at": None, "drawings": False}


def _batches(program: Program, domain: Domain) -> Callable[[], Iterator[np.ndarray]]:
    """A domain in the program's form, so many examples at a time."""

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(domain), _AT_ONCE):
            part = domain.take(slice(start, start + _AT_ONCE))
            yield program.raw(part if domain.kind != "images" else replace(part, inputs=program.resized(part.array)))

    return batches
