"""Digits of printers' fonts as queries, handwritten ones as what is searched: before training, and after.

python find_by_drawing.py
"""

import numpy as np

import acclimate as ac
from acclimate.metrics.retrieval import rank
from acclimate.serving.index import VectorIndex

task = ac.load_task("demo").with_label_budget("all")


def flat(domain: ac.Domain) -> np.ndarray:
    """Pictures of 8×8 as 64 features."""
    return domain.array.reshape(len(domain), -1).astype(np.float32)


printed, kinds = flat(task.source), task.source.labels
model = ac.SharedPrototypes(epochs=4, seed=0, device="cpu")
model.fit((printed, kinds), (flat(task.target), task.target.labels))

# Handwriting that no training saw, and fonts' digits to search it with.
unseen, truth = flat(task.target_test), task.hidden.target_test
asked, wanted = printed[:200], kinds[:200]
before = rank(asked, unseen, wanted, truth)
vectors, found = model.transform(unseen), model.transform(asked, side="source")
after = rank(found, vectors, wanted, truth)

index = VectorIndex("printed to handwritten", vectors.shape[1])
index.add([f"digit {row}" for row in range(len(vectors))], vectors)
names, similarities = index.search(found[:1], k=3)

print(f"The first handwritten digit found is the printed one for {after.precision_at(1):.0%} of queries,")
print(f"for {before.precision_at(1):.0%} by the cosine of their pixels.")
print(f"Mean average precision: {after.mean_average_precision():.0%}, {before.mean_average_precision():.0%} before.")
shown = ", ".join(f"{name} (a {truth[int(name.split()[1])]})" for name in names[0])
print(f"A printed {wanted[0]} finds {shown}.")
