"""Measures the speed of graders and of its peers: `python -m benchmarks [--quick] [--only a,b] [--out FOLDER]`."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import again, machine, overhead, peers, scale
from benchmarks.measure import Plan, Row

# What is measured, in this order: (e) reads what (b) has graded.
PARTS: dict[str, tuple[str, Callable[[Plan], list[Row]]]] = {
    "a": ("the torch notebook with five items, beside the peers", peers.measure),
    "b": ("a class of PixelCNN, beside the bare probes", overhead.measure),
    "c": ("seconds and memory by the size of the class", scale.measure),
    "d": ("the first answer", again.start),
    "e": ("the same again", again.repeat),
}
_WIDTH = 150
_HEADINGS = ("", "what", "median", "least to most", "runs", "ratio", "against", "goal")


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text."""
    low, high = row.spread
    mark = {None: "", True: " ✓", False: " ✗"}[row.reached]
    spread = f"{low:.3g}-{high:.3g}" if len(row.values) > 1 else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}" if row.ratio < 10 else f"{row.ratio:.0f}"
    what = (row.part, row.what, f"{row.median:.3g} {row.unit}", spread, str(len(row.values)))
    return (*what, ratio, row.against, row.goal + mark)


def markdown(rows: list[Row], about: dict[str, object]) -> str:
    """Return the rows and the machine as Markdown."""
    lines = [_HEADINGS, tuple("---" for _ in _HEADINGS), *map(cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    facts = "\n".join(f"- {name}: {value}" for name, value in about.items())
    return f"# Speed\n\n{table}\n\n{facts}\n"


def _table(rows: list[Row]) -> Table:
    table = Table(*_HEADINGS)
    for row in rows:
        style = "red" if row.reached is False else ""
        table.add_row(*cells(row), style=style)
    return table


def _write(out: Path, rows: list[Row], about: dict[str, object]) -> Path:
    cpu = re.sub(r"[^a-z0-9]+", "-", str(about["cpu"]).lower()).strip("-")
    day = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    name = f"{day}-{cpu}-{about['cores']}-cores{'-quick' if about['quick'] else ''}"
    out.mkdir(parents=True, exist_ok=True)
    document = {"machine": about, "rows": [row.document() for row in rows]}
    (out / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (out / f"{name}.md").write_text(markdown(rows, about), encoding="utf-8")
    return out / f"{name}.md"


def main() -> int:
    """Measure the parts, print the table and write it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small classes and few runs, about three minutes")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, for instance a,b; e needs b")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    call = parser.parse_args()
    console = Console(width=_WIDTH)
    about = {"quick": call.quick, **machine.described()}
    rows: list[Row] = []
    broken = 0
    with tempfile.TemporaryDirectory(prefix="graders-bench-") as folder:
        for part in call.only.split(","):
            found = measured(part, Plan(Path(folder), call.quick), console)
            broken += not found
            rows += found
            written = _write(call.out, rows, about)  # after each part: the whole takes long
    console.print(_table(rows))
    console.print(f"written to {written}")
    return 1 if broken else 0


def measured(part: str, plan: Plan, console: Console) -> list[Row]:
    """Return the rows of a part; none, and a line that says why, where it cannot be measured."""
    title, measure = PARTS[part]
    console.print(f"({part}) {title}", style="dim")
    try:
        return measure(plan)
    except (RuntimeError, OSError) as error:
        console.print(f"({part}) could not be measured: {error}", style="red", markup=False)
        return []


if __name__ == "__main__":
    sys.exit(main())
