"""Handout E's losses in NumPy, with their gradients: mean squared error, binary cross-entropy, SSIM, divergence.

Images are (N, C, H, W) in [0, 1], means and log-variances (N, latent). Each loss is (value, gradient), the gradient
with respect to the reconstruction or to mean and log-variance. In float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SIGMA, _C1, _C2 = 1.5, 0.01**2, 0.03**2


def mse(x: Array, xg: Array) -> tuple[float, Array]:
    """Return the mean squared error of reconstructions xg of images x."""
    return float(np.mean((xg - x) ** 2)), 2 * (xg - x) / x.size


def bce(x: Array, xg: Array) -> tuple[float, Array]:
    """Return the mean binary cross-entropy of reconstructions xg, as probabilities, with images x as targets."""
    value = -np.mean(x * np.log(xg) + (1 - x) * np.log(1 - xg))
    return float(value), (xg - x) / (xg * (1 - xg)) / x.size


def ssim(x: Array, xg: Array, size: int = 11, padded: bool = True) -> tuple[float, Array]:
    """Return 1 - SSIM with a Gaussian window of that size; zeros lie around the images, or it stays within them."""
    mean, back = _means(x.shape[-2:], size, padded)
    mx, my = mean(x), mean(xg)
    vx, vy, cov = mean(x * x) - mx**2, mean(xg * xg) - my**2, mean(x * xg) - mx * my
    a1, a2 = 2 * mx * my + _C1, 2 * cov + _C2
    b1, b2 = mx**2 + my**2 + _C1, vx + vy + _C2
    s = a1 * a2 / (b1 * b2)
    of_mean = s * 2 * (mx / a1 - mx / a2 - my / b1 + my / b2)
    of_product, of_square = s * 2 / a2, -s / b2  # of mean(x * xg) and of mean(xg * xg)
    gradient = back(of_mean) + x * back(of_product) + 2 * xg * back(of_square)
    return float(1 - s.mean()), -gradient / s.size


def _means(
    shape: tuple[int, ...], size: int, padded: bool
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Return the local means of images of that height and width under the window, and the adjoint of that."""
    rows, columns = (_band(length, size, padded) for length in shape)  # (height', height), (width', width)
    return lambda images: rows @ images @ columns.T, lambda means: rows.T @ means @ columns


def _band(length: int, size: int, padded: bool) -> Array:
    """Return the matrix that takes the weighted means of a line of that length."""
    distances = np.arange(size) - size // 2
    weights = np.exp(-(distances**2) / (2 * _SIGMA**2))
    places = np.arange(length)[:, None] + distances[None]  # (length, size)
    band = np.zeros((length, length))
    inside = (places >= 0) & (places < length)
    rows, taps = np.nonzero(inside)
    band[rows, places[rows, taps]] = (weights / weights.sum())[taps]
    return band if padded else band[inside.all(axis=1)]


def divergence(mu: Array, log_var: Array) -> tuple[float, Array, Array]:
    """Return the divergence of N(mu, exp(log_var)) from N(0, 1), averaged over the batch, and both gradients."""
    value = 0.5 * np.sum(mu**2 + np.exp(log_var) - log_var - 1, axis=1).mean()
    return float(value), mu / len(mu), 0.5 * (np.exp(log_var) - 1) / len(mu)
