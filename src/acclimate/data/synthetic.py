"""Small worlds whose right answer is known, for tests, examples and first steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import from_texts
from acclimate.data.schema import Column, TableSchema
from acclimate.data.task import Task


def shifted_blobs(n: int = 400, *, shift: float = 2.0, num_classes: int = 3, seed: int = 0) -> Task:
    """Gaussian blobs in the plane; the target is the source moved by `shift` and as easy as the source.

    Class centres lie on a circle of radius 4, with examples around them at a standard deviation of ½, so a classifier
    that accounts for the move is right on practically all of them.

    Args:
        n: examples on each of source, target and both test sets.
        shift: length of the move, along the diagonal.
        num_classes: number of blobs.
        seed: draws the examples.
    """
    rng = np.random.default_rng([seed, 0xB10B5])
    angles = 2 * np.pi * np.arange(num_classes) / num_classes
    centres = 4 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    classes = tuple(f"blob {i}" for i in range(num_classes))

    def draw(name: str, offset: float) -> Domain:
        labels = rng.permutation(np.arange(n) % num_classes)
        points = centres[labels] + rng.normal(scale=0.5, size=(n, 2)) + offset / np.sqrt(2)
        return Domain(points.astype(np.float32), labels, classes, name)

    return Task(
        draw("source", 0),
        draw("target", shift),
        source_test=draw("source test", 0),
        target_test=draw("target test", shift),
        name="shifted blobs",
    )


def other_proportions(
    source: Sequence[float],
    target: Sequence[float],
    *,
    move: float = 0.0,
    n: int = 400,
    apart: float = 2.7,
    seed: int = 0,
) -> Task:
    """Overlapping Gaussians in 5 dimensions, classes as frequent as each side says; the target may be moved.

    What aligning the sides does there is known: harm where the proportions differ, good where the target was moved.

    Args:
        source: share of each class in the source; at most eight classes.
        target: the same of the target.
        move: how far the target is moved, along the diagonal, where two classes lie behind each other.
        n: examples on each of source, target and both test sets.
        apart: distance of two classes, in standard deviations; more of them lie at random places.
        seed: draws the examples.
    """
    rng = np.random.default_rng([seed, 0x5A4E])
    k = len(source)
    centres = (
        np.stack([np.zeros(5), np.full(5, apart / np.sqrt(5))]) if k == 2 else rng.normal(scale=1.6, size=(k, 5))
    )
    classes = tuple("ABCDEFGH"[:k])

    def draw(name: str, shares: Sequence[float], offset: float) -> Domain:
        ends = np.round(n * np.cumsum([0, *shares])).astype(int)
        labels = rng.permutation(np.repeat(np.arange(k), np.diff(ends)))
        points = centres[labels] + rng.normal(size=(n, 5)) + offset / np.sqrt(5)
        return Domain(points.astype(np.float32), labels, classes, name)

    return Task(
        draw("source", source, 0),
        draw("target", target, move),
        source_test=draw("source test", source, 0),
        target_test=draw("target test", target, move),
        name="other proportions",
    )


def dimmed_bars(n: int = 200, *, side: int = 8, seed: int = 0) -> Task:
    """Grey pictures of a horizontal or a vertical bar; the target's are dimmer, on a brighter ground.

    Args:
        n: pictures on each of source, target and both test sets.
        side: width and height in pixels.
        seed: draws the pictures.
    """
    rng = np.random.default_rng([seed, 0xBA25])
    classes = ("horizontal", "vertical")

    def draw(name: str, ground: float, ink: float) -> Domain:
        labels = rng.permutation(np.arange(n) % 2)
        pictures = rng.normal(ground, 12, size=(n, side, side))
        for picture, label, place in zip(pictures, labels, rng.integers(1, side - 1, n), strict=True):
            bar = picture if label == 0 else picture.T
            bar[place] += ink
        return Domain(pictures.clip(0, 255).astype(np.uint8)[..., None], labels, classes, name)

    return Task(
        draw("source", 40, 180),
        draw("target", 120, 60),
        source_test=draw("source test", 40, 180),
        target_test=draw("target test", 120, 60),
        name="dimmed bars",
    )


def two_vocabularies(n: int = 200, *, seed: int = 0) -> Task:
    """Short texts about books and about kitchen tools that share their words of praise and blame, and a trap.

    Every text has one of the shared words, which decides its class, and half of the texts one of their own domain's
    that says the same. The rest are words of the domain that tell nothing. The trap: two words that half of the
    source's positive texts have and no negative one, while nine in ten target texts have one, whatever their class. A
    model of the source alone falls for them; one that mistrusts words which tell the domain need not.

    Args:
        n: texts on each of source, target and both test sets.
        seed: draws the texts.
    """
    rng = np.random.default_rng([seed, 0x2070CAB])
    shared = (
        ("bad", "poor", "awful", "terrible", "useless", "worst", "disappointing", "horrible"),
        ("good", "great", "excellent", "best", "perfect", "wonderful", "fantastic", "lovely"),
    )
    own = {
        "books": (("boring", "shallow", "predictable", "wordy"), ("gripping", "moving", "readable", "witty")),
        "kitchen": (("blunt", "leaky", "flimsy", "rusty"), ("sharp", "sturdy", "handy", "durable")),
    }
    things = {
        "books": ("plot", "author", "chapter", "novel", "hero", "ending", "page", "reader", "story", "library"),
        "kitchen": ("knife", "pan", "lid", "handle", "oven", "blade", "bowl", "kettle", "toaster", "cup"),
    }
    trap = ("compact", "quick")

    def write(domain: str, label: int) -> str:
        words = [rng.choice(shared[label]), *rng.choice(things[domain], 6)]
        if rng.random() < 0.5:
            words.append(rng.choice(own[domain][label]))
        if rng.random() < (0.9 if domain == "kitchen" else 0.5 * label):
            words.append(rng.choice(trap))
        return " ".join(rng.permutation(words))

    return _books_and_kitchen("two vocabularies", write, n, rng)


def two_views(n: int = 200, *, num_classes: int = 3, noise: float = 0.4, seed: int = 0) -> Task:
    """The same kinds of thing measured by different instruments: 6 features of the source, 20 of the target.

    Every class has a centre in 4 dimensions, which each side sees through a random linear map of its own; no feature
    of one corresponds to one of the other. Grant a few target labels with `with_label_budget` to make it solvable.

    Args:
        n: examples on each of source, target and target test.
        num_classes: number of classes.
        noise: standard deviation around the centres, which lie some 3 apart.
        seed: draws the examples.
    """
    rng = np.random.default_rng([seed, 0x71E25])
    centres = rng.normal(scale=1.5, size=(num_classes, 4))
    maps = {"source": rng.normal(size=(4, 6)), "target": rng.normal(size=(4, 20))}
    classes = tuple(f"kind {i}" for i in range(num_classes))

    def draw(name: str, side: str) -> Domain:
        labels = rng.permutation(np.arange(n) % num_classes)
        points = (centres[labels] + rng.normal(scale=noise, size=(n, 4))) @ maps[side]
        return Domain(points.astype(np.float32), labels, classes, name)

    return Task(
        draw("source", "source"),
        draw("target", "target"),
        target_test=draw("target test", "target"),
        name="two views",
    )


def two_clinics(n: int = 200, *, seed: int = 0) -> Task:
    """Tables that share twelve columns by name, in different units; classes differ in two ways, a and b.

    a shows faintly in each of the shared columns, so that it takes many labels to see; b shows in columns that each
    side has for itself, and nothing says which of them are which. Classes are `a0 b0` to `a1 b1`; on the target a1 is
    half as frequent as on the source.
    """
    rng = np.random.default_rng([seed, 0xC11C])
    faint = rng.choice([-1.0, 1.0], 12)
    classes = tuple(f"a{a} b{b}" for a in (0, 1) for b in (0, 1))

    def draw(name: str, own: str, share: float, unit: float) -> Domain:
        a, b = (np.arange(n) // 2 < share * (n // 2)).astype(int), np.arange(n) % 2
        shared = 0.5 * np.outer(2 * a - 1, faint) + rng.normal(size=(n, 12))
        alone = np.outer(2 * b - 1, [1.5, -1.5, 0.0]) + rng.normal(scale=0.5, size=(n, 3))
        names = [f"shared {i}" for i in range(12)] + [f"{own} {i}" for i in range(3)]
        schema = TableSchema(columns=tuple(Column(name=column, kind="numeric") for column in names))
        inputs = np.concatenate([unit * shared + 3 * (unit - 1), alone], axis=1).astype(np.float32)
        return Domain(inputs, 2 * a + b, classes, name, schema=schema)

    return Task(
        draw("source", "old", 0.6, 1.0),
        draw("target", "new", 0.3, 2.54),
        target_test=draw("target test", "new", 0.3, 2.54),
        name="two clinics",
    )


def sketched_things(n: int = 200, *, num_classes: int = 4, noise: float = 0.3, seed: int = 0) -> Task:
    """Things as 20 features of a photo, and as 8 numbers of a sketch that was drawn from it.

    A thing is its class's centre and something of its own, 6 dimensions that either side sees through a random linear
    map; a sketch loses part of what is its own. Ids tell whose sketch is whose, as Sketchy's do.

    Args:
        n: photos, and sketches, for training and for the test each; one sketch of every photo.
        num_classes: number of classes.
        noise: standard deviation of a sketch around what was drawn.
        seed: draws the examples.
    """
    rng = np.random.default_rng([seed, 0x5CE7])
    centres = rng.normal(scale=2.0, size=(num_classes, 6))
    eye, hand = rng.normal(size=(6, 20)), rng.normal(size=(6, 8))
    classes = tuple(f"thing {i}" for i in range(num_classes))

    def draw(part: str) -> tuple[Domain, Domain]:
        labels = rng.permutation(np.arange(n) % num_classes)
        things = centres[labels] + rng.normal(size=(n, 6))
        names = [f"{classes[label]}/{part}{i}" for i, label in enumerate(labels)]
        photos, sketches = things @ eye, (things + rng.normal(scale=noise, size=(n, 6))) @ hand
        return (
            Domain(sketches.astype(np.float32), labels, classes, "sketches", tuple(f"{name}-1" for name in names)),
            Domain(photos.astype(np.float32), labels, classes, "photos", tuple(names)),
        )

    (sketches, photos), (test_sketches, test_photos) = draw("a"), draw("b")
    return Task(sketches, photos, source_test=test_sketches, target_test=test_photos, name="sketched things")


def two_shops(n: int = 200, *, seed: int = 0) -> Task:
    """Short reviews of books and of kitchen tools, each with praise and blame of its own beside what both share.

    Every text has three words of judgement, half of them on average of its own domain ("gripping", "sturdy"), among
    words that tell nothing. A target text that has none of the shared ones, one in eight, can only be told by the
    company that its words keep in other target texts.

    Args:
        n: texts on each of source, target and both test sets.
        seed: draws the texts.
    """
    rng = np.random.default_rng([seed, 0x5409])
    shared = (("bad", "poor", "awful"), ("good", "great", "excellent"))
    own = {
        "books": (("boring", "shallow", "predictable"), ("gripping", "moving", "readable")),
        "kitchen": (("blunt", "leaky", "flimsy"), ("sharp", "sturdy", "handy")),
    }
    things = {
        "books": ("plot", "author", "chapter", "novel", "hero", "ending", "page", "reader"),
        "kitchen": ("knife", "pan", "lid", "handle", "oven", "blade", "bowl", "kettle"),
    }
    filler = ("the", "a", "it", "was", "and", "this", "i", "very")

    def write(domain: str, label: int) -> str:
        judgement = [rng.choice(own[domain][label] if rng.random() < 0.5 else shared[label]) for _ in range(3)]
        words = [*judgement, *rng.choice(things[domain], 3), *rng.choice(filler, 6)]
        return " ".join(rng.permutation(words))

    return _books_and_kitchen("two shops", write, n, rng)


def _books_and_kitchen(name: str, write: Callable[[str, int], str], n: int, rng: np.random.Generator) -> Task:
    """N texts on each of source, target and both test sets, half of them positive, as `write` makes them."""

    def draw(called: str, domain: str) -> Domain:
        labels = rng.permutation(np.arange(n) % 2)
        return Domain(from_texts(write(domain, int(y)) for y in labels), labels, ("negative", "positive"), called)

    return Task(
        draw("source", "books"),
        draw("target", "kitchen"),
        source_test=draw("source test", "books"),
        target_test=draw("target test", "kitchen"),
        name=name,
    )
