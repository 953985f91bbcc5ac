"""Handwritten digits, and the same kind of digits dark on light: each as the other, with ten labels a class.

python translate_digits.py            # the picture goes to a temporary folder
python translate_digits.py grid.png   # or where you say
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import acclimate as ac
from acclimate.runs.mosaic import mosaic

# The source is light on dark and labelled; the target dark on light, other examples of it, ten labels a class. The
# last 397 digits are seen by no training.
digits, labels = load_digits(return_X_y=True)
small = (digits.reshape(-1, 8, 8) * 15.9375).round().astype(np.uint8)
images = np.stack([np.asarray(Image.fromarray(x).resize((32, 32), Image.Resampling.BILINEAR)) for x in small])
order = np.random.default_rng(0).permutation(len(images))
images, labels = images[order, ..., None], labels[order]
source, target, unseen = slice(0, 700), slice(700, 1400), slice(1400, None)
dark = 255 - images
few = np.concatenate([np.flatnonzero(labels[target] == digit)[:10] for digit in range(10)])
known = np.full(700, -1)
known[few] = labels[target][few]

model = ac.SharedLatentVAEGAN(maps=8, steps=220, batch_size=32, lr=1e-3, reconstruction=0.03, device="cpu")
model.fit((images[source], labels[source]), (dark[target], known))

as_dark = model.translate(images[unseen], to="target")
as_light = model.translate(dark[unseen], to="source")

# Somebody who has only ever seen real digits of the target.
reader = SVC(C=10).fit(dark[target].reshape(700, -1) / 255, labels[target])


def right(pictures: np.ndarray) -> float:
    """How often the reader is right about unseen digits, given as these pictures."""
    return reader.score(pictures.reshape(len(pictures), -1) / 255, labels[unseen])


place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "digits.png"
one_each = [np.flatnonzero(labels[unseen] == digit)[0] for digit in range(10)]
rows = (images[unseen], as_dark, dark[unseen], as_light)
mosaic([row[one_each] for row in rows], group=2).save(place)
print(f"A classifier of real dark digits reads {right(as_dark):.0%} of the translated light digits right,")
print(f"{right(images[unseen]):.0%} before translation, and {right(dark[unseen]):.0%} of real dark digits.")
print(f"Digits, their translations, and the other way round: {place}")
