"""Texts and rows that somebody asks about, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acclimate.data.domain import Domain
from acclimate.errors import DataError
from acclimate.serving.answers import Predictions, examined
from acclimate.serving.encoder import Examiner
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits

_FORMS = {
    "texts": '{"texts": ["…", "…"]}',
    "rows": '{"rows": [{"COLUMN": 1.5, …}, …]}',
    "": '{"rows": [[0.1, …], …]}',
}


def form_of(examiner: Examiner) -> str:
    """How a body has to look, for sentences."""
    return _FORMS[examiner.takes if examiner.takes == "texts" or examiner.columns else ""]


def read_examples(content: bytes, examiner: Examiner, limits: Limits) -> Domain:
    """The examples of a body, read as the run's own were.

    Raises:
        Problem: 400 if it is no JSON of the form that is expected, 413 for too many, 422 if they break a rule.
    """
    found = _listed(content, examiner)
    if len(found) > limits.examples:
        detail = f"A request must have at most {limits.examples:,} {examiner.takes}; got {len(found):,}."
        raise Problem(413, f"{detail} Send them in several.")
    with _as_problems():
        return examiner.read(found)


def examine(examiner: Examiner, examples: Domain) -> Predictions:
    """The answers.

    Raises:
        Problem: 422 for what the networks cannot take, such as another number of features.
    """
    with _as_problems():
        return examined(examiner, examples)


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise Problem.of(error, 422) from None


def _listed(content: bytes, examiner: Examiner) -> list[Any]:
    wanted = f"The body must be JSON, {form_of(examiner)}"
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8, and numbers of thousands of digits
        raise Problem(
            400, f"{wanted}; got none that can be read: {str(error) or 'it is nested too deeply':.200}."
        ) from None
    examples = found.get(examiner.takes) if isinstance(found, dict) else None
    if not isinstance(examples, list) or not examples:
        got = (
            f"an object with {', '.join(map(repr, found))[:80] or 'nothing'}"
            if isinstance(found, dict)
            else "another"
        )
        raise Problem(400, f"{wanted}; got {got if examples is None else 'none of them'}.")
    kinds = (str,) if examiner.takes == "texts" else (dict,) if examiner.columns else (list,)
    for place, example in enumerate(examples):
        if not isinstance(example, kinds):
            raise Problem(400, f"{wanted}; got a {type(example).__name__} at place {place}.")
    return examples
