"""What a notebook shows, as the student's page has it: loss curves, small pictures, and cells that want a look.

Pictures are encoded anew from pixels; nothing that the student's files hold is passed on as it is.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

from markupsafe import Markup

from graders.model import Evidence, Experiment, Json
from graders.reports.words import count

MOST_CHARTS = 12
MOST_PICTURES = 40
MOST_LINES = 30
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 360, 150, 52, 22, 20  # of a chart, in its own units
_COLOURS = {"loss": "#1b6ca8", "val_loss": "#c4450c", "test_loss": "#6b5b95"}
_NAMES = {"loss": "loss", "val_loss": "validation loss", "test_loss": "test loss"}
Entry: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True)
class Shown:
    """The section "What your notebook shows": pairs of a drawing and its caption, and lines."""

    charts: tuple[tuple[Markup, str], ...]
    pictures: tuple[tuple[Markup, str], ...]  # data: URIs
    lines: tuple[str, ...]
    more: int = 0  # pictures that are not shown


def shown(record: Evidence | None) -> Shown | None:
    """Return what is to be shown of a record, None when there is none."""
    if record is None:
        return None
    seen = record.experiments
    runs = [run for run in _entries(seen, "logs", "runs") if _curves(run)]
    pictures = list(_pictures(seen.get("images", Experiment())))
    total = sum(not image["problem"] for image in _entries(seen, "images", "images"))
    return Shown(
        tuple((Markup(chart(_curves(run), run["epochs"])), _caption(run)) for run in runs[:MOST_CHARTS]),
        tuple(pictures),
        tuple(_bounded(list(_lines(seen)))),
        total - len(pictures),
    )


def _entries(seen: Mapping[str, Experiment], experiment: str, name: str) -> list[Entry]:
    return list(seen.get(experiment, Experiment()).values.get(name, []))


def _where(entry: Entry) -> str:
    marks = "".join(f" ({', '.join(marks)})" for marks in [entry.get("marks")] if marks)
    return f"{entry['file']}, cell {entry['cell']}{marks}"


def _bounded(lines: list[str]) -> list[str]:
    more = [f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return [*lines[:MOST_LINES], *more]


# Curves ---------------------------------------------------------------------------------------------------------------


def _curves(run: Entry) -> dict[str, Sequence[float | None]]:
    """Return the losses of a run that have at least one finite value."""
    known = {name: run["curves"].get(name, []) for name in _COLOURS}
    return {name: values for name, values in known.items() if any(value is not None for value in values)}


def _caption(run: Entry) -> str:
    last = [f"{_NAMES[name]} {values[-1]:g}" for name, values in _curves(run).items() if values[-1] is not None]
    said = [count(len(run["epochs"]), "epoch"), f"at last {', '.join(last)}" if last else ""]
    said += [
        f"{run['steps']} batches" if run["steps"] else "",
        f"{run['seconds']} s an epoch" if run["seconds"] else "",
    ]
    return f"{_where(run)}: {'; '.join(filter(None, said))}"


def chart(
    curves: Mapping[str, Sequence[float | None]], epochs: Sequence[int], unit: str = "epochs", label: str = ""
) -> str:
    """Return curves of losses by epoch, or by another unit, as a small SVG; a value that is not finite leaves a gap.

    `label` takes the place of the names of the curves.
    """
    finite = [value for values in curves.values() for value in values if value is not None]
    low, high = min(finite), max(finite)
    parts = [_axis(low, high, epochs, unit)]
    for at, (name, values) in enumerate(curves.items()):
        parts += [_piece(points, _COLOURS[name]) for points in _pieces(values, low, high)]
        parts.append(_text(_LEFT + 110 * at, 14, label or _NAMES[name], _COLOURS[name]))
    title = escape(label or " and ".join(_NAMES[name] for name in curves))
    return f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _axis(low: float, high: float, epochs: Sequence[int], unit: str) -> str:
    base, ink = _HEIGHT - _BOTTOM, "#5b6673"
    lines = f'<path d="M{_LEFT} {_TOP}V{base}H{_WIDTH - 8}" fill="none" stroke="#d9dfe6"/>'
    ends = [(_TOP + 4, f"{high:.4g}"), (base, f"{low:.4g}")]
    texts = [_text(2, height, label, ink) for height, label in (ends if high > low else ends[:1])]
    return lines + "".join(texts) + _text(_LEFT, _HEIGHT - 4, f"{unit} {epochs[0]} to {epochs[-1]}", ink)


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="11" fill="{colour}">{escape(text)}</text>'


def _pieces(values: Sequence[float | None], low: float, high: float) -> Iterator[list[tuple[float, float]]]:
    """Yield the points of a curve, parted where a value is missing."""
    step = (_WIDTH - 16 - _LEFT) / max(1, len(values) - 1)
    half = high / 2 - low / 2 or 1.0  # halves: the difference itself may be too large for a number
    points: list[tuple[float, float]] = []
    for at, value in enumerate([*values, None]):
        if value is not None:
            points.append((_LEFT + 4 + at * step, _TOP + (high / 2 - value / 2) / half * (_HEIGHT - _BOTTOM - _TOP)))
        elif points:
            yield points
            points = []


def _piece(points: Sequence[tuple[float, float]], colour: str) -> str:
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


# Pictures -------------------------------------------------------------------------------------------------------------


def _pictures(images: Experiment) -> Iterator[tuple[Markup, str]]:
    """Yield the thumbnails as data: URIs with a caption, each picture once."""
    entries = list(images.values.get("images", []))
    fresh = [at for at, entry in enumerate(entries) if f"image {at:03}" in images.arrays and entry["copy"] is None]
    for at in fresh[:MOST_PICTURES]:
        blank = ", one colour" if entries[at]["blank"] else ""
        yield data_uri(images.arrays[f"image {at:03}"]), f"{_where(entries[at])}{blank}"


def data_uri(pixels: Any) -> Markup:
    """Return pixels (H, W, 3) of 0 to 255 as the address of a PNG that stands in itself."""
    # A check card in a notebook, which shares these modules, shows no pictures.
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return Markup("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode())


# Lines ----------------------------------------------------------------------------------------------------------------


def _lines(seen: Mapping[str, Experiment]) -> Iterator[str]:
    """Yield a line for everything about the saved results that the student may want to mend."""
    for notebook in _entries(seen, "cells", "notebooks"):
        if notebook["order"] == "not run":
            yield f"{notebook['file']}: was saved without any results"
        elif notebook["order"] == "out of order":
            yield f"{notebook['file']}: its cells were not run from top to bottom"
    for cell in _entries(seen, "cells", "cells"):
        if cell["error"]:
            mended = "; the same code ran without it elsewhere" if cell["mended"] else ""
            yield f"{_where(cell)}: ended in {': '.join(filter(None, cell['error']))}{mended}"
        elif cell["silent"]:
            yield f"{_where(cell)}: its result is not saved"
        elif not (cell["blank"] or cell["output"] or cell["count"]):
            yield f"{_where(cell)}: was not run"
    for image in _entries(seen, "images", "images"):
        if image["problem"]:
            yield f"{_where(image)}: a picture was left out: {image['problem']}"
    for one in _entries(seen, "logs", "evaluations"):
        if one["values"].get("loss") is not None:
            yield f"{_where(one)}: evaluate gave a loss of {one['values']['loss']:g}"
