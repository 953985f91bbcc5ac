"""What the HTTP interface answers with; OpenAPI describes these, the page reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import acclimate
from acclimate.data.domain import Domain
from acclimate.data.readers.pictures import FORMATS
from acclimate.serving.encoder import Classifier, Examiner
from acclimate.serving.searching import MOST_RESULTS, Hit, Ink, Limits, Served


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Allowed(_Answer):
    """How much may be asked for."""

    bytes: int = Field(description="Of an uploaded picture.")
    pixels: int = Field(description="Of an uploaded picture.")
    k: int = Field(description="Most results of one answer.")
    formats: list[str] = Field(description="Of uploaded pictures.")
    pictures: int = Field(description="In one request for predictions.")
    examples: int = Field(description="Texts or rows in one request for predictions.")


class Info(_Answer):
    """What is served here."""

    version: str = Field(description="Of acclimate.")
    kind: Literal["search", "classify", "nothing"] = Field(description="What the page offers.")
    title: str = Field(description="Of the run.")
    method: str = Field(description="What adapted it.")
    baseline: str | None = Field(description="What it is compared with, where classes are told apart.")
    takes: Literal["pictures", "texts", "rows"] = Field(description="What is asked for.")
    columns: list[str] = Field(description="Of a row; empty where rows are lists of numbers, or there are none.")
    photos: int = Field(description="Indexed ones.")
    classes: list[str] = Field(description="Names, in index order.")
    ink: Ink = Field(description="How drawings stand in the data: dark on white, or light on black.")
    reach: float | None = Field(
        description="Share of a side that what is drawn takes up in the data, to which the page scales drawings."
    )
    size: int | None = Field(description="Pixels of a side that the network reads; null where it reads no pictures.")
    index_command: str = Field(description="Makes an index.")
    limits: Allowed


class Photo(_Answer):
    """A photo that was found."""

    id: str = Field(description="As in /api/photos/{id} and /api/like/{id}.")
    similarity: float = Field(description="Cosine of the two vectors, −1 to 1.")


class Found(_Answer):
    """Photos, the most similar first."""

    results: list[Photo]


class ClassScore(_Answer):
    """A class and how probable it is."""

    name: str
    before: float | None = Field(description="Without adaptation; null where the run has no baseline.")
    after: float = Field(description="With adaptation.")


class Prediction(_Answer):
    """What an example is, before adaptation and after."""

    before: str | None = Field(description="The most probable class without adaptation.")
    after: str = Field(description="The most probable class with adaptation.")
    classes: list[ClassScore] = Field(description="In index order.")


class Predictions(_Answer):
    """What several examples are."""

    predictions: list[Prediction] = Field(description="In the order of the examples.")
    notes: list[str] = Field(description="What to know of how the examples were read.")


class Health(_Answer):
    """That the server answers."""

    status: Literal["ok"] = "ok"


class ProblemDetails(_Answer):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="A sentence with the next move.")


def info_of(served: Served, limits: Limits) -> Info:
    """What is served, as it is now."""
    photos, judge = served.photos, served.classifier or served.examiner
    examiner = served.examiner
    return Info(
        version=acclimate.__version__,
        kind="search" if photos is not None else "classify" if judge is not None else "nothing",
        title=served.title,
        method=served.method,
        baseline=None if judge is None else judge.before_name,
        takes="pictures" if examiner is None else examiner.takes,
        columns=[] if examiner is None else list(examiner.columns),
        photos=0 if photos is None else len(photos),
        classes=[] if judge is None else list(judge.classes),
        ink=served.ink,
        reach=served.reach,
        size=None if served.form is None else served.form.size,
        index_command=served.index_command,
        limits=_allowed(limits),
    )


def _allowed(limits: Limits) -> Allowed:
    return Allowed(
        bytes=limits.bytes,
        pixels=limits.pixels,
        k=MOST_RESULTS,
        formats=list(FORMATS),
        pictures=limits.pictures,
        examples=limits.examples,
    )


def found_of(hits: Sequence[Hit]) -> Found:
    """Hits as an answer."""
    return Found(results=[Photo(id=hit.id, similarity=hit.similarity) for hit in hits])


def predictions_of(classifier: Classifier, pictures: np.ndarray) -> list[Prediction]:
    """The answers to pictures uint8 `(n, h, w, c)` in the target's form."""
    return _told(classifier.classes, classifier.after(pictures), classifier.before(pictures))


def examined(examiner: Examiner, examples: Domain) -> Predictions:
    """The answers to examples that `Examiner.read` has read."""
    found = _told(examiner.classes, examiner.after(examples), examiner.before(examples))
    return Predictions(predictions=found, notes=examiner.notes(examples))


def _told(names: Sequence[str], after: np.ndarray, before: np.ndarray | None) -> list[Prediction]:
    return [_prediction(names, row, None if before is None else before[i]) for i, row in enumerate(after)]


def _prediction(names: Sequence[str], after: np.ndarray, before: np.ndarray | None) -> Prediction:
    return Prediction(
        before=None if before is None else names[int(before.argmax())],
        after=names[int(after.argmax())],
        classes=[
            ClassScore(name=name, before=None if before is None else float(before[i]), after=float(after[i]))
            for i, name in enumerate(names)
        ],
    )
