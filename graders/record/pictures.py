"""The pictures that a notebook shows: decoded within limits, and what a cheap look at their pixels can tell."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

MOST_PICTURES = 400  # of one notebook
MOST_BYTES = 12 * 2**20  # of one picture
MOST_PIXELS = 16_000_000  # of one picture
MOST_PIXELS_IN_ALL = 120_000_000
THUMBNAIL = 256  # pixels, the longer side
_LOOK = 1024  # pixels, the longer side of what is looked at
_THIN = 0.06  # of a page that is covered: a frame, ticks and black lines
_SMALL = 16  # two panels are compared at this size

Pixels: TypeAlias = NDArray[np.uint8]
Box: TypeAlias = tuple[int, int, int, int]  # top, bottom, left, right
# Made directly: Image.open would warn of what the limits below refuse, and it would guess at the format.
PICTURE_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_READERS = {"image/png": PngImageFile, "image/jpeg": JpegImageFile}
# What Pillow raises on bytes that are no picture.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError, AttributeError,
           MemoryError, struct.error, binascii.Error)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What is known of one picture. `problem` says why it could not be looked at, "" else; then all else is empty.

    `ink` is the share of pixels that are not background, `chart` whether it looks like a drawing of lines. `panels` is
    how many small pictures it seems to hold, `drawn` how many of them have both light and dark, `distinct` how many of
    those differ; where they are not `sure`, they were told from strokes on white, or not at all (0).
    """

    width: int = 0
    height: int = 0
    digest: str = ""
    ink: float = 0.0
    blank: bool = False
    chart: bool = False
    panels: int = 0
    drawn: int = 0
    distinct: int = 0
    sure: bool = False
    problem: str = ""


class Gallery:
    """Decodes the pictures of a notebook until a limit is reached."""

    def __init__(self) -> None:
        self._pixels = 0
        self._count = 0

    def look(self, kind: str, encoded: str) -> tuple[Picture, Pixels | None]:
        """Return what a picture shows and a thumbnail of it, (h, w, 3); None for one that cannot be decoded."""
        self._count += 1
        if self._count > MOST_PICTURES or len(encoded) > MOST_BYTES * 4 // 3:
            return Picture(problem="too many pictures" if self._count > MOST_PICTURES else "too large"), None
        try:
            return self._decoded(kind, encoded)
        except _BROKEN:
            return Picture(problem="damaged, or no picture"), None

    def _decoded(self, kind: str, encoded: str) -> tuple[Picture, Pixels | None]:
        with _READERS[kind](io.BytesIO(base64.b64decode(encoded))) as image:
            width, height = image.size
            self._pixels += width * height
            if width * height > MOST_PIXELS or self._pixels > MOST_PIXELS_IN_ALL:
                return Picture(width, height, problem="too large"), None
            flat = Image.new("RGB", image.size, "white")
            seen = image.convert("RGBA")
            flat.paste(seen, mask=seen.getchannel("A"))
        digest = hashlib.sha256(f"{width}x{height}".encode() + flat.tobytes()).hexdigest()
        small = flat.copy()
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        flat.thumbnail((_LOOK, _LOOK))
        return replace(seen_in(np.asarray(flat)), width=width, height=height, digest=digest), np.array(small)


def seen_in(pixels: Pixels) -> Picture:
    """Return what a look at the pixels (h, w, 3) tells."""
    background = _background(pixels)
    ink = (np.abs(pixels.astype(np.int16) - background) > 24).any(axis=2)  # (h, w)
    found = Picture(ink=round(float(ink.mean()), 4), blank=not _has_contrast(pixels))
    if found.blank:
        return found
    light = background.min() > 200
    if _is_chart(pixels, ink) or (light and ink.mean() < _THIN and len(_grid(ink, 0.5)) == 1):
        return replace(found, chart=True)
    boxes, sure = _panels(ink) if light else (_tiles((0, ink.shape[0], 0, ink.shape[1])), True)
    keys = [key for top, bottom, left, right in boxes if (key := _key(pixels[top:bottom, left:right]))]
    return replace(found, panels=len(boxes), drawn=len(keys), distinct=len(set(keys)), sure=sure and bool(boxes))


