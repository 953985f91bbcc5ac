"""Sentiment across products: from reviews of books to reviews of kitchen tools. Compare before you trust."""

import numpy as np

import acclimate as ac
from acclimate.data.synthetic import two_vocabularies

# Short made-up reviews. Both sides praise and blame in the same words, and each in words of its own beside them.
# There is a trap: two words that only positive reviews of books have stand in most reviews of tools, good and bad.
task = two_vocabularies(400)

alone = ac.TFIDF().fit(task.source, task.target)
model = ac.NGramMemory().fit(task.source, task.target)

truth = np.array(task.classes)[task.hidden.target_test]
print(f"TF-IDF and logistic regression: {alone.score(task.target_test, truth):.1%} right")
print(f"n-gram memory:                  {model.score(task.target_test, truth):.1%} right")
print("So short and so alike are these that both are nearly always right; docs/results.md has real reviews.")

texts = ["a sturdy pan with an excellent lid", "worst kettle ever: leaky and useless!"]
for text, answer, sure in zip(texts, model.predict(texts), model.predict_proba(texts).max(axis=1), strict=True):
    print(f"{answer} ({sure:.0%}): {text}")
