"""`graders.check("C3")` in a student's own kernel: the same probes, judged by the recorded evidence of a kit.

It finds the student's definitions where they live, in the notebook's namespace, and shows one card per item.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graders import judge
from graders.assignments import load_graders
from graders.errors import UsageError, did_you_mean
from graders.home import home
from graders.kit import Kit, read_kit
from graders.model import Evidence, Item, ItemResult, Tier, Verdict
from graders.notebook import match_names

_kits: dict[Path, tuple[float, Kit]] = {}


def check(item: str, assignment: str | None = None) -> None:
    """Check one item of the notebook (or script) that this is called from and show what is right and what is not.

    `assignment` is only needed where kits of several assignments are at hand. Nothing is raised: what cannot be checked
    is said in one line.
    """
    namespace = _namespace()
    try:
        kit = find_kit(assignment)
        result = examine(kit, item, namespace)
    except UsageError as error:
        print(f"graders: {error}")
        return
    _show(result, load_graders(kit.assignment)[result.id].__doc__ or "")


def examine(kit: Kit, item_id: str, namespace: Mapping[str, Any]) -> ItemResult:
    """Return the result of one item for the definitions of a namespace.

    Raises UsageError for an id that is no item, or one that cannot be checked here.
    """
    ids = [item.id for item in kit.assignment.items]
    if item_id not in ids:
        raise UsageError(f"'{item_id}' is no item of this assignment{did_you_mean(item_id, ids)}")
    item = kit.assignment.item(item_id)
    if item.tier is not Tier.BEHAVIOUR:
        raise UsageError(f"{item_id} cannot be checked here: it is {judge.waits_for(item)}")
    own = _measure(kit, item, namespace)
    if own.verdict in (Verdict.PASS, Verdict.MISSING):
        return own
    needed = [kit.assignment.item(other) for other in item.depends]
    broken = [other.id for other in needed if _measure(kit, other, namespace).verdict is not Verdict.PASS]
    return _blame(own, broken)


def _blame(own: ItemResult, broken: Sequence[str]) -> ItemResult:
    """Say which item to mend first when one that this builds on is not right yet."""
    if not broken:
        return own
    note = f"it builds on {' and '.join(broken)}, which is not right yet: mend that first"
    return replace(own, note=note, verdict=Verdict.BLOCKED if own.points == 0 else own.verdict)


def _measure(kit: Kit, item: Item, namespace: Mapping[str, Any]) -> ItemResult:
    # Imported here: the probes need the framework, which only a student's kernel has.
    from graders.probes.draw import Draw
    from graders.probes.runner import experiments, instruments
    from graders.probes.student import Student

    graders = load_graders(kit.assignment)
    names = {one.id: one.names for one in kit.assignment.items if one.names}
    found = match_names(names, [name for name, value in namespace.items() if callable(value)])
    if item.id not in found:
        return judge.missing(item, f"no {item.names[0]} is defined yet; run its cell first")
    student = Student(namespace, found, {name: grader.arguments for name, grader in graders.items()})
    lab, draw = instruments(graders.framework), Draw(kit.seed, item.id)
    started = time.monotonic()
    with _apart():
        seen = dict(experiments(graders[item.id], student, lab, draw, _Places()))
    mine = Evidence(seen, seconds=round(time.monotonic() - started, 2))
    return judge.judge_item(item, graders[item.id], mine, kit.evidence[item.id])


class _Places:
    """The files that hold a student's code: cells of IPython and what lies in no package."""

    def __contains__(self, name: object) -> bool:
        text = str(name)
        return "ipykernel_" in text or "ipython-input" in text or not ("site-packages" in text or "graders" in text)


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Work in a folder of its own and keep what the student's code prints out of the way."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


def find_kit(assignment: str | None) -> Kit:
    """Return the kit: the one beside the notebook, else the one that came with the package."""
    folders = [Path.cwd(), *sorted((home() / "student_template").glob("*"))]
    paths = [path for folder in folders for path in sorted(folder.glob(f"{assignment or '*'}.kit"))]
    beside = [path for path in paths if path.parent == Path.cwd()]
    candidates = beside or paths
    if not candidates:
        raise UsageError(
            "no self-check kit (a file that ends in .kit) beside this notebook; download it from the course"
        )
    if len({path.stem for path in candidates}) > 1:
        known = ", ".join(sorted({path.stem for path in candidates}))
        raise UsageError(f"say which assignment: graders.check(item, assignment=...), one of {known}")
    return _cached(candidates[0])


def _cached(path: Path) -> Kit:
    changed = path.stat().st_mtime
    if path not in _kits or _kits[path][0] != changed:
        _kits[path] = (changed, read_kit(path))
    return _kits[path][1]


def _shell() -> Any:
    """Return the running IPython shell, None in a plain interpreter."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _namespace() -> Mapping[str, Any]:
    """Return the namespace of the notebook, or of the module that called `check`."""
    if shell := _shell():
        namespace: Mapping[str, Any] = shell.user_ns
        return namespace
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("graders") and frame.f_back:
        frame = frame.f_back
    return frame.f_globals


def _show(result: ItemResult, description: str) -> None:
    """Show a card: HTML in a notebook, text in a terminal."""
    words = " ".join(description.split())
    if shell := _shell():
        from IPython.display import HTML, display

        from graders.reports.page import check_card

        if hasattr(shell, "kernel"):
            display(HTML(check_card(result, words)))
            return
    from graders.reports.terminal import plain_card

    print(plain_card(result, words))
