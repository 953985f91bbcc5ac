"""A source of pixels and a target of other features: 30 labels instead of 900, in three lines."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import acclimate as ac

# One half of the digits as 64 pixels, all labelled; the other half as 20 principal components of their gradients,
# with three labels a class. No column of one side means what a column of the other does.
pixels, labels = load_digits(return_X_y=True)
images = pixels.reshape(-1, 8, 8)
gradients = np.concatenate(np.gradient(images, axis=(1, 2)), axis=2).reshape(len(images), -1)
source = pixels[::2], labels[::2]
target, truth = PCA(20, random_state=0).fit_transform(gradients[1::2]), labels[1::2]
few = np.concatenate([np.flatnonzero(truth == digit)[:3] for digit in range(10)])
known = np.full(len(truth), -1)
known[few] = truth[few]
rest = known == -1

alone = ac.SVMt().fit(source, (target, known))
model = ac.CGT().fit(source, (target, known))
common = model.transform(source[0], side="source"), model.transform(target)

print(f"three labels and a linear SVM: {alone.score(target[rest], truth[rest]):.1%} right")
print(f"class-geometry transfer:       {model.score(target[rest], truth[rest]):.1%} right")
print(f"both sides in one space of {common[0].shape[1]} dimensions")
