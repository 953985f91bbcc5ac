"""How many words AMN should leave out while it trains, asked of a topic of the source that is held out.

    python benchmarks/word_dropout.py [domain …]

The reviews of one product are cut into four topics (k-means on latent semantic components, no label). The smallest of
500 or more is held out: half of it, without labels, is the target that AMN adapts to, the other half gives loss and
accuracy. So the labels of one domain tell what helps where texts are about other things, and no label of a target is
read. Rows that are in benchmarks/results/word_dropout.json are kept.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from torch.nn import functional as F

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.tasks import load_task
from acclimate.metrics.classification import accuracy
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_method, make_plan
from acclimate.runs.files import write_json
from acclimate.runs.machine import machine

OUT = Path(__file__).parent / "results" / "word_dropout.json"
DOMAINS = ["books", "dvd", "electronics", "kitchen", "video"]
RATES = [0.0, 0.15, 0.3, 0.45, 0.6]
TOPICS, COMPONENTS, FEWEST = 4, 30, 500


def topic(source: Domain) -> np.ndarray:
    """A mask of the topic that is held out."""
    counts = TfidfVectorizer(sublinear_tf=True, min_df=5, max_df=0.3, stop_words="english")
    components = TruncatedSVD(COMPONENTS, random_state=0).fit_transform(counts.fit_transform(to_texts(source.rows)))
    # The first one is how long a text is.
    topics = KMeans(TOPICS, n_init=10, random_state=0).fit_predict(normalize(components[:, 1:]))
    sizes = np.bincount(topics)
    return topics == min(np.flatnonzero(sizes >= FEWEST), key=lambda number: sizes[number])


@cache
def parts(domain: str) -> tuple[Domain, Domain, Domain]:
    """Labelled source, unlabelled target, and the labelled texts to score."""
    other = "books" if domain != "books" else "dvd"
    whole = load_task(f"amazon:{domain}-{other}").source
    held_out = topic(whole)
    order = np.random.default_rng(0).permutation(np.flatnonzero(held_out))
    half = len(order) // 2
    return whole.take(~held_out), whole.take(np.sort(order[:half])).unlabelled(), whole.take(np.sort(order[half:]))


def measure(domain: str, rate: float) -> dict[str, Any]:
    source, target, scored = parts(domain)
    plan = make_plan(make_method("amn", {}), source, target, options={"word_dropout": rate, "seed": 0})
    logits = fit(plan, source, target).outputs(scored).logits
    loss = F.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(scored.labels).long())
    return {
        "domain": domain,
        "word_dropout": rate,
        "scored": len(scored),
        "loss": round(float(loss), 4),
        "accuracy": round(accuracy(logits, scored.labels), 4),
        "hardware": machine(),
    }


def main() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else []
    for rate in RATES:
        for domain in sys.argv[1:] or DOMAINS:
            if not any(row["domain"] == domain and row["word_dropout"] == rate for row in rows):
                rows.append(measure(domain, rate))
                write_json(OUT, rows)
                print({k: v for k, v in rows[-1].items() if k != "hardware"}, flush=True)


if __name__ == "__main__":
    main()
