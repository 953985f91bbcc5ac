"""What `--method auto` writes beside the run that it chose: what was to be trained, what was chosen and why.

auto.json        which candidates, in which budget; written first, so that a stopped one goes on
candidates/      a run for each candidate and seed, with its `evidence.npz`
choice.json      what was chosen, by what, and how often it is likely to be right; written when all else is there
doubtful.npz     pictures of the examples to look at first, where there are some
config.json, …   the chosen run itself, so that whatever reads a run reads this folder

Held-out labels reach none of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from acclimate.errors import WorkError
from acclimate.runs.configuration import Names, Text
from acclimate.runs.older import renamed
from acclimate.runs.options import complaint
from acclimate.runs.record import Run

CANDIDATES, CHOICE, DOUBTFUL = "candidates", "choice.json", "doubtful.npz"
_MOST = 1_000
_R = TypeVar("_R", bound=BaseModel)

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Texts = Annotated[dict[Text, Text], Field(max_length=_MOST)]


class _Record(BaseModel):
    """A part of what is written; what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Estimated(_Record):
    """Accuracy on the target as far as it can be told without a label: the share and its interval."""

    value: Share
    low: Share
    high: Share
    confidence: Share = 0.9

    @property
    def ends(self) -> tuple[float, float, float]:
        """Value, lower and upper end."""
        return self.value, self.low, self.high


class Weighed(_Record):
    """A candidate, as it was weighed.

    Attributes:
        name: by which it was told from the others.
        title: its method's, in words.
        runs: folders of its runs, one for each seed that was trained to its end.
        scores: by their names; null where one cannot be told.
        source_accuracy: share of right answers on source examples that were set aside; null where there are none.
        estimate: accuracy on the target; null where it cannot be told.
        cannot_tell: why not, as a clause; empty where it can.
    """

    name: Text
    title: Text
    runs: Names
    scores: Annotated[dict[Text, float | None], Field(max_length=_MOST)] = {}
    source_accuracy: Share | None = None
    estimate: Estimated | None = None
    cannot_tell: Text = ""


class Doubt(_Record):
    """A target example about which the chosen model is least sure.

    Attributes:
        id: as in `predictions.parquet`.
        answer: what the model says.
        second: what it nearly said.
        confidence: in its answer.
        shown: the text or the values; empty where there is a picture, or nothing.
    """

    id: Text
    answer: Text
    second: Text
    confidence: Share
    shown: Text = ""


class Chosen(_Record):
    """`choice.json`.

    Attributes:
        name: of the chosen candidate.
        run: its run's folder.
        baseline: name of the candidate that does not adapt.
        guarded: whether that one is used for want of evidence.
        reasons: in words.
        examples: how many target examples told.
        candidates: all that came to an end, in the order in which they were trained.
        failed: runs that came to none, and why.
        left_out: what was not trained, and why, as the end of a sentence.
        doubtful: examples to look at first.
    """

    format: Literal[1] = 1
    name: Text
    run: Text
    baseline: Text
    guarded: bool
    reasons: Annotated[tuple[Text, ...], Field(max_length=_MOST)]
    examples: Annotated[int, Field(ge=0)]
    candidates: Annotated[tuple[Weighed, ...], Field(min_length=1, max_length=_MOST)]
    failed: Texts = {}
    left_out: Texts = {}
    doubtful: Annotated[tuple[Doubt, ...], Field(max_length=_MOST)] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, stored: Any) -> Any:
        """What was written while this was called the floor."""
        return renamed(stored, "floor", "baseline")

    def weighed(self, name: str) -> Weighed:
        """The candidate of that name."""
        return next(candidate for candidate in self.candidates if candidate.name == name)

    @property
    def chosen(self) -> Weighed:
        """The one that was chosen."""
        return self.weighed(self.name)


def read_chosen(run: Run) -> Chosen | None:
    """What was chosen in this folder; None where nothing was.

    Raises:
        WorkError: if the record is damaged.
    """
    path = run.folder / CHOICE
    if not path.is_file():
        return None
    run.check(path)
    chosen = read_record(Chosen, path)
    if not {chosen.name, chosen.baseline} <= {candidate.name for candidate in chosen.candidates}:
        raise WorkError(
            f"{path} is not as acclimate writes it: it chose what it does not list. Restore it from a copy."
        )
    return chosen


def read_record(schema: type[_R], path: Path) -> _R:
    """The record in a file.

    Raises:
        WorkError: if the file is not as acclimate writes it.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return schema.model_validate(content)
    except ValidationError as error:
        where, rule, got = complaint(error)
        said = f"{where or 'it'} {rule}; got {got}"
    except (OSError, ValueError, RecursionError) as error:
        said = str(error)
    raise WorkError(f"{path} is not as acclimate writes it: {said}. Restore it from a copy.")
