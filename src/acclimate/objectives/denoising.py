"""The marginalised denoising auto-encoder: reconstruction from every possible corruption, in closed form."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg.blas import ssyrk
from torch import Tensor

# The authors' code adds it to the matrix it inverts.
RIDGE = 1e-5
_ROWS = 4096


def moments(inputs: np.ndarray) -> Tensor:
    """S = Σ_i x̃_i x̃_iᵀ of inputs with a constant 1 after the last feature.

    Products are taken in single precision over blocks of rows, and blocks are added up in double: half the time, and
    no loss for zeros and ones, whose sums single precision holds exactly.

    Args:
        inputs: `(n, d)` float32.

    Returns:
        `(d + 1, d + 1)` float64.
    """
    width = inputs.shape[1] + 1
    total = torch.zeros(width, width, dtype=torch.float64)
    for start in range(0, len(inputs), _ROWS):
        block = inputs[start : start + _ROWS]
        block = np.concatenate([block, np.ones((len(block), 1), np.float32)], axis=1)
        total += torch.from_numpy(ssyrk(1.0, block.T, lower=True))  # one triangle
    return total.tril() + total.tril(-1).T


def denoising_map(moments: Tensor, corruption: float) -> Tensor:
    """The linear map that best restores inputs of which each feature was set to 0 with probability p.

        W = argmin Σ_i E ‖x_i − W x̂_i‖² = P Q⁻¹,   x̂_i = x̃_i with each feature but the constant zeroed at random
        Q_ij = S_ij q_i q_j for i ≠ j, Q_ii = S_ii q_i,   P_ij = S_ij q_j,   q = (1 − p, …, 1 − p, 1)

    As q_i P = Q − p (1 − p) [diag S 0] in the rows i of features, with a ridge of ε on Q

        W = ([I 0] − (p (1 − p) diag S + ε I) (Q + ε I)⁻¹) / (1 − p),

    which takes an inverse in place of a system with as many right-hand sides, and half the time.

    Source: Chen, Xu, Weinberger & Sha, "Marginalized Denoising Autoencoders for Domain Adaptation", ICML 2012, eqs. 3
    to 5.

    Args:
        moments: S `(d + 1, d + 1)` of `moments`, in double precision.
        corruption: p, in [0, 1).

    Returns:
        W `(d, d + 1)`; its last column is the bias.
    """
    kept, d = 1 - corruption, len(moments) - 1
    second = moments.diagonal()[:d]
    noise = corruption * kept * second + RIDGE
    survival = moments.new_full((d + 1,), kept)
    survival[d] = 1
    q = moments * survival * survival[:, None]
    diagonal = q.diagonal()
    diagonal[:d] = second * kept
    diagonal += RIDGE
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(q))[:d]
    inverse.mul_(-noise[:, None] / kept)
    inverse.diagonal().add_(1 / kept)
    return inverse
