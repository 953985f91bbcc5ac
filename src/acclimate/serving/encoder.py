"""What serving asks of a trained model: pictures to vectors; pictures, texts or rows to probabilities of classes."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.readers.pictures import Form
from acclimate.types import Side


class Encoder(Protocol):
    """Turns pictures of either side into vectors of one space, whose cosine says how alike they are.

    The source's pictures are the queries (sketches, where photos are searched), the target's fill the index.
    """

    @property
    def name(self) -> str:
        """What tells its vectors from any other encoder's: equal names, equal vectors."""

    @property
    def width(self) -> int:
        """d, the numbers of a vector."""

    def form(self, side: Side) -> Form:
        """What a picture of that side must be turned into before it is encoded."""

    def encode(self, pictures: np.ndarray, side: Side) -> np.ndarray:
        """Vectors float32 `(n, d)` of pictures uint8 `(n, h, w, c)` in the side's form."""


class Classifier(Protocol):
    """Tells classes apart, with adaptation and, where the run kept its baseline, without."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in index order."""

    @property
    def before_name(self) -> str | None:
        """What the baseline is called (`"source-only"`); None where the run has none."""

    def form(self, side: Side) -> Form:
        """As for `Encoder`."""

    def after(self, pictures: np.ndarray) -> np.ndarray:
        """Probabilities float64 `(n, k)` of target pictures uint8 `(n, h, w, c)` in the target's form."""

    def before(self, pictures: np.ndarray) -> np.ndarray | None:
        """The same of the baseline; None where there is none."""


class Examiner(Protocol):
    """Tells classes apart, as `Classifier` does, by texts or by rows of a table or of numbers."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in index order."""

    @property
    def before_name(self) -> str | None:
        """What the baseline is called (`"source-only"`); None where the run has none."""

    @property
    def takes(self) -> Literal["texts", "rows"]:
        """What an example is."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of a row's columns; none where rows are numbers in a fixed order."""

    def read(self, examples: list[Any]) -> Domain:
        """Texts, dicts or lists of numbers as the run's target was read; DataError for what is none of these."""

    def notes(self, examples: Domain) -> list[str]:
        """What whoever asks should know of them."""

    def after(self, examples: Domain) -> np.ndarray:
        """Probabilities float64 `(n, k)`."""

    def before(self, examples: Domain) -> np.ndarray | None:
        """The same of the baseline; None where there is none."""
