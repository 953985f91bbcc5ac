"""What the web page is given to serve: indexed photos, or what tells classes apart, and how much it may be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from acclimate.data.readers.pictures import Form
from acclimate.serving.encoder import Classifier, Examiner

# "dark" strokes on white, as sketches and scans are; "light" strokes on black, as in MNIST.
Ink = Literal["dark", "light"]
MOST_RESULTS = 200


class Hit(Protocol):
    """A photo that was found."""

    @property
    def id(self) -> str:
        """The name it is indexed under."""

    @property
    def similarity(self) -> float:
        """The cosine of its vector and the query's, −1 to 1."""


class Photos(Protocol):
    """Indexed photos, as `serving.gallery.Gallery` has them."""

    @property
    def root(self) -> Path:
        """The folder they lie in."""

    def __len__(self) -> int: ...

    def search(self, pictures: np.ndarray, k: int) -> Sequence[Sequence[Hit]]:
        """The k most similar of each query, uint8 `(q, h, w, c)` in the form of the source."""

    def like(self, id: str, k: int) -> Sequence[Hit]:  # noqa: A002  # the interface's own name
        """The k most similar to one of them; RequestError for an unknown id."""

    def path(self, id: str) -> Path:  # noqa: A002
        """The file of one of them, never outside of the root; RequestError for anything else."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a run has to offer.

    Attributes:
        title: of the run.
        method: what adapted it.
        form: of a query: the source's where photos are searched, the target's where pictures are classified. None
            where it is no picture.
        photos: to search; None where the run has no index.
        classifier: of pictures; None where they are not told apart.
        examiner: of texts or of rows; None where there are none.
        ink: how drawings stand in the run's data.
        reach: share of a picture's side that what is drawn takes up in the run's data; a drawing on the page is moved
            to the middle and scaled to that. None leaves drawings where they are.
        index_command: makes an index, for the sentence that says there is none.
    """

    title: str
    method: str
    form: Form | None
    photos: Photos | None = None
    classifier: Classifier | None = None
    examiner: Examiner | None = None
    ink: Ink = "dark"
    reach: float | None = None
    index_command: str = "acclimate index RUN photos/"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked for, and how long anybody is waited for.

    Attributes:
        bytes: of an uploaded picture.
        pixels: of an uploaded picture, counted before any is decoded.
        unpacked: bytes of its pixels, counted before any is decoded; 40 megapixels of RGBA are just allowed.
        requests: in work at once; one more is sent away with 503. No address has more than three quarters of them.
        pictures: in one request for predictions.
        examples: texts or rows in one request.
        batch: questions that the model answers in one go, if as many wait.
        seconds: that an upload may take, and then an answer.
        patience: seconds that an upload may be behind its pace.
        pace: least bytes a second that an upload keeps up.
        arriving: uploads at once that are not there yet; one more, and the slowest of the busiest address goes.
        arriving_bytes: what has come of these.
        connections: at once; one more, and the one that has waited longest without a request goes.
        head_seconds: that the head of a request may take.
        read_seconds: that whoever asked may take to read the next part of the answer.
        lingering: seconds that a body nobody wants is read and thrown away, so that its sender comes to read why.
        unwanted: bytes of such a body.
        large: pictures of more than a few megapixels that are decoded or wait to be.
        thumbnail_bytes: kept in memory.
    """

    bytes: int = 20_000_000
    pixels: int = 40_000_000
    unpacked: int = 160_000_000
    requests: int = 64
    pictures: int = 64
    examples: int = 1_000
    batch: int = 8
    seconds: float = 30.0
    patience: float = 5.0
    pace: float = 20_000
    arriving: int = 64
    arriving_bytes: int = 200_000_000
    connections: int = 400
    head_seconds: float = 10.0
    read_seconds: float = 30.0
    lingering: float = 15.0
    unwanted: int = 200_000_000
    large: int = 8
    thumbnail_bytes: int = 64_000_000
