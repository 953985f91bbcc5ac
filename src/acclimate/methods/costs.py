"""What a run of each method costs beside one of the source alone, as it was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def costs() -> Mapping[str, float]:
    """Computing time of a run over that of `source-only` on the same task, by method; those that were measured.

    `benchmarks/costs.py` measures what takes numbers; of the others it is the median over tasks of the seconds a run
    took, beside source-only's there. `docs/generate.py` writes the file.
    """
    found: Mapping[str, float] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return found
