"""Schedules: pure functions of training progress p in [0, 1]."""

from __future__ import annotations

import math


def reversal_ramp(progress: float, steepness: float = 10.0) -> float:
    """Weight of the reversed domain gradient, rising from 0 to (nearly) 1.

        λ(p) = 2 / (1 + exp(−γ p)) − 1

    Source: Ganin & Lempitsky, ICML 2015, section 4.

    Args:
        progress: p in [0, 1].
        steepness: γ; the paper uses 10.

    Example:
        >>> reversal_ramp(0.0), round(reversal_ramp(0.5), 4), round(reversal_ramp(1.0), 4)
        (0.0, 0.9866, 0.9999)
    """
    return 2 / (1 + math.exp(-steepness * progress)) - 1


def annealing(progress: float, alpha: float = 10.0, beta: float = 0.75) -> float:
    """Factor on the learning rate, falling from 1.

        μ(p) / μ(0) = (1 + α p)^(−β)

    Source: Ganin & Lempitsky, ICML 2015, section 4.

    Args:
        progress: p in [0, 1].
        alpha: the paper uses 10.
        beta: the paper uses 0.75.

    Example:
        >>> annealing(0.0), round(annealing(1.0), 4)
        (1.0, 0.1656)
    """
    return math.pow(1 + alpha * progress, -beta)


def cosine(progress: float) -> float:
    """Factor on the learning rate, half a cosine from 1 to 0.

        μ(p) / μ(0) = (1 + cos(π p)) / 2

    Source: Loshchilov & Hutter, ICLR 2017, without restarts.
    """
    return (1 + math.cos(math.pi * progress)) / 2


def constant(progress: float) -> float:  # noqa: ARG001  every schedule takes the progress
    """Factor 1 throughout."""
    return 1.0
