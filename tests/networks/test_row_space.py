"""Training in the row space is training outside it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from acclimate.networks.projectors import projector
from acclimate.networks.row_space import RowSpaceLinear, in_row_space, row_basis


def drawn(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def spanned(net: nn.Module, rows: torch.Tensor) -> nn.Sequential:
    rotated = in_row_space(copy.deepcopy(net), len(rows))
    assert isinstance(rotated, nn.Sequential)
    assert isinstance(rotated[0], RowSpaceLinear)
    rotated[0].span(row_basis(rows))
    return rotated


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-2}])
def test_sgd_reaches_the_same_answers_on_rows_seen_and_unseen(settings: dict[str, float]) -> None:
    torch.manual_seed(0)
    plain, rows, targets = projector(40, 6).double(), drawn(12, 40), drawn(12, 6, 1)
    rotated = spanned(plain, rows)
    coordinates = rows @ row_basis(rows)
    for net, x in ((plain, rows), (rotated, coordinates)):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5, **settings)
        for _ in range(50):
            optimizer.zero_grad()
            (net(x) - targets).square().mean().backward()
            optimizer.step()
    unseen = drawn(7, 40, 2)
    with torch.no_grad():
        torch.testing.assert_close(rotated(rows), plain(rows), rtol=1e-8, atol=1e-9)
        torch.testing.assert_close(rotated(coordinates), plain(rows), rtol=1e-8, atol=1e-9)
        torch.testing.assert_close(rotated(unseen), plain(unseen), rtol=1e-8, atol=1e-9)


def test_adam_does_not() -> None:
    torch.manual_seed(0)
    plain, rows, targets = projector(40, 6).double(), drawn(12, 40), drawn(12, 6, 1)
    rotated = spanned(plain, rows)
    for net, x in ((plain, rows), (rotated, rows @ row_basis(rows))):
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
        for _ in range(10):
            optimizer.zero_grad()
            (net(x) - targets).square().mean().backward()
            optimizer.step()
    assert not torch.allclose(rotated(rows), plain(rows), rtol=1e-3)


def test_a_basis_of_rows_that_depend_on_each_other_is_orthonormal() -> None:
    rows = drawn(5, 20)
    rows = torch.cat([rows, rows[:2]])
    basis = row_basis(rows)
    torch.testing.assert_close(basis.T @ basis, torch.eye(7, dtype=torch.float64))
    torch.testing.assert_close(rows @ basis @ basis.T, rows)
