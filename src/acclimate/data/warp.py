"""Random deformations of whole batches of images: moved, turned, bent, thicker or thinner, but the same thing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# At strength 1: turns by up to 15°, scales by up to 15 %, moves by up to 5 % of the side, leans by up to 0.3, and
# bends by a field of 5×5 Gaussian displacements of 3 % of the side each.
_TURN, _SCALE, _MOVE, _LEAN, _BEND, _KNOTS = 0.26, 0.15, 0.1, 0.3, 0.06, 5


def warp(images: Tensor, strength: float) -> Tensor:
    """Each image under a random affine map and a random smooth displacement of its own.

    What comes in from outside the image repeats its border.

    Args:
        images: `(b, c, h, w)` float.
        strength: 0 for none at all; the module's constants tell what 1 is.

    Returns:
        The same shape, drawn with torch's global generator.
    """
    b, _, h, w = images.shape
    if strength == 0:
        return images
    turn, lean = _uniform(b, _TURN * strength), _uniform(b, _LEAN * strength)
    scale, move = 1 + _uniform((b, 2), _SCALE * strength), _uniform((b, 2), _MOVE * strength)
    cos, sin, zero = turn.cos(), turn.sin(), torch.zeros(b)
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shape = torch.stack([torch.stack([scale[:, 0], lean], 1), torch.stack([zero, scale[:, 1]], 1)], 1)
    affine = torch.cat([rotation @ shape, move[:, :, None]], dim=2).to(images.device)
    knots = torch.randn(b, 2, _KNOTS, _KNOTS).mul_(_BEND * strength).to(images.device)
    bend = F.interpolate(knots, size=(h, w), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False) + bend
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def restroke(images: Tensor, strength: float) -> Tensor:
    """Each image with bright strokes thickened or thinned by a random amount.

        x + t (dilate(x) − x) for t > 0, x − t (erode(x) − x) for t < 0,   t ~ U(−s, s),   over 3×3 pixels

    Args:
        images: `(b, c, h, w)` float.
        strength: s in [0, 1].
    """
    if strength == 0:
        return images
    t = _uniform((len(images), 1, 1, 1), strength).to(images.device)
    thick, thin = F.max_pool2d(images, 3, 1, 1), -F.max_pool2d(-images, 3, 1, 1)
    return torch.lerp(images, torch.where(t > 0, thick, thin), t.abs())


def redraw(sketches: Tensor, strength: float) -> Tensor:
    """Sketches as another hand might have drawn them: bent, turned, of another size, dark strokes thicker or thinner.

    Args:
        sketches: `(b, c, h, w)` float, dark on light.
        strength: 0 for none at all; strokes change by at most half of a step of 3×3 pixels at 1.
    """
    return warp(-restroke(-sketches, min(1.0, strength / 2)), strength)


def _uniform(shape: int | tuple[int, ...], limit: float) -> Tensor:
    """Draws from U(−limit, limit)."""
    return (torch.rand(shape) * 2 - 1) * limit
