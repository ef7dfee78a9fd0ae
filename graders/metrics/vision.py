"""What scripts of handout E use of torchvision, where it is not installed. In the child alone, and NumPy beside torch.

Whatever else is asked for raises ModuleNotFoundError for torchvision, which is told as our own lack.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def modules() -> dict[str, types.ModuleType]:
    """Return torchvision, torchvision.datasets and torchvision.transforms."""
    top, datasets, transforms = (_Stand(f"torchvision{part}") for part in ("", ".datasets", ".transforms"))
    transforms.__dict__.update(
        {
            "Compose": Compose,
            "ToTensor": to_tensor_maker,
            "RandomHorizontalFlip": RandomHorizontalFlip,
            "RandomCrop": RandomCrop,
            "Normalize": Normalize,
        }
    )
    top.__dict__.update({"datasets": datasets, "transforms": transforms, "__path__": []})
    return {one.__name__: one for one in (top, datasets, transforms)}


class _Stand(types.ModuleType):
    """A module that says what is lacking."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ModuleNotFoundError("No module named 'torchvision'", name="torchvision")


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Return the image after all of them."""
        for transform in self.transforms:
            image = transform(image)
        return image


def to_tensor_maker() -> Callable[[Any], Any]:
    """Return the function from an image (H, W, C) of 0 to 255 to a float32 tensor (C, H, W) in [0, 1]."""
    import torch

    return lambda image: torch.from_numpy(np.array(image).transpose(2, 0, 1).copy()).float() / 255


class Normalize:
    """Takes the mean off each channel and divides by the standard deviation."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std = mean, std

    def __call__(self, image: Any) -> Any:
        """Return the tensor (C, H, W) normalized."""
        mean, std = (image.new_tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        return (image - mean) / std


class RandomHorizontalFlip:
    """Mirrors an image or a tensor with a probability."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Any:
        """Return the image, or its mirror image."""
        import torch

        if torch.rand(1).item() >= self.p:
            return image
        return image.flip(-1) if isinstance(image, torch.Tensor) else image.transpose(0)  # PIL's FLIP_LEFT_RIGHT


class RandomCrop:
    """Cuts a square out of an image with black around it."""

    def __init__(self, size: int, padding: int = 0) -> None:
        self.size, self.padding = size, padding

    def __call__(self, image: Any) -> Any:
        """Return the square; a PIL image stays one."""
        import torch
        from PIL import Image

        pixels = np.array(image) if not isinstance(image, torch.Tensor) else image.numpy().transpose(1, 2, 0)
        border = (self.padding, self.padding)
        padded = np.pad(pixels, (border, border, (0, 0)))
        top, left = (int(torch.randint(0, side - self.size + 1, (1,))) for side in padded.shape[:2])
        cut = padded[top : top + self.size, left : left + self.size]
        return (
            torch.from_numpy(cut.transpose(2, 0, 1).copy()) if isinstance(image, torch.Tensor) else Image.fromarray(cut)
        )
