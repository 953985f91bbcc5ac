"""Mean and deviation of what a run is trained on, by which its inputs are normalised ever after."""

from __future__ import annotations

import numpy as np

from acclimate.data.block_statistics import Blocks, moments
from acclimate.data.domain import Domain
from acclimate.data.images import to_channels

SILENT = float(np.finfo(np.float32).max)
_CHUNK = 4096


def feature_statistics(arrays: list[np.ndarray], marks: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature over all rows; the last ones, which mark gaps, stay 0 and 1.

    The deviation of a constant is the largest number there is, so that it is 0 ever after. A deviation is small or
    large beside the numbers it is of: there is no other bound to it.
    """
    pooled = np.concatenate(arrays).astype(np.float64)
    return _told(pooled.mean(axis=0), pooled.std(axis=0), pooled.max(axis=0) == pooled.min(axis=0), marks)


def block_statistics(blocks: Blocks, marks: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of rows that are read block by block; sums are in another order, so last digits may differ."""
    mean, std, least, largest = moments(blocks)
    return _told(mean, std, least == largest, marks)


def _told(mean: np.ndarray, std: np.ndarray, constant: np.ndarray, marks: int) -> tuple[np.ndarray, np.ndarray]:
    std = np.where(constant, SILENT, np.maximum(std, np.finfo(np.float32).tiny))
    if marks:
        mean[-marks:], std[-marks:] = 0.0, 1.0
    return mean, std


def channel_statistics(domains: list[Domain], channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel in [0, 1], over all pixels of the domains pooled example by example."""
    count, total, square = 0, np.zeros(channels), np.zeros(channels)
    for domain in domains:
        for start in range(0, len(domain), _CHUNK):
            chunk = to_channels(domain.array[start : start + _CHUNK], channels) / 255.0
            weight = 1 / (chunk.shape[1] * chunk.shape[2])
            count += len(chunk)
            total += chunk.sum(axis=(0, 1, 2)) * weight
            square += (chunk**2).sum(axis=(0, 1, 2)) * weight
    mean = total / count
    std = np.sqrt(np.maximum(square / count - mean**2, 1e-12))
    return tuple(mean.tolist()), tuple(std.tolist())