def _background(pixels: Pixels) -> NDArray[np.int16]:
    """Return the colour of most of the four corners and edges: what lies around the panels, if anything does."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])  # (n, 3)
    colours, counts = np.unique(edge, axis=0, return_counts=True)
    return np.asarray(colours[counts.argmax()], np.int16)


def _has_contrast(pixels: Pixels) -> bool:
    """Return whether more than a thousandth of the pixels differ from the commonest level of brightness."""
    grey = pixels.mean(axis=2)
    levels = np.bincount((grey / 16).astype(np.int64).ravel(), minlength=17)
    return bool(levels.max() < 0.999 * grey.size)


def _panels(ink: NDArray[np.bool_]) -> tuple[list[Box], bool]:
    """Return the small pictures of a light figure, and whether they have edges to tell them by.

    What is white to its edge and has no frame around it falls apart into strokes.
    """
    boxes = _grid(ink, 0.5)
    framed = [_framed(ink, box) for box in boxes]
    if boxes and sum(frame is not None for frame in framed) >= 0.7 * len(boxes):
        found = [frame or box for frame, box in zip(framed, boxes, strict=True)]
        return (_tiles(found[0]) or found if len(found) == 1 else found), True
    return _grid(ink, 0.2), False


def _grid(ink: NDArray[np.bool_], least: float) -> list[Box]:
    """Return the boxes of a grid: bands of ink between empty rows, then between empty columns in each.

    Bands shorter than `least` of the longest are titles and ticks.
    """
    boxes = []
    for top, bottom in _bands(np.asarray(ink.any(axis=1)), least):
        boxes += [(top, bottom, left, right) for left, right in _bands(np.asarray(ink[top:bottom].any(axis=0)), least)]
    return boxes


def _bands(filled: NDArray[np.bool_], least: float) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], filled, [False]]).astype(np.int8)))
    bands = [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    longest = max((end - start for start, end in bands), default=0)
    return [(start, end) for start, end in bands if end - start > least * longest]


def _framed(ink: NDArray[np.bool_], box: Box) -> Box | None:
    """Return a box without the ticks around it, None when it has no edges: a frame, or a picture dark to its edge."""
    top, bottom, left, right = box
    inside = ink[top:bottom, left:right]
    rows, columns = np.flatnonzero(inside.mean(axis=1) > 0.6), np.flatnonzero(inside.mean(axis=0) > 0.6)
    if min(rows.size, columns.size) < 2:
        return None
    found = (top + int(rows[0]), top + int(rows[-1]) + 1, left + int(columns[0]), left + int(columns[-1]) + 1)
    high, wide = (found[1] - found[0]) / (bottom - top), (found[3] - found[2]) / (right - left)
    return found if min(high, wide) > 0.7 else None


def _tiles(box: Box) -> list[Box]:
    """Return the squares that fill a box in one to three rows or columns, [] when none do."""
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    for lines in (1, 2, 3):
        side = min(height, width) / lines
        number = round(max(height, width) / side) if side >= _SMALL else 0
        if 0 < number <= 100 and abs(max(height, width) / number - side) <= max(2, 0.03 * side):
            rows, columns = (lines, number) if width >= height else (number, lines)
            down = [top + round(at * height / rows) for at in range(rows + 1)]
            across = [left + round(at * width / columns) for at in range(columns + 1)]
            return [(a, b, c, d) for a, b in itertools.pairwise(down) for c, d in itertools.pairwise(across)]
    return []


def _is_chart(pixels: Pixels, ink: NDArray[np.bool_]) -> bool:
    """Return whether it is mostly background with something coloured on it: axes and lines."""
    coloured = (pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2) > 60).mean()
    return bool(ink.mean() < 0.25 and coloured > 0.0005)


def _key(panel: Pixels) -> str:
    """Return a key that equal panels share, "" for one that is all light or all dark; its frame does not count."""
    rows, columns = panel.shape[0] // 12, panel.shape[1] // 12
    inner = panel[rows : panel.shape[0] - rows, columns : panel.shape[1] - columns]
    if inner.size == 0 or not _has_contrast(inner):
        return ""
    small = Image.fromarray(inner).convert("L").resize((_SMALL, _SMALL), Image.Resampling.BOX)
    return hashlib.sha256((np.asarray(small) // 32).tobytes()).hexdigest()


def copies(digests: Sequence[str]) -> Iterator[int | None]:
    """Yield for each picture the index of an earlier one with the same pixels, else None."""
    first: dict[str, int] = {}
    for at, digest in enumerate(digests):
        yield first.get(digest) if digest else None
        if digest:
            first.setdefault(digest, at)
