"""The geodesic flow kernel against the integral that it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad_vec
from scipy.linalg import expm

from acclimate.objectives.geodesic_flow import geodesic_flow


def basis(d: int, p: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, p)))[0]


def integral(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """∫ Φ Φᵀ by quadrature; Φ turns the source's plane by a rotation exp(t Ω), found without principal angles.

    Ω is the logarithm of the product of the two reflections that fix the planes, halved.
    """
    from scipy.linalg import logm

    d = len(source)
    reflections = [2 * side @ side.T - np.eye(d) for side in (source, target)]
    omega = np.real(logm(reflections[1] @ reflections[0])) / 2
    return quad_vec(lambda t: expm(t * omega) @ source @ source.T @ expm(t * omega).T, 0, 1, epsabs=1e-11)[0]


@pytest.mark.parametrize(("d", "p"), [(6, 1), (7, 3), (5, 4)])
def test_is_the_integral_along_the_geodesic(d: int, p: int) -> None:
    source, target = basis(d, p, 0), basis(d, p, 1)
    flow = geodesic_flow(source, target)
    assert flow.shape == (d, 2 * p)
    np.testing.assert_allclose(flow @ flow.T, integral(source, target), atol=1e-8)


def test_of_a_plane_with_itself_is_its_projection() -> None:
    plane = basis(6, 2, 3)
    turned = plane @ basis(2, 2, 4)
    flow = geodesic_flow(plane, turned)
    np.testing.assert_allclose(flow @ flow.T, plane @ plane.T, atol=1e-7)


def test_between_lines_at_right_angles() -> None:
    """G = ½ I + (1/π) (0 1; 1 0) in their plane: ∫ cos² = ∫ sin² = ½, ∫ cos sin = 1/π over a quarter turn."""
    flow = geodesic_flow(np.eye(3)[:, :1], np.eye(3)[:, 1:2])
    expected = np.zeros((3, 3))
    expected[:2, :2] = [[1 / 2, 1 / np.pi], [1 / np.pi, 1 / 2]]
    np.testing.assert_allclose(flow @ flow.T, expected, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(d=st.integers(2, 9), p=st.integers(1, 5), seed=st.integers(0, 99))
def test_is_the_same_both_ways_and_no_longer_than_a_projection(d: int, p: int, seed: int) -> None:
    source, target = basis(d, min(p, d), seed), basis(d, min(p, d), seed + 100)
    there, back = geodesic_flow(source, target), geodesic_flow(target, source)
    np.testing.assert_allclose(there @ there.T, back @ back.T, atol=1e-7)
    assert np.linalg.eigvalsh(there @ there.T).max() <= 1 + 1e-9
    np.testing.assert_allclose(np.trace(there @ there.T), min(p, d), atol=1e-7)
