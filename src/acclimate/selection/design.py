"""Which examples to ask about: a stratified random sample, denser where models are doubtful or disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The share of labels that is spread evenly whatever models say: where one is wrong and feels sure, it is found out.
_EVENLY = 0.75
# Labels to a stratum, about; fewer than the second tell nothing about its spread.
_PER_STRATUM, _LEAST = 8, 4
# How often exactly one of two models is right where they disagree, about: it only moves labels around.
_ONE_RIGHT = 0.7


@dataclass(frozen=True, eq=False)
class Sample:
    """A stratified random sample of N examples.

    Attributes:
        rows: `(n,)` the examples, in the order in which to ask; it tells nothing about them.
        strata: `(n,)` the stratum of each, from 0.
        sizes: `(H,)` how many examples each stratum has.
        agreed: `(H,)` whether all models answer alike throughout a stratum.
    """

    rows: np.ndarray
    strata: np.ndarray
    sizes: np.ndarray
    agreed: np.ndarray

    @property
    def taken(self) -> np.ndarray:
        """`(H,)` how many examples of each stratum are in the sample."""
        return np.bincount(self.strata, minlength=len(self.sizes))

    @property
    def probabilities(self) -> np.ndarray:
        """`(n,)` the inclusion probability of each example, n_h / N_h."""
        return np.asarray((self.taken / self.sizes)[self.strata])


def draw(predicted: np.ndarray, confidence: np.ndarray, items: int, seed: int) -> Sample:
    """Choose examples whose labels tell most about the accuracy of K models and about their differences.

    The rate at which an example is taken follows Neyman's allocation, tempered:

        π_i ∝ ¾ + ¼ d_i / d̄,    d_i² = mean_k q_ik (1 − q_ik) + 0.7 δ_i,    q_ik = 1 − confidence,

    with δ_i the share of models that answer otherwise than the first. Confidences count relative to their mean only,
    so that a model which is too sure everywhere loses nothing. Examples that all models answer alike, of which no
    difference depends, are kept apart from the others; both parts are cut into strata by π_i, each worth about eight
    labels. Within a stratum the draw is a systematic one over the examples sorted by what the models answer, the
    answers in random order, so that every predicted class has its share and the inclusion probability of each example
    is n_h / N_h exactly.

    Source: Neyman, JRSS 1934, for the allocation; Dalenius & Hodges, JASA 1959, for strata of equal weight; Madow &
    Madow, Annals of Mathematical Statistics 1944, for systematic sampling.

    Args:
        predicted: `(K, N)` class indices.
        confidence: `(K, N)` of these answers, in [0, 1].
        items: how many, 1 to N.
        seed: of the draw. The same arguments give the same sample, to the bit.
    """
    rng = np.random.default_rng(seed)
    groups, taken = strata_of(predicted, confidence, items, rng)
    answers = np.unique(predicted, axis=1, return_inverse=True)[1].ravel()
    drawn = [_systematic(group, answers, n, rng) for group, n in zip(groups, taken, strict=True)]
    rows, strata = np.concatenate(drawn), np.repeat(np.arange(len(groups)), taken)
    shuffled = rng.permutation(len(rows))
    agreed = np.array([(predicted[:, group] == predicted[0, group]).all() for group in groups])
    return Sample(rows[shuffled], strata[shuffled], np.array([len(group) for group in groups]), agreed)


def strata_of(
    predicted: np.ndarray, confidence: np.ndarray, items: int, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[int]]:
    """The examples of each stratum, and how many of them to take; see `draw`.

    Args:
        predicted: `(K, N)` class indices.
        confidence: `(K, N)` of these answers, in [0, 1].
        items: how many in all.
        rng: settles between examples that are as doubtful.
    """
    rates = _rates(predicted, confidence, items)
    order = np.lexsort((rng.random(len(rates)), -rates))
    return _strata(order, (predicted != predicted[0]).any(axis=0), rates)


def _rates(predicted: np.ndarray, confidence: np.ndarray, items: int) -> np.ndarray:
    """The rates `(N,)` at which to take the examples; they add up to `items`, and none is above 1."""
    doubt = np.nan_to_num(np.clip(1 - np.asarray(confidence, dtype=float), 0, 0.5), nan=0.5)
    differ = (predicted != predicted[0]).mean(axis=0)
    spread: np.ndarray = np.sqrt((doubt * (1 - doubt)).mean(axis=0) + _ONE_RIGHT * differ)
    mean = spread.mean()
    wanted = _EVENLY + (1 - _EVENLY) * (spread / mean if mean > 0 else np.ones_like(spread))
    sure = np.zeros(len(wanted), dtype=bool)
    while True:  # what would be taken more than once is taken, and the others share the rest
        rates = np.where(sure, 1.0, wanted * (items - sure.sum()) / max(wanted[~sure].sum(), 1e-12))
        if not (over := (rates > 1 + 1e-9) & ~sure).any():
            return rates
        sure |= over


def _strata(order: np.ndarray, differ: np.ndarray, rates: np.ndarray) -> tuple[list[np.ndarray], list[int]]:
    """The examples of each stratum, and how many of them to take."""
    items = round(rates.sum())
    parts = [order[differ[order]], order[~differ[order]]]
    first = round(rates[parts[0]].sum())
    if not all(_LEAST <= n <= len(part) for n, part in zip((first, items - first), parts, strict=True)):
        parts, labels = [order], [items]
    else:
        labels = [first, items - first]
    cut = [_cut(part, rates, n) for part, n in zip(parts, labels, strict=True)]
    return [group for groups, _ in cut for group in groups], [n for _, taken in cut for n in taken]


def _cut(part: np.ndarray, rates: np.ndarray, labels: int) -> tuple[list[np.ndarray], list[int]]:
    """Cut examples, in order, into strata of about as many labels each."""
    strata = max(1, round(labels / _PER_STRATUM))
    ends = np.round(np.arange(strata + 1) * labels / strata).astype(int)
    taken = np.diff(ends)
    places = np.searchsorted(np.cumsum(rates[part]) * labels / rates[part].sum(), ends[1:-1] - 0.5)
    # No stratum is smaller than what is taken of it.
    places = np.clip(places, ends[1:-1], len(part) - (labels - ends[1:-1]))
    return np.split(part, places), taken.tolist()


def _systematic(group: np.ndarray, answers: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Every (N_h / n)th example from a random one on, those of equal answers together, at random in any other way.

    Were the answers in a fixed order, what comes back with a period of N_h / n would be met always or never.
    """
    turn = rng.permutation(answers.max() + 1)
    ordered = group[np.lexsort((rng.random(len(group)), turn[answers[group]]))]
    return np.asarray(ordered[((np.arange(n) + rng.random()) * len(group) / n).astype(int)])
