"""Artificial calligraphy: brush strokes where the data set of handout A has characters. NumPy and Pillow only.

It stands in for the real data set, which is not ours to ship: the same size, format and share of white, no meaning.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.errors import UsageError

SIDE = 64  # pixels, as in the handout's images
QUALITY = 80  # of the JPG files, as the handout's are
_FINE = 2  # drawn larger and scaled down: soft edges
_STEPS = np.linspace(0.0, 1.0, 24)[:, None]  # along a stroke
_STROKES = (3, 10)  # of a character: at least, and fewer than
_WIDTH = (5.2, 1.0)  # of a brush in pixels: mean and deviation from character to character
# The ways that a brush goes: to the right and down, in shares of the character, and how much it bends.
_WAYS = np.array([[0.8, -0.06, 0.03], [0.0, 0.8, 0.03], [-0.4, 0.55, 0.08], [0.5, 0.45, 0.1], [0.12, 0.14, 0.02]])


def draw(folder: Path, train: int, test: int, seed: int) -> None:
    """Write `train` and `test` images into folder/train/*.jpg and folder/test/*.jpg: 64x64, grey, white on black.

    Each image is a function of the seed, its part and its number. Raises UsageError where images are already, so that
    no two data sets are mixed.
    """
    paths = folder / "train", folder / "test"
    for path in paths:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"{path}: there is something already; remove it or give another folder")
    for part, (path, count) in enumerate(zip(paths, (train, test), strict=True)):
        path.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (path / f"{number:05}.jpg").write_bytes(character(np.random.default_rng((seed, part, number))))


def character(random: np.random.Generator) -> bytes:
    """Return a JPG (64, 64) of some brush strokes."""
    image = _pillow()
    canvas = image.new("L", (SIDE * _FINE, SIDE * _FINE))
    count = int(random.integers(*_STROKES))
    width = max(2.5, random.normal(*_WIDTH)) * (6 / count) ** 0.35  # a character of many strokes needs a finer brush
    for points, radii in _strokes(random, count, width):
        _stamp(canvas, points, radii)
    buffer = io.BytesIO()
    canvas.resize((SIDE, SIDE), image.Resampling.BOX).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("to draw images needs Pillow, which is not there; pip install pillow") from None
    return Image


def _strokes(random: np.random.Generator, count: int, width: float) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the strokes of a character: points (24, 2) as x and y, and radii (24,), in pixels."""
    box = random.normal((21.0, 22.0), 2.0).clip(14.0, 26.0)  # half of the character's width and height
    ways = _WAYS[random.integers(0, len(_WAYS), count)]
    spans = ways[:, :2] * random.uniform(0.5, 1.25, (count, 1)) + random.normal(0.0, 0.06, (count, 2))
    middles = random.uniform(-1.0, 1.0, (count, 2))
    for span, middle, bend in zip(spans, middles, random.normal(0.0, ways[:, 2]), strict=True):
        start, end = ((middle + sign * span).clip(-1.0, 1.0) * box + SIDE / 2 for sign in (-1.0, 1.0))
        control = (start + end) / 2 + bend * np.array([start[1] - end[1], end[0] - start[0]])
        points = (1 - _STEPS) ** 2 * start + 2 * _STEPS * (1 - _STEPS) * control + _STEPS**2 * end
        pressed = np.interp(_STEPS[:, 0], (0.0, 0.15, 0.5, 0.8, 1.0), random.uniform(0.5, 1.2, 5))
        yield points, width / 2 * pressed


def _stamp(canvas: Any, points: NDArray[Any], radii: NDArray[Any]) -> None:
    """Press a round brush onto a canvas at points (24, 2) with radii (24,), in pixels of the image."""
    from PIL import ImageDraw

    brush = ImageDraw.Draw(canvas)
    for (x, y), radius in zip(_FINE * points, _FINE * radii, strict=True):
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
