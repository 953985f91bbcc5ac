import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from acclimate.data.augment import centre_crop, normalise, random_crop
from acclimate.data.domain import Domain
from acclimate.data.images import resize, to_channels
from acclimate.data.preprocess import Preprocess
from acclimate.errors import DataError


def noise(n: int, side: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)


def test_luma_gives_pillows_bytes() -> None:
    images = noise(20, 9, 3)
    ours = to_channels(images, 1)[..., 0]
    assert np.array_equal(ours, np.stack([np.asarray(Image.fromarray(i).convert("L")) for i in images]))


def test_grey_becomes_colour_and_back_without_loss() -> None:
    grey = noise(3, 5, 1)
    assert np.array_equal(to_channels(to_channels(grey, 3), 1), grey)


@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_is_pillows(channels: int) -> None:
    images = noise(4, 16, channels)
    out = resize(images, 28)
    assert out.shape == (4, 28, 28, channels)
    picture = Image.fromarray(images[2].squeeze()).resize((28, 28), Image.Resampling.BILINEAR)
    assert np.array_equal(out[2].squeeze(), np.asarray(picture))
    assert resize(images, 16) is images


def slow_crop(images: torch.Tensor, size: int, pad: int, flip: bool, seed: int) -> torch.Tensor:
    """One image at a time, with the same draws in the same order."""
    generator = torch.Generator().manual_seed(seed)
    b, h, w, _ = images.shape
    top = torch.randint(0, h + 2 * pad - size + 1, (b,), generator=generator)
    left = torch.randint(0, w + 2 * pad - size + 1, (b,), generator=generator)
    mirrored = torch.rand(b, generator=generator) < 0.5 if flip else torch.zeros(b, dtype=torch.bool)
    out = []
    for image, y, x, mirror in zip(images.numpy(), top, left, mirrored, strict=True):
        padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)))
        window = padded[y : y + size, x : x + size]
        out.append(window[:, ::-1] if mirror else window)
    return torch.from_numpy(np.stack(out))


@given(
    st.integers(1, 6),
    st.sampled_from([(8, 8, 2), (8, 6, 0), (9, 9, 0), (100, 97, 3)]),
    st.booleans(),
    st.integers(0, 9),
)
def test_random_crops_match_a_loop(b: int, shape: tuple[int, int, int], flip: bool, seed: int) -> None:
    side, size, pad = shape
    images = torch.from_numpy(noise(b, side, 3, seed))
    fast = random_crop(images, size, pad, flip, torch.Generator().manual_seed(seed))
    assert torch.equal(fast, slow_crop(images, size, pad, flip, seed))


def test_centre_crop() -> None:
    image = torch.arange(36, dtype=torch.uint8).reshape(1, 6, 6, 1)
    assert centre_crop(image, 2).flatten().tolist() == [14, 15, 20, 21]


def test_normalise_is_the_stated_formula_in_channels_last_order() -> None:
    images = torch.from_numpy(noise(3, 4, 3))
    mean, std = (0.1, 0.5, 0.9), (0.2, 0.5, 1.0)
    out = normalise(images, mean, std)
    expected = (images.double() / 255 - torch.tensor(mean)) / torch.tensor(std)
    assert torch.allclose(out.double(), expected.permute(0, 3, 1, 2), atol=1e-5)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_half_maps_bytes_to_minus_one_and_one() -> None:
    domain = Domain(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
    preprocess = Preprocess.of_images([domain], size=1)
    assert preprocess.batch(domain.inputs, None).flatten().tolist() == pytest.approx([-1, 1])


def test_mean_is_pooled_over_both_sides_by_example() -> None:
    dark, light = Domain(np.zeros((3, 2, 2, 1), np.uint8)), Domain(np.full((1, 4, 4, 1), 255, np.uint8))
    preprocess = Preprocess.of_images([dark, light], size=4, normalisation="mean")
    assert preprocess.mean == pytest.approx((0.25,))
    assert preprocess.std == (1.0,)
    standard = Preprocess.of_images([dark, light], size=4, normalisation="standard")
    assert standard.std == pytest.approx((np.sqrt(0.25 * 0.75),))


def test_colour_on_one_side_makes_colour_of_both() -> None:
    grey, colour = Domain(noise(2, 8, 1)), Domain(noise(2, 8, 3))
    preprocess = Preprocess.of_images([grey, colour], size=8)
    assert preprocess.fit(grey).inputs.shape == (2, 8, 8, 3)
    assert preprocess.batch(preprocess.fit(grey).inputs, None).shape == (2, 3, 8, 8)


def test_features_are_scored_by_pooled_mean_and_deviation() -> None:
    rng = np.random.default_rng(0)
    one, two = (Domain(rng.normal(loc, 2, (50, 3)).astype(np.float32)) for loc in (0, 5))
    preprocess = Preprocess.of_features([one, two])
    scored = torch.cat([preprocess.batch(d.inputs, None) for d in (one, two)])
    assert torch.allclose(scored.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(scored.std(0, unbiased=False), torch.ones(3), atol=1e-5)


def test_a_constant_feature_stays_finite() -> None:
    same = Domain(np.ones((5, 1), np.float32))
    assert Preprocess.of_features([same]).batch(same.inputs, None).abs().max() == 0


def test_preprocess_survives_json() -> None:
    preprocess = Preprocess.of_images([Domain(noise(2, 8, 3))], size=8, normalisation="mean", pad=2, flip=True)
    assert Preprocess.model_validate_json(preprocess.model_dump_json()) == preprocess


def test_other_kinds_and_widths_are_refused() -> None:
    preprocess = Preprocess(kind="features", channels=3)
    with pytest.raises(DataError, match="must hold features, as in training; got images"):
        preprocess.fit(Domain(noise(1, 4, 1)))
    with pytest.raises(DataError, match="must have 3 features, as in training; got 2"):
        preprocess.fit(Domain(np.zeros((1, 2), np.float32)))
    with pytest.raises(DataError, match="same number of features; got 3 in a and 2 in b"):
        Preprocess.of_features([Domain(np.zeros((1, n), np.float32), name=s) for n, s in ((3, "a"), (2, "b"))])


@pytest.mark.parametrize("normalisation", ["half", "mean", "standard", "none"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_byte_comes_back_from_network_input(normalisation: str, channels: int) -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(channels, axis=3)
    every[..., -1] = every[..., -1].transpose(0, 2, 1)
    domain = Domain(np.concatenate([every, noise(3, 16, channels)]))
    preprocess = Preprocess.of_images([domain], size=16, normalisation=normalisation)  # type: ignore[arg-type]
    back = preprocess.pixels(preprocess.batch(domain.array, None))
    assert back.dtype == np.uint8
    assert back.flags.c_contiguous
    assert np.array_equal(back, domain.array)


def test_what_is_no_byte_is_cut_off() -> None:
    preprocess = Preprocess(kind="images", mean=(0.5,), std=(0.5,), size=2, stored=2)
    x = torch.tensor([-9.0, 9.0, float("nan"), 2 / 255 - 1]).view(1, 1, 2, 2)
    assert preprocess.pixels(x).tolist() == [[[[0], [255]], [[0], [1]]]]
