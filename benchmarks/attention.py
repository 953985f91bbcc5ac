"""Which words carried the answers of a finished comparison: pivots and deletion curves of every pair.

    acclimate compare --config benchmarks/recipes/amazon.toml --results benchmarks/results
    python benchmarks/attention.py amn ngram-memory tfidf [--runs runs]

Writes benchmarks/results/attention/<method>.json from what seed 0's runs recorded; docs/pivots.md is made from it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from acclimate.data.tasks import task_specs
from acclimate.runs.files import write_json
from acclimate.runs.record import Run

OUT = Path(__file__).parent / "results" / "attention"
_PIVOTS = 20


def of_run(folder: Path) -> dict[str, Any] | None:
    """One pair's pivots and deletion curve; None where the run is not finished."""
    path = folder / "words.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    sides = {
        side: {**found[side]["pivots"], "words": [row[:_PIVOTS] for row in found[side]["pivots"]["words"]]}
        for side in ("source", "target")
    }
    curve = found["deletion"]
    return {
        "classes": found["classes"],
        "commit": Run(folder).config.get("commit"),
        **sides,
        "deletion": {
            "texts": curve["texts"],
            "draws": curve["draws"],
            "deleted": curve["deleted"],
            **{
                kind: {name: [round(value, 4) for value in values] for name, values in curve[kind].items()}
                for kind in ("attended", "random")
            },
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    pairs = [spec.name.removeprefix("amazon:") for spec in task_specs() if spec.name.startswith("amazon:")]
    for method in asked.methods:
        found = {pair: of_run(asked.runs / f"amazon-{pair}" / f"{method}-seed0") for pair in pairs}
        done = {pair: words for pair, words in found.items() if words is not None}
        if done:
            OUT.mkdir(parents=True, exist_ok=True)
            replay = f"python benchmarks/attention.py {method}"
            write_json(OUT / f"{method}.json", {"method": method, "command": replay, "pairs": done})
        print(f"{method}: {len(done)} of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
