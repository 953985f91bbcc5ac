"""Many pictures as one."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.runs.mosaic import mosaic


@pytest.mark.parametrize(("channels", "mode"), [(1, "LA"), (3, "RGBA")])
def test_pictures_stand_in_rows_with_transparent_gaps(channels: int, mode: str) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5, channels), dtype=np.uint8)
    made = mosaic(list(rows), gap=2)
    assert made.mode == mode
    assert made.size == (3 * 5 + 2 * 2, 2 * 4 + 2)
    pixels = np.asarray(made)
    assert np.array_equal(pixels[6:10, 14:19, :channels], rows[1, 2])
    assert (pixels[6:10, 14:19, channels] == 255).all()
    assert not pixels[4:6].any()
    assert not pixels[:, 5:7].any()
