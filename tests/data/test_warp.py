"""Deformations: nothing at strength 0, never out of range, each image its own, and of the size they say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data import warp as module
from acclimate.data.warp import restroke, warp


@given(st.integers(1, 5), st.sampled_from([1, 3]), st.integers(6, 20), st.integers(6, 20), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_shape_and_range_stay(b: int, c: int, h: int, w: int, strength: float) -> None:
    images = torch.rand(b, c, h, w) * 2 - 1
    for deformed in (warp(images, strength), restroke(images, strength)):
        assert deformed.shape == images.shape
        assert images.amin() - 1e-5 <= deformed.amin() <= deformed.amax() <= images.amax() + 1e-5


def test_strength_0_is_nothing_at_all() -> None:
    images = torch.rand(3, 1, 8, 8)
    state = torch.get_rng_state()
    assert warp(images, 0) is restroke(images, 0) is images
    assert torch.equal(torch.get_rng_state(), state)


def test_a_plain_image_stays_plain_whatever_comes_in_from_outside() -> None:
    plain = torch.full((4, 1, 12, 12), -1.0)
    assert torch.allclose(warp(plain, 1.0), plain)


def test_images_of_a_batch_move_apart() -> None:
    torch.manual_seed(0)
    same = torch.rand(1, 1, 16, 16).expand(4, -1, -1, -1)
    deformed = warp(same, 1.0)
    assert all(not torch.allclose(deformed[0], other) for other in deformed[1:])


def test_a_dot_moves_no_further_than_turn_lean_scale_and_move_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEND", 0.0)
    torch.manual_seed(1)
    dots = torch.zeros(500, 1, 41, 41)
    dots[:, :, 19:22, 19:22] = 1
    moved = warp(dots, 1.0)
    mass = moved[:, 0].flatten(1)
    rows = torch.arange(41.0).repeat_interleave(41)
    centre = (mass @ rows) / mass.sum(1)
    # The middle of the image is moved by `move` alone: 10 % of half the side.
    assert (centre - 20).abs().max() < 0.1 * 20.5 * 1.5 + 0.5
    assert (centre - 20).abs().max() > 1


def test_strokes_are_thickened_and_thinned_between_erosion_and_dilation() -> None:
    torch.manual_seed(0)
    bar = torch.zeros(200, 1, 9, 9)
    bar[:, :, :, 3:6] = 1
    out = restroke(bar, 1.0)
    mass = out.flatten(1).sum(1)
    assert mass.min() >= 9
    assert mass.max() <= 45
    assert mass.min() < 20 < 27 < 35 < mass.max()
    assert restroke(bar, 0.5).flatten(1).sum(1).max() <= 27 + 0.5 * 18 + 1e-4
