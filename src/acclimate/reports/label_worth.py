"""What a few target labels would be worth to a run that has none: what they were worth on public tasks.

`label_worth.json` is written by `docs/generate.py` from measured rows; no label of the run's own target is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from acclimate.reports.told import Verdict
from acclimate.reports.wording import percent
from acclimate.runs.learning import learning
from acclimate.runs.record import Run

_FLOOR, _ADAPTING = "source-only", "mcc"
_SHOWN = ("1", "3", "10")


def with_worth(verdict: Verdict, run: Run) -> Verdict:
    """The verdict on a run that no label scored, with what labels for training would buy, as far as others tell.

    Args:
        verdict: the run's.
        run: whose it is; one that learnt from target labels, or whose sides differ, is told nothing.
    """
    config, summary = run.config, run.summary or {}
    if config["problem"] != "adaptation" or config["task"]["labelled_target"]:
        return verdict
    estimate = (summary.get("estimate") or {}).get("value")
    said = in_words(worth(adapts=learning(config).adapts), estimate)
    return replace(verdict, sentences=(*verdict.sentences, said)) if said else verdict


def worth(*, adapts: bool) -> Mapping[str, Mapping[str, float]]:
    """By labels a class, the share of wrong answers that they took: `low`, `median`, `high` over so many `tasks`."""
    found: Mapping[str, Mapping[str, float]] = _measured().get(_ADAPTING if adapts else _FLOOR, {})
    return found


def in_words(found: Mapping[str, Mapping[str, float]], estimate: float | None) -> str:
    """What labels would buy, as a sentence or two; empty where nothing was measured.

    Args:
        found: see `worth`.
        estimate: share of right answers that is believed of the run, in [0, 1]; None if nothing is.
    """
    known = [n for n in _SHOWN if n in found]
    if not known:
        return ""
    shares = ", ".join(f"{n} a class {percent(found[n]['median'])} ({_ends(found[n])})" for n in known)
    tasks = max(int(found[n]["tasks"]) for n in known)
    said = (
        f"What would labels buy? On {tasks} public tasks target labels to train with "
        f"took this share of a model's wrong answers, the median and the range: {shares}. Yours may differ."
    )
    if estimate is not None and "3" in found:
        then = 1 - (1 - estimate) * (1 - found["3"]["median"])
        said += f" Were {percent(estimate)} right now, three a class would by that make it some {percent(then)}."
    return f"{said} To learn from them: --label-budget, or --method mme."


def _ends(of: Mapping[str, float]) -> str:
    return f"{percent(of['low'])} to {percent(of['high'])}".replace("-", "−")


@cache
def _measured() -> dict[str, Any]:
    return dict(json.loads(Path(__file__).with_name("label_worth.json").read_text(encoding="utf-8")))
