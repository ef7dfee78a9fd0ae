"""`graders.check("C3")` in a student's own kernel: the same probes, judged by the recorded evidence of a kit.

It finds the student's definitions where they live, in the notebook's namespace, and shows one card per item.
`python -m graders check models.py` does the same for a script, of which it runs what each item needs and no more.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders import judge
from graders.assignments import load_graders
from graders.errors import UsageError, did_you_mean
from graders.home import home
from graders.intake.folders import read_paths
from graders.intake.names import CODE
from graders.kit import Kit, has_item, read_kit
from graders.model import Evidence, Experiment, Item, ItemResult, Tier, Verdict
from graders.notebook import Program, cut_slice, match_names, own_files, read_program

if TYPE_CHECKING:
    from graders.probes.student import Student

_kits: dict[Path, tuple[float, Kit]] = {}


def check(item: str, assignment: str | None = None) -> None:
    """Check one item of the notebook (or script) that this is called from and show what is right and what is not.

    `assignment` is only needed where kits of several assignments are at hand. Nothing is raised: what cannot be checked
    is said in one line.
    """
    namespace = _namespace()
    try:
        kit = find_kit(assignment, item=item, defined=[name for name, value in namespace.items() if callable(value)])
        result = examine(kit, item, namespace)
    except UsageError as error:
        print(f"graders: {error}")
        return
    _show(result, load_graders(kit.assignment)[result.id].__doc__ or "")


def examine(kit: Kit, item_id: str, namespace: Mapping[str, Any]) -> ItemResult:
    """Return the result of one item for the definitions of a namespace.

    Raises UsageError for an id that is no item, or one that cannot be checked here.
    """
    item = _checkable(kit, item_id)
    own = _measure(kit, item, namespace)
    if own.verdict in (Verdict.PASS, Verdict.MISSING):
        return own
    needed = [kit.assignment.item(other) for other in item.depends]
    broken = [other.id for other in needed if _measure(kit, other, namespace).verdict is not Verdict.PASS]
    return _blame(own, broken)


def _checkable(kit: Kit, item_id: str) -> Item:
    ids = [item.id for item in kit.assignment.items]
    if item_id not in ids:
        raise UsageError(f"'{item_id}' is no item of this assignment{did_you_mean(item_id, ids)}")
    item = kit.assignment.item(item_id)
    if item.tier is not Tier.BEHAVIOUR:
        raise UsageError(f"{item_id} cannot be checked here: it is {judge.waits_for(item)}")
    if item_id not in kit.evidence:
        raise UsageError(f"{item_id} cannot be checked here: its answer is yours to find")
    return item


# Scripts --------------------------------------------------------------------------------------------------------------


def check_script(path: Path, only: Sequence[str] = (), assignment: str | None = None) -> list[ItemResult]:
    """Check items of a script, by default all that can be; show a card for each, and return the results.

    What is imported may stand beside the script; the kit is looked for there as well. Nothing of the script runs but
    the definitions that an item needs. Raises UsageError for what cannot be checked.
    """
    kit = find_kit(assignment or _of_script(path), path.parent)
    items = [_checkable(kit, item_id) for item_id in only] or [kit.assignment.item(one) for one in kit.evidence]
    program = _program(kit, path)
    results: dict[str, ItemResult] = {}
    for item in items:
        results |= {other: _sliced(kit, other, program) for other in (*item.depends, item.id) if other not in results}
        broken = [other for other in item.depends if results[other].verdict is not Verdict.PASS]
        if results[item.id].verdict not in (Verdict.PASS, Verdict.MISSING):
            results[item.id] = _blame(results[item.id], broken)
        _show(results[item.id], load_graders(kit.assignment)[item.id].__doc__ or "")
    return [results[item.id] for item in items]


def _of_script(path: Path) -> str | None:
    """Return the assignment whose script has this name, of several whose kits lie beside it."""
    kits = sorted(path.parent.glob("*.kit"))
    fitting = [one.stem for one in kits if len(kits) > 1 and _cached(one).assignment.files.get("code") == path.name]
    return fitting[0] if fitting else None


def _program(kit: Kit, path: Path) -> Program:
    """Read a script and those beside it; raises UsageError where there is no code in it."""
    if not path.is_file() or path.suffix not in CODE:
        raise UsageError(f"{path}: no script or notebook; give the file that holds your code")
    beside = {each for each in path.parent.glob("*.py") if each.is_file()} | {path}
    submission = read_paths((each.name, each) for each in sorted(beside)).submission("", "", path.name)
    submission = own_files(submission, kit.assignment.slug, kit.assignment.others)
    names = {name for item in kit.assignment.items for name in item.names}
    program = read_program(submission, names, (path.name,))
    for note in (*submission.problems, *program.notes):
        print(f"graders: {note}")
    return program


def _sliced(kit: Kit, item_id: str, program: Program) -> ItemResult:
    """Return the result of one item for the definitions of a program, which are run in a namespace of their own."""
    from graders.probes.runner import execute, failure_of, places_of
    from graders.probes.student import Student

    item, orders = kit.assignment.item(item_id), _orders(kit)
    piece = cut_slice(program, _names(kit), item_id)
    if item_id not in piece.found:
        return judge.missing(item, f"no {item.names[0]} was found in {program.file}")
    places = places_of(piece)
    try:
        with _apart():
            namespace = execute(piece, {"__name__": "__main__"}, {})
    except Exception as error:
        failed = Evidence({"loading": Experiment(failure=failure_of(error, places))})
        return judge.judge_item(item, load_graders(kit.assignment)[item_id], failed, kit.evidence[item_id])
    return _judged(kit, item, Student(namespace, piece.found, orders), places)


# Measuring ------------------------------------------------------------------------------------------------------------


def _names(kit: Kit) -> dict[str, tuple[str, ...]]:
    return {one.id: one.names for one in kit.assignment.items if one.names}


def _orders(kit: Kit) -> dict[str, tuple[str, ...]]:
    return {name: grader.arguments for name, grader in load_graders(kit.assignment).items()}


def _blame(own: ItemResult, broken: Sequence[str]) -> ItemResult:
    """Say which item to mend first when one that this builds on is not right yet."""
    if not broken:
        return own
    note = f"it builds on {' and '.join(broken)}, which is not right yet: mend that first"
    return replace(own, note=note, verdict=Verdict.BLOCKED if own.points == 0 else own.verdict)


def _measure(kit: Kit, item: Item, namespace: Mapping[str, Any]) -> ItemResult:
    from graders.probes.student import Student

    found = _found(kit, namespace)
    if item.id not in found:
        return judge.missing(item, f"no {item.names[0]} is defined yet; run its cell first")
    return _judged(kit, item, Student(namespace, found, _orders(kit)), _Places())


def _found(kit: Kit, namespace: Mapping[str, Any]) -> dict[str, str]:
    """Return which name each item goes by: that of a class or function, of an answer also that of a value."""
    defined = [name for name, value in namespace.items() if callable(value)]
    answers = {one.id: one.names[::-1] for one in kit.assignment.items if one.kind == "question"}
    values = {item: name for item, names in answers.items() for name in names if namespace.get(name) is not None}
    return match_names(_names(kit), defined, kit.assignment.given) | values


def _judged(kit: Kit, item: Item, student: Student, places: Container[str]) -> ItemResult:
    # Imported here: the probes need the framework, which only a student's kernel has.
    from graders.probes.draw import Draw
    from graders.probes.runner import experiments, instruments

    graders = load_graders(kit.assignment)
    lab, draw = instruments(graders.framework), Draw(kit.seed, item.id)
    started = time.monotonic()
    with _apart():
        seen = dict(experiments(graders[item.id], student, lab, draw, places))
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


def find_kit(assignment: str | None, beside: Path | None = None, item: str = "", defined: Collection[str] = ()) -> Kit:
    """Return the kit: the one beside the notebook or script, else the one that came with the package.

    Of several assignments' kits it is the one that has the `item`; of several such, the one whose name for it is
    `defined`.
    """
    here = (beside or Path.cwd()).resolve()
    folders = [here, *sorted((home() / "student_template").glob("*"))]
    paths = [path for folder in folders for path in sorted(folder.glob(f"{assignment or '*'}.kit"))]
    candidates = [path for path in paths if path.parent == here] or paths
    if not candidates:
        raise UsageError("no self-check kit (a file that ends in .kit) beside your code; download it from the course")
    if len({path.stem for path in candidates}) > 1:
        candidates = [path for path in candidates if has_item(path, item)] or candidates
    if len({path.stem for path in candidates}) > 1:
        candidates = [path for path in candidates if _speaks_of(path, item, defined)] or candidates
    if len({path.stem for path in candidates}) > 1:
        known = ", ".join(sorted({path.stem for path in candidates}))
        raise UsageError(f"say which assignment: check(item, assignment=...) or --assignment, one of {known}")
    return _cached(candidates[0])


def _speaks_of(path: Path, item: str, defined: Collection[str]) -> bool:
    """Return whether a kit has the item under a name that is defined."""
    return has_item(path, item) and item in match_names({item: _cached(path).assignment.item(item).names}, defined)


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
