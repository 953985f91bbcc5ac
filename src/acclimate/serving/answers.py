"""What the HTTP interface answers with; OpenAPI describes these, the page reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import acclimate
from acclimate.data.readers.pictures import FORMATS
from acclimate.serving.encoder import Classifier
from acclimate.serving.searching import MOST_RESULTS, Hit, Ink, Limits, Served


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Allowed(_Answer):
    """How much may be asked for."""

    bytes: int = Field(description="Of an uploaded picture.")
    pixels: int = Field(description="Of an uploaded picture.")
    k: int = Field(description="Most results of one answer.")
    formats: list[str] = Field(description="Of uploaded pictures.")


class Info(_Answer):
    """What is served here."""

    version: str = Field(description="Of acclimate.")
    kind: Literal["search", "classify", "nothing"] = Field(description="What the page offers.")
    title: str = Field(description="Of the run.")
    method: str = Field(description="What adapted it.")
    baseline: str | None = Field(description="What it is compared with, where classes are told apart.")
    photos: int = Field(description="Indexed ones.")
    classes: list[str] = Field(description="Names, in index order.")
    ink: Ink = Field(description="How drawings stand in the data: dark on white, or light on black.")
    reach: float | None = Field(
        description="Share of a side that what is drawn takes up in the data, to which the page scales drawings."
    )
    size: int = Field(description="Pixels of a side that the network reads.")
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
    """What a picture shows, before adaptation and after."""

    before: str | None = Field(description="The most probable class without adaptation.")
    after: str = Field(description="The most probable class with adaptation.")
    classes: list[ClassScore] = Field(description="In index order.")


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
    photos, classifier = served.photos, served.classifier
    return Info(
        version=acclimate.__version__,
        kind="search" if photos is not None else "classify" if classifier is not None else "nothing",
        title=served.title,
        method=served.method,
        baseline=None if classifier is None else classifier.before_name,
        photos=0 if photos is None else len(photos),
        classes=[] if classifier is None else list(classifier.classes),
        ink=served.ink,
        reach=served.reach,
        size=served.form.size,
        index_command=served.index_command,
        limits=Allowed(bytes=limits.bytes, pixels=limits.pixels, k=MOST_RESULTS, formats=list(FORMATS)),
    )


def found_of(hits: Sequence[Hit]) -> Found:
    """Hits as an answer."""
    return Found(results=[Photo(id=hit.id, similarity=hit.similarity) for hit in hits])


def predictions_of(classifier: Classifier, pictures: np.ndarray) -> list[Prediction]:
    """The answers to pictures uint8 `(n, h, w, c)` in the target's form."""
    after, before = classifier.after(pictures), classifier.before(pictures)
    return [
        _prediction(classifier.classes, row, None if before is None else before[i]) for i, row in enumerate(after)
    ]


def _prediction(names: Sequence[str], after: np.ndarray, before: np.ndarray | None) -> Prediction:
    return Prediction(
        before=None if before is None else names[int(before.argmax())],
        after=names[int(after.argmax())],
        classes=[
            ClassScore(name=name, before=None if before is None else float(before[i]), after=float(after[i]))
            for i, name in enumerate(names)
        ],
    )
