"""The losses in NumPy: their values against PyTorch and the file that is handed out, their gradients by autograd."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from graders.assignments import vae_losses as losses
from graders.home import reference_path
from graders.release import GIVEN

GENERATOR = np.random.default_rng(3)
X = GENERATOR.uniform(0.05, 0.95, (2, 3, 16, 20))
XG = (0.7 * X + 0.3 * GENERATOR.uniform(0.05, 0.95, X.shape)).clip(0.02, 0.98)
MU, LOG_VAR = GENERATOR.normal(size=(4, 5)), GENERATOR.normal(size=(4, 5))


def handed_out() -> Any:
    path = reference_path("vae").parent / GIVEN / "ssim.py"
    spec = importlib.util.spec_from_file_location("handed_out_ssim", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SSIM = handed_out()
LOSSES = {
    "mse": (losses.mse, torch.nn.functional.mse_loss),
    "bce": (losses.bce, torch.nn.functional.binary_cross_entropy),
    "ssim": (losses.ssim, lambda xg, x: 1 - SSIM.SSIM(window_size=11)(xg, x)),
    "window of 7": (lambda x, xg: losses.ssim(x, xg, size=7), lambda xg, x: 1 - SSIM.ssim(xg, x, 7)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_those_of_pytorch(name: str) -> None:
    ours, theirs = LOSSES[name]
    leaf = torch.from_numpy(XG).requires_grad_()
    value = theirs(leaf, torch.from_numpy(X))
    found, gradient = ours(X, XG)
    assert found == pytest.approx(value.item(), rel=1e-6)
    np.testing.assert_allclose(gradient, torch.autograd.grad(value, leaf)[0].numpy(), rtol=1e-4, atol=1e-9)


def test_a_window_that_stays_within_the_images() -> None:
    def value(at: np.ndarray) -> float:
        return losses.ssim(X, at, padded=False)[0]

    found, gradient = losses.ssim(X, XG, padded=False)
    assert found != pytest.approx(losses.ssim(X, XG)[0], rel=1e-3)
    for place in [(0, 0, 0, 0), (1, 2, 8, 9), (1, 1, 15, 19)]:
        step = np.zeros_like(XG)
        step[place] = 1e-6
        assert gradient[place] == pytest.approx((value(XG + step) - value(XG - step)) / 2e-6, abs=1e-8)


def test_equal_images_have_no_loss() -> None:
    assert losses.mse(X, X)[0] == 0
    assert losses.ssim(X, X)[0] == pytest.approx(0, abs=1e-12)


def test_divergence_is_that_of_the_distributions() -> None:
    mu, log_var = (torch.from_numpy(one).requires_grad_() for one in (MU, LOG_VAR))
    normal = torch.distributions.Normal
    each = torch.distributions.kl_divergence(normal(mu, torch.exp(0.5 * log_var)), normal(0.0, 1.0))
    value = each.sum(dim=1).mean()
    found, *gradients = losses.divergence(MU, LOG_VAR)
    assert found == pytest.approx(value.item())
    for ours, theirs in zip(gradients, torch.autograd.grad(value, [mu, log_var]), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-9)
