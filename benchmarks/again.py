"""(d) How long the first answer takes, and (e) how long it takes to do again what was done."""

from __future__ import annotations

from benchmarks.measure import PIXELCNN, Plan, Row, command, compared, environment, full_marks, grade, repeated, seconds

HELP, UNCHANGED = 0.3, 1.0  # seconds


def start(plan: Plan) -> list[Row]:
    """Return the rows of (d)."""
    runs = repeated(plan.of(10, 5), lambda _: seconds([command("graders"), "--help"], env=environment()))
    shown = Row("d", "graders --help", "s", runs)
    cold = repeated(plan.of(3, 1), lambda run: grade("pixelcnn", PIXELCNN, plan.folder / f"cold{run}"))
    return [_below(shown, HELP), Row("d", "graders grade pixelcnn, one cold script", "s", cold)]


def repeat(plan: Plan) -> list[Row]:
    """Return the rows of (e), on the class that (b) has graded."""
    folder = plan.folder / "pixelcnn"
    out, size = folder / "out", len(list((folder / "class").iterdir()))

    def regrade(_: int) -> float:
        took = seconds([command("graders"), "regrade", str(out)], env=environment())
        full_marks(out)
        return took

    unchanged = repeated(plan.of(3, 2), lambda _: grade("pixelcnn", folder / "class", out))
    judged = repeated(plan.of(3, 2), regrade)
    return [
        _below(Row("e", f"graders grade again, {size} unchanged", "s", unchanged), UNCHANGED),
        _below(Row("e", f"graders regrade, {size} submissions", "s", judged), UNCHANGED),
    ]


def _below(row: Row, limit: float) -> Row:
    return compared(row, f"{limit:g} s", row.median / limit, f"under {limit:g} s", row.median < limit)
