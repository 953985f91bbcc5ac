"""Reviews of books are labelled, reviews of kitchen tools are to be judged: what is gained where words differ.

1,500 reviews of books as good or bad, and 1,500 of kitchen tools, whose labels only score: nobody calls a frying pan
gripping. In the end, a review that the adapted model reads otherwise.

python reviews.py                             # Amazon reviews; see: acclimate data info amazon_reviews
python reviews.py books.jsonl kitchen.jsonl   # yours, with text and label on each line
"""

import sys

import numpy as np

import acclimate as ac
from acclimate.data.ragged import to_texts

if len(sys.argv) > 2:
    task = ac.Task(ac.read_texts(sys.argv[1]), ac.read_texts(sys.argv[2]))
else:
    task = ac.load_task("amazon_transductive:books-kitchen")
draw = np.random.default_rng(0)
source = task.source.take(draw.permutation(len(task.source))[:1500])
asked = draw.permutation(len(task.target))[:1500]
target, truth = task.target.take(asked), np.array(task.classes)[task.hidden.target[asked]]

plain = ac.TFIDF().fit(source, target)
model = ac.NGramMemory().fit(source, target)
before, after = plain.predict(target), model.predict(target)
print(f"TF-IDF and logistic regression: {np.mean(before == truth):.1%} right")
print(f"n-gram memory, adapted:         {np.mean(after == truth):.1%} right")

surest = model.predict_proba(target).max(axis=1)
for row in sorted(np.flatnonzero(before != after), key=lambda row: -surest[row])[:1]:
    (text,) = to_texts(target.take([row]).rows)
    print(f"Read otherwise: “{' '.join(text.split())[:200]} …”")
    print(f"{before[row]} by TF-IDF, {after[row]} when adapted, and in truth {truth[row]}.")
