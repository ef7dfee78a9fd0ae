"""What an assignment asks for, item by item, and what each is graded by: for the terminal and for the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from graders.model import Assignment, Item, Metric
from graders.reports.words import points


class Row(NamedTuple):
    """One line: the ids of the items, what they are, their points, and what they are graded by."""

    ids: str
    title: str
    points: str
    graded_by: str


def rows(assignment: Assignment) -> list[Row]:
    """Return a line for each item, in the handout's order; those that a person reads share the last."""
    graded = [item for item in assignment.items if item.criteria or item.metric]
    read = [item for item in assignment.items if item not in graded]
    found = [Row(item.id, item.title, points(item.points), graded_by(item)) for item in graded]
    if read:
        total = sum(item.points for item in read)
        found.append(Row(", ".join(item.id for item in read), "questions", points(total), "a person"))
    return found


def graded_by(item: Item) -> str:
    """Return the tiers and what is looked at there: the criteria, or the measure with its scale."""
    where = " or ".join(item.tiers)
    if item.metric:
        return f"{where}: {_scale(item.metric)}"
    return f"{where}: {', '.join(criterion.name for criterion in item.criteria)}"


def _scale(metric: Metric) -> str:
    if metric.full is None or metric.none is None:
        return f"{metric.score}, told without points"
    ends = [f"{end:.0%}" if metric.score == "accuracy" else f"{end:g}" for end in (metric.full, metric.none)]
    return f"{metric.score}, all at {ends[0]}, none at {ends[1]}"


def items_table(assignment: Assignment) -> Table:
    """Return the lines as a table for the terminal."""
    table = Table(title=Text(assignment.title), header_style="bold", title_justify="left")
    for name, side in (("item", "left"), ("what it is", "left"), ("points", "right"), ("graded by", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type] # rich's names of sides
    for row in rows(assignment):
        table.add_row(*map(Text, row))
    return table


def markdown(assignments: Sequence[Assignment]) -> str:
    """Return the lines of several assignments as one table in Markdown."""
    lines = ["| handout | item | what it is | points | graded by |", "|---|---|---|---|---|"]
    for assignment in assignments:
        lines += [f"| `{assignment.slug}` | {' | '.join(row)} |" for row in rows(assignment)]
    return "\n".join(lines) + "\n"
