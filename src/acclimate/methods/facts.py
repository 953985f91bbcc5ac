"""What a method's class states about itself, to be read without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

# What a method may learn from.
SOURCE, TARGET, LABELS, FEW, SHARED = "source", "target", "target labels", "few target labels", "shared columns"
# Beside these: it holds something of every example of a side at once.
WHOLE = "all at once"
Reads = Mapping[str, Mapping[str, str]]


class Facts:
    """Literals of a class, none of which says how it learns.

    For people:

    - `name`: what users type.
    - `also`: further names in Python, where `name` and the class's own differ in more than case and hyphens.
    - `title`: its name in the literature.
    - `paper`: authors, venue, year.
    - `recipe`: training options the paper states, by the names of `TrainingOptions`; users can override each.
    - `problem`: what is given and asked, by the name of a file in `problems`. `"heterogeneous"`: each side has
      features, preprocessing and networks of its own. `"translation"`: the method has `decode`. `"retrieval"`:
      `embed` maps both sides into one space, where cosine ranks; the target's training examples must be labelled.

    For its problem:

    - `learns_from`: `"source"` (its labelled examples), `"target"` (unlabelled ones), `"target labels"` (all that are
      granted, and some must be), `"few target labels"` (one of each class at least), `"shared columns"` (those that
      both sides have by name, and there must be one). What learns from target labels and no source is an upper bound.
      `"all at once"` stands beside these where it holds something of every example of a side at once, in its steps or
      between them, which a table larger than memory does not allow; what is computed in closed form does.
    - `reads`: the kinds of input it is made for, as `Domain.kind` has them, each with how it must be read: `network`,
      the one architecture that will do, such as a VAE's; `punctuation`, signs that are words (`data.words.words`).
    - `clusters`: True if, without any target label, its answers are clusters of target examples, and not classes.
    - `weighs_classes`: False if it cannot let classes count otherwise than by their examples (`weights` of the
      training options): every other takes `class_loss` or `label_loss` for its losses of labels, or `sample_weights`.
    - `batch_statistics`: True if a loss is a statistic of a batch as a whole, not a mean over its examples; processes
      that share a batch then compute something else than one would.
    """

    name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    paper: ClassVar[str]
    recipe: ClassVar[Mapping[str, Any]] = {}
    problem: ClassVar[str] = "adaptation"
    learns_from: ClassVar[tuple[str, ...]] = (SOURCE, TARGET)
    reads: ClassVar[Reads] = {"images": {}, "features": {}, "text": {}}
    clusters: ClassVar[bool] = False
    weighs_classes: ClassVar[bool] = True
    batch_statistics: ClassVar[bool] = False
