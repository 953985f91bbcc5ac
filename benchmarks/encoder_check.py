"""How near the features that `acclimate data encode` computes come to those made elsewhere from the originals.

    python benchmarks/encoder_check.py

Both are of one MobileNetV2 on the photos of Office-Caltech-10: ours of photos whose shorter side is at most 256
pixels, most of them compressed again; the others, of the originals. Needs both: `acclimate data encode`
and `acclimate data import`. Writes benchmarks/results/checks/encoder.json.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine

OUT = Path(__file__).parent / "results" / "checks" / "encoder.json"
PAIRS = (("amazon", "webcam"), ("amazon", "dslr"), ("caltech", "amazon"), ("webcam", "amazon"))


def main() -> None:
    ours, theirs = (
        {split: catalog.load(name, split) for split in ("amazon", "caltech", "dslr", "webcam")}
        for name in ("office_caltech10_encoded", "office_caltech10_mobilenetv2")
    )
    cosines = {}
    for split, own in ours.items():
        place = {name: row for row, name in enumerate(theirs[split].ids)}
        other = theirs[split].array[[place[name] for name in own.ids]]
        cosines[split] = np.sum(_unit(own.array) * _unit(other), axis=1)
    OUT.parent.mkdir(exist_ok=True)
    write_json(
        OUT,
        {
            "command": "python benchmarks/encoder_check.py",
            "commit": current_commit(),
            "hardware": machine(),
            "cosine": {
                split: {"mean": round(float(c.mean()), 3), "least": round(float(c.min()), 3), "photos": len(c)}
                for split, c in cosines.items()
            },
            "nearest_neighbour": {
                f"{source}-{target}": {
                    "ours": _nearest(ours[source], ours[target]),
                    "theirs": _nearest(theirs[source], theirs[target]),
                }
                for source, target in PAIRS
            },
        },
    )
    print(OUT.read_text(encoding="utf-8"))


def _unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def _nearest(source: Domain, target: Domain) -> float:
    """Share of the target's photos whose nearest source photo has their class, by cosine."""
    model = KNeighborsClassifier(1, metric="cosine").fit(source.array, source.labels)
    return round(float(model.score(target.array, target.labels)), 4)


if __name__ == "__main__":
    main()
