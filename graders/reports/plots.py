"""The two plots of the class report, as SVG to be put into a page: same data, same bytes."""

from __future__ import annotations

import io
import itertools
import math
import re
import statistics
import warnings
from collections.abc import Iterable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from graders.model import ClassReport, Json, Verdict
from graders.reports.summary import ItemSummary, item_summaries
from graders.reports.words import LOOKS, line, points

_INK, _MUTED, _RULE = "#1f2933", "#5b6673", "#d9dfe6"
_STYLE: Json = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "graders",
    "text.parse_math": False,  # a dollar in a title is a dollar
    "font.size": 11,
    "hatch.linewidth": 0.6,
    "text.color": _INK,
    "axes.labelcolor": _MUTED,
    "axes.edgecolor": _RULE,
    "xtick.color": _MUTED,
    "ytick.color": _INK,
}
_HATCHES = {Verdict.BLOCKED: "///", Verdict.FAULT: "xxx"}
# The order of the bars: from what is right to what is not there.
_ORDER = (Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL, Verdict.BLOCKED, Verdict.MISSING, Verdict.FAULT, Verdict.MANUAL)


def marks_histogram(class_report: ClassReport) -> str:
    """Return the distribution of the marks."""
    scores = [report.score for report in class_report.reports]
    possible = max((report.possible for report in class_report.reports), default=0)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.2, 3.7), layout="constrained")
        axes = _bare(figure)
        if scores and possible:
            _draw_marks(axes, scores, possible)
        else:
            _say_nothing(axes, "no marks yet")
        return _svg(figure, "marks", "Distribution of marks")


def item_outcomes(class_report: ClassReport) -> str:
    """Return the verdicts of every judged item as stacked bars."""
    judged = [summary for summary in item_summaries(class_report) if summary.judged]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.2, max(3.7, 1.1 + 0.4 * len(judged))), layout="constrained")
        axes = _bare(figure)
        if judged:
            _draw_outcomes(axes, judged)
        else:
            _say_nothing(axes, "no item was judged")
        return _svg(figure, "outcomes", "Verdicts per item")


def _bare(figure: Figure) -> Axes:
    axes = figure.subplots()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    return axes


def _say_nothing(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=_MUTED, transform=axes.transAxes)


def _bins(possible: float) -> list[float]:
    """Return edges at round marks, at most about a dozen bins; the last bin holds full marks."""
    step = next((step for step in (0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100) if possible / step <= 14), possible / 10)
    return [step * number for number in range(math.floor(possible / step + 1e-9) + 2)]


def _draw_marks(axes: Axes, scores: Sequence[float], possible: float) -> None:
    edges = _bins(possible)
    colour = LOOKS[Verdict.PASS].colour
    # A bin holds its left edge; rounding keeps 29.999999999 with 30.
    marks = [round(score, 4) for score in scores]
    bins = list(itertools.pairwise(edges))
    heights = [sum(low <= mark < high for mark in marks) for low, high in bins]
    width = 0.92 * (edges[1] - edges[0])
    bars = axes.bar([(low + high) / 2 for low, high in bins], heights, width=width, color=colour)
    numbers = axes.bar_label(bars, labels=[str(height or "") for height in heights], padding=3, fontsize=10)
    _clear_ground(numbers, "white")
    axes.set(
        xlabel=f"points, of {points(possible)}", ylabel="students", xticks=edges[:: 1 + len(edges) // 9], yticks=[]
    )
    axes.set_ylim(0, 1.24 * max(heights))
    _mark(axes, statistics.median(scores), "median", "-", 0.995)
    _mark(axes, statistics.fmean(scores), "mean", "--", 0.925)


def _mark(axes: Axes, value: float, word: str, style: str, height: float) -> None:
    axes.axvline(value, ymax=height - 0.03, color=_INK, linestyle=style, linewidth=1.1, zorder=0)
    right = value > sum(axes.get_xlim()) / 2
    axes.annotate(
        f"{word} {points(value)}",
        (value, height),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if right else 5, 0),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top",
        fontsize=10,
    )


def _draw_outcomes(axes: Axes, judged: Sequence[ItemSummary]) -> None:
    left = [0] * len(judged)
    for verdict in _ORDER:
        widths = [summary.verdicts[verdict] for summary in judged]
        if any(widths):
            _draw_verdict(axes, verdict, widths, left)
            left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(judged)), [f"{summary.id}  {line(summary.title, 30)}" for summary in judged])
    axes.invert_yaxis()
    axes.set(xticks=[], xlim=(0, max(left)))
    axes.spines["bottom"].set_visible(False)
    axes.figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=10, handlelength=1.1)


def _draw_verdict(axes: Axes, verdict: Verdict, widths: list[int], left: list[int]) -> None:
    look = LOOKS[verdict]
    rows = range(len(widths))
    bars = axes.barh(rows, widths, left=left, height=0.74, color=look.colour, label=f"{look.sign} {look.word}")
    for bar in bars:
        bar.set(edgecolor="white", linewidth=1, hatch=_HATCHES.get(verdict))
    numbers = [str(width) if width else "" for width in widths]
    texts = axes.bar_label(bars, labels=numbers, label_type="center", color=look.ink, fontsize=10)
    if verdict in _HATCHES:
        _clear_ground(texts, look.colour)


def _clear_ground(texts: Iterable[Annotation], colour: str) -> None:
    """Keep lines and hatches from running through numbers."""
    for text in texts:
        if text.get_text():
            text.set_bbox({"facecolor": colour, "edgecolor": "none", "pad": 1.0})


def _svg(figure: Figure, name: str, title: str) -> str:
    """Return the figure as an SVG element that scales with the page and shares no id with another one on it."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has the letters that our font lacks
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return svg.replace("<svg ", f'<svg class="plot" role="img" aria-label="{title}" ', 1)
