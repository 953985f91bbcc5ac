"""Which settings of word2vec suit a few thousand reviews, asked of labelled source texts alone.

    python benchmarks/word_vectors.py [task …]

Vectors are trained on the texts of both sides, as a run does. A source text is the mean of its words' vectors, each
dimension z-scored, and a logistic regression tells its label: accuracy in five-fold cross-validation. No target label
is read. Beside word2vec stands the closed form it approximates, a truncated SVD of positive pointwise mutual
information (Levy & Goldberg, NIPS 2014). Rows that are in benchmarks/results/word_vectors.json are kept.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Word2Vec
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils.extmath import randomized_svd

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.tasks import load_task
from acclimate.data.words import words
from acclimate.runs.files import write_json
from acclimate.runs.machine import machine

OUT = Path(__file__).parent / "results" / "word_vectors.json"
TASKS = ["amazon:books-electronics", "amazon:kitchen-books"]
SIZES = {"all": (None, None), "few": (700, 500)}  # texts of source and target
WIDTH, LIMIT = 300, 500

# gensim's own settings, and what differs from them.
CBOW, SKIP_GRAM = {"sg": 0}, {"sg": 1}
VARIANTS: dict[str, dict[str, Any]] = {
    "gensim's settings": CBOW,
    "10 epochs": CBOW | {"epochs": 10},
    "20 epochs": CBOW | {"epochs": 20},
    "10 epochs, window 10": CBOW | {"epochs": 10, "window": 10},
    "10 epochs, 10 negatives": CBOW | {"epochs": 10, "negative": 10},
    "10 epochs, rate 0.05": CBOW | {"epochs": 10, "alpha": 0.05},
    "5 epochs, rate 0.1": CBOW | {"alpha": 0.1},
    "10 epochs, rate 0.05, sample 1e-4": CBOW | {"epochs": 10, "alpha": 0.05, "sample": 1e-4},
    "10 epochs, rate 0.1, sample 1e-4": CBOW | {"epochs": 10, "alpha": 0.1, "sample": 1e-4},
    "10 epochs, rate 0.2, sample 1e-4": CBOW | {"epochs": 10, "alpha": 0.2, "sample": 1e-4},
    "10 epochs, rate 0.1, sample 1e-4, window 3": CBOW | {"epochs": 10, "alpha": 0.1, "sample": 1e-4, "window": 3},
    "10 epochs, rate 0.1, sample 1e-4, window 10": CBOW | {"epochs": 10, "alpha": 0.1, "sample": 1e-4, "window": 10},
    "10 epochs, rate 0.1, sample 1e-4, 15 negatives": CBOW
    | {"epochs": 10, "alpha": 0.1, "sample": 1e-4, "negative": 15},
    "20 epochs, rate 0.1, sample 1e-4": CBOW | {"epochs": 20, "alpha": 0.1, "sample": 1e-4},
    "20 epochs, rate 0.1, sample 1e-5": CBOW | {"epochs": 20, "alpha": 0.1, "sample": 1e-5},
    "20 epochs, rate 0.2, sample 1e-4": CBOW | {"epochs": 20, "alpha": 0.2, "sample": 1e-4},
    "20 epochs, rate 0.15, sample 3e-5": CBOW | {"epochs": 20, "alpha": 0.15, "sample": 3e-5},
    "20 epochs, rate 0.2, sample 1e-5": CBOW | {"epochs": 20, "alpha": 0.2, "sample": 1e-5},
    "skip-gram, 3 epochs": SKIP_GRAM | {"epochs": 3},
    "skip-gram, 3 epochs, rate 0.05, sample 1e-4": SKIP_GRAM | {"epochs": 3, "alpha": 0.05, "sample": 1e-4},
    "skip-gram, 5 epochs, rate 0.05, sample 1e-4": SKIP_GRAM | {"epochs": 5, "alpha": 0.05, "sample": 1e-4},
    "skip-gram, 3 epochs, rate 0.05, sample 1e-4, window 10": SKIP_GRAM
    | {"epochs": 3, "alpha": 0.05, "sample": 1e-4, "window": 10},
    "PPMI, SVD": {},
}


# What is left to choose between when all texts have spoken.
FEW = [variant for variant in VARIANTS if variant.startswith(("20 epochs, rate", "PPMI"))]


def some(domain: Domain, n: int | None, rng: np.random.Generator) -> Domain:
    return domain.take(rng.permutation(len(domain))[:n]) if n else domain


def documents(domain: Domain) -> list[list[str]]:
    return [words(text)[:LIMIT] for text in to_texts(domain.rows)]


def ppmi_svd(texts: list[list[str]], window: int = 5) -> tuple[dict[str, int], np.ndarray]:
    """Rows of U √Σ of the positive pointwise mutual information, contexts smoothed by the power 0.75."""
    counts = Counter(word for text in texts for word in text)
    places = {word: place for place, (word, n) in enumerate(counts.most_common()) if n >= 2}
    flat = np.concatenate([[places.get(word, -1) for word in text] + [-1] * window for text in texts]).astype(
        np.int32
    )
    size = (len(places), len(places))
    together = sparse.csr_matrix(size, dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = flat[:-distance], flat[distance:]
        there = (left >= 0) & (right >= 0)
        weight = np.full(there.sum(), (window + 1 - distance) / window, np.float32)
        pairs = sparse.coo_matrix((weight, (left[there], right[there])), shape=size).tocsr()
        together = together + pairs + pairs.T
    words_sum = np.asarray(together.sum(1)).ravel()
    contexts = words_sum**0.75
    contexts /= contexts.sum()
    pairs = together.tocoo()
    information = np.log(pairs.data / (words_sum[pairs.row] * contexts[pairs.col]) + 1e-12)
    kept = information > 0
    positive = sparse.coo_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), shape=size).tocsr()
    u, s, _ = randomized_svd(positive, WIDTH, n_iter=3, random_state=0)
    return places, (u * np.sqrt(s)).astype(np.float32)


def trained(variant: str, texts: list[list[str]]) -> tuple[dict[str, int], np.ndarray]:
    if variant.startswith("PPMI"):
        return ppmi_svd(texts)
    vectors = Word2Vec(texts, vector_size=WIDTH, min_count=2, workers=1, seed=0, **VARIANTS[variant]).wv
    return vectors.key_to_index, vectors.vectors


def accuracy(places: dict[str, int], vectors: np.ndarray, texts: list[list[str]], labels: np.ndarray) -> float:
    means = np.zeros((len(texts), WIDTH), np.float32)
    for mean, text in zip(means, texts, strict=True):
        known = [places[word] for word in text if word in places]
        if known:
            mean[:] = vectors[known].mean(axis=0)
    scaled = (means - means.mean(axis=0)) / (means.std(axis=0) + 1e-9)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(LogisticRegression(C=0.01, max_iter=300), scaled, labels, cv=folds)
    return float((predicted == labels).mean())


def measure(task: str, size: str, variant: str) -> dict[str, Any]:
    loaded, rng = load_task(task, 0), np.random.default_rng(0)
    sides = [some(domain, n, rng) for domain, n in zip((loaded.source, loaded.target), SIZES[size], strict=True)]
    source, target = map(documents, sides)
    start = time.process_time()
    places, vectors = trained(variant, source + target)
    seconds = time.process_time() - start
    return {
        "task": task,
        "size": size,
        "variant": variant,
        "source_accuracy": round(accuracy(places, vectors, source, sides[0].labels), 4),
        "cpu_seconds": round(seconds, 1),
        "tokens": sum(map(len, source + target)),
        "words": len(places),
        "root_mean_square": round(float(np.sqrt(np.square(vectors).mean())), 3),
        "hardware": machine(),
    }


def main() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else []
    done = {(row["task"], row["size"], row["variant"]) for row in rows}
    wanted = [
        (task, size, variant)
        for task in sys.argv[1:] or TASKS
        for size in SIZES
        for variant in (VARIANTS if size == "all" else FEW)
    ]
    for one in wanted:
        if one not in done:
            rows.append(measure(*one))
            write_json(OUT, rows)
            print({k: v for k, v in rows[-1].items() if k != "hardware"}, flush=True)


if __name__ == "__main__":
    main()
