"""Training a linear layer in the space that its training rows span.

n rows of d > n features span at most n dimensions. Let the columns of Q `(d, n)` be an orthonormal basis of that
space, z = Qᵀx the coordinates of a row, and W = V Qᵀ + W (1 − Q Qᵀ). Then W x = V z on every training row, the
gradient of the loss by W is that by V times Qᵀ, and what W does outside the space only shrinks by weight decay.
Training V on z with SGD is therefore the same as training W on x, at n / d of the cost; with Adam, which treats each
coordinate by itself, it is not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RowSpaceLinear(nn.Module):
    """A linear layer that takes rows `(b, d)` and, much faster, the coordinates `(b, r)` of training rows.

    Args:
        layer: the layer to stand for; its weights are taken over.
        rank: r < d, dimensions of the space of the training rows.

    Attributes:
        inside: V `(h, r)`.
        bias: `(h,)`.
        fade: what weight decay has left of the weights outside the space, from 1 on.
        basis: Q `(d, r)`.
        outside: the initial W (1 − Q Qᵀ) `(h, d)`.
    """

    basis: Tensor
    outside: Tensor

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        weight = layer.weight.detach()
        self.inside = nn.Parameter(weight.new_zeros(len(weight), rank))
        self.bias = nn.Parameter(layer.bias.detach().clone())
        self.fade = nn.Parameter(weight.new_ones(()))
        self.register_buffer("basis", weight.new_zeros(weight.shape[1], rank))
        self.register_buffer("outside", weight.clone())

    @torch.no_grad()
    def span(self, basis: Tensor) -> None:
        """Take over a basis `(d, r)`; to be called once, before training."""
        self.basis.copy_(basis)
        self.inside.copy_(self.outside @ self.basis)
        self.outside.sub_(self.inside @ self.basis.T)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, d)` rows or `(b, r)` coordinates to `(b, h)`."""
        # Zero times the factor: a gradient of zero, so that the optimizer decays it with all other weights.
        bias = self.bias + 0 * self.fade
        if x.shape[1] == self.inside.shape[1]:
            return F.linear(x, self.inside, bias)
        return F.linear(x @ self.basis, self.inside, bias) + self.fade * F.linear(x, self.outside)


def in_row_space(net: nn.Module, rank: int) -> nn.Module:
    """The network with its first layer, which has to be linear, replaced by a `RowSpaceLinear`."""
    assert isinstance(net, nn.Sequential)
    first = net[0]
    assert isinstance(first, nn.Linear)
    net[0] = RowSpaceLinear(first, rank)
    return net


def row_basis(rows: Tensor) -> Tensor:
    """An orthonormal basis `(d, n)` of a space that holds all rows `(n, d)`, n < d; in the rows' precision."""
    return torch.linalg.qr(rows.T)[0]  # type: ignore[no-any-return]
