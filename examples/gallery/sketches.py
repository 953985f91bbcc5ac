"""A shelf of photos, found by drawing: what a photo's features find of themselves, and what they find once trained.

Sketchy's photos and sketches of 125 kinds of things, both as 1,280 numbers of a frozen MobileNetV2. A tenth of the
photos is set aside with all sketches of them: what is searched, and what it is searched with.

python sketches.py                          # Sketchy; see: acclimate data info sketchy_encoded
python sketches.py sketches.npz photos.npz  # yours: acclimate encode sketches/ sketches.npz, and so the photos
"""

import sys

import numpy as np

import acclimate as ac
from acclimate.metrics.retrieval import rank

if len(sys.argv) > 2:
    sketches, photos = map(ac.read, sys.argv[1:])
    kept, aside = np.arange(len(sketches)) % 10 > 0, np.arange(len(sketches)) % 10 == 0
    task = ac.Task(sketches.take(kept), photos, source_test=sketches.take(aside), target_test=photos)
else:
    task = ac.load_task("sketchy_features")
task = task.with_label_budget("all")

model = ac.SharedPrototypes(epochs=10, seed=0, device="cpu").fit(task.source, task.target)
queries, shelf = task.source_test, task.target_test
asked, on_it = queries.labels, task.hidden.target_test

before = rank(queries.array, shelf.array, asked, on_it)
after = rank(model.transform(queries, side="source"), model.transform(shelf), asked, on_it)
print(f"{len(queries):,} unseen sketches ask for photos among {len(shelf):,}.")
for name, found in (("MobileNetV2's features", before), ("shared prototypes", after)):
    first, mean = found.precision_at(1), found.mean_average_precision()
    print(
        f"{name}: the first photo is of the kind drawn for {first:.1%} of sketches, mean average precision {mean:.1%}"
    )
