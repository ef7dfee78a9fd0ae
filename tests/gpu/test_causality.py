"""Causality is judged by exact zeros: no kernel of PyTorch's may smear a value over what a pixel does not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

SMALL, LARGE = (3, 9, 11), (64, 32, 32)  # channels, height, width
KERNELS = [(2, 3), (3, 3), (5, 5)]
GPU = pytest.mark.gpu("torch")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[SMALL, pytest.param(LARGE, marks=GPU)], ids=["small", "large"])
def size(request: pytest.FixtureRequest, device: str) -> tuple[int, int, int]:
    if request.param == LARGE and device == "cpu":
        pytest.skip("the large size is for the kernels of a GPU")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=[False, True], ids=["first kernel", "fastest kernel"])
def chosen(request: pytest.FixtureRequest) -> Iterator[None]:
    """cuDNN takes the kernel that it thinks best, or tries all, also those by transforms (Winograd, FFT)."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = request.param
    yield
    torch.backends.cudnn.benchmark = before


class Padded(nn.Module):
    """Sees the rows above and its own, as handout A's vertical stack: pads the top by k_h-1 and both sides."""

    def __init__(self, channels: int, kernel: tuple[int, int], top: bool = True) -> None:
        super().__init__()
        rows, columns = kernel[0] - 1, (kernel[1] - 1) // 2
        self.pad = nn.ZeroPad2d((columns, columns, rows * top, rows * (not top)))
        self.conv = nn.Conv2d(channels, channels, kernel)

    def forward(self, x: Any) -> Any:
        return self.conv(self.pad(x))


class Masked(nn.Module):
    """Sees the rows above and what is left of it or itself: a whole kernel whose later half is zero."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding="same")
        mask = torch.ones(kernel)
        mask[kernel[0] // 2, kernel[1] // 2 + 1 :] = 0
        mask[kernel[0] // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x: Any) -> Any:
        return nn.functional.conv2d(x, self.conv.weight * self.mask, self.conv.bias, padding="same")


def window(layer: nn.Module, kernel: tuple[int, int], height: int, width: int) -> np.ndarray:
    """Return what the middle pixel of an image may depend on, (height, width) of 0 and 1."""
    seen = np.zeros((height, width), bool)
    row, column, half = height // 2, width // 2, (kernel[1] - 1) // 2
    if isinstance(layer, Padded):
        seen[row - kernel[0] + 1 : row + 1, column - half : column + half + 1] = True
        return seen
    seen[row - kernel[0] // 2 : row, column - half : column + half + 1] = True
    seen[row, column - half : column + 1] = True
    return seen


def by_gradient(layer: nn.Module, x: torch.Tensor) -> np.ndarray:
    """Return where the middle pixel of the first image's output has a gradient, (height, width)."""
    x = x.clone().requires_grad_()
    signs = torch.where(torch.arange(x.shape[1], device=x.device) % 2 == 0, 1.0, -1.0)
    (layer(x)[0, :, x.shape[2] // 2, x.shape[3] // 2] * signs).sum().backward()
    assert x.grad is not None
    return (x.grad[0] != 0).any(0).cpu().numpy()


def by_change(layer: nn.Module, x: torch.Tensor, seen: np.ndarray) -> tuple[bool, bool]:
    """Return whether the middle pixel changes with the pixels that it may see, and with all the others."""
    hidden = torch.from_numpy(seen).to(x.device)
    found = []
    with torch.no_grad():
        before = layer(x)
        for where in (hidden, ~hidden):
            after = layer(x + 3.0 * where)
            pixel = (slice(None), slice(None), x.shape[2] // 2, x.shape[3] // 2)
            found.append(not torch.equal(before[pixel], after[pixel]))
    return found[0], found[1]


def made(kind: Any, size: tuple[int, int, int], device: str, *words: Any) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(1)
    return kind(size[0], *words).to(device), torch.randn(8, *size).to(device)


@pytest.mark.usefixtures("tf32", "chosen")
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("kind", [Padded, Masked])
def test_what_a_pixel_does_not_see_is_exactly_nothing(
    kind: Any, kernel: tuple[int, int], size: tuple[int, int, int], device: str
) -> None:
    if kind is Masked and kernel[0] % 2 == 0:
        kernel = (3, 5)
    layer, x = made(kind, size, device, kernel)
    seen = window(layer, kernel, *size[1:])
    assert np.array_equal(by_gradient(layer, x), seen)
    assert by_change(layer, x, seen) == (True, False)


@pytest.mark.usefixtures("tf32")
def test_a_leak_is_seen(device: str) -> None:
    layer, x = made(Padded, SMALL, device, (2, 3), False)
    seen = window(layer, (2, 3), *SMALL[1:])
    assert (by_gradient(layer, x) & ~seen).any()
    assert by_change(layer, x, seen) == (True, True)
