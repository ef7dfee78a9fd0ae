"""The graders of each assignment: per item a probe and a judge, side by side. This module is their common form."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from graders.errors import UsageError, did_you_mean
from graders.home import home
from graders.model import Assignment, Experiment, Item, Outcome, Tier

Experiments = Mapping[str, Callable[[], "Measured"]]
# What an experiment returns: JSON values and arrays under one name each.
Measured = Mapping[str, Any]
Seen = Mapping[str, Experiment]


def _own_folders() -> list[str]:
    """Return the folder of a course's own assignments, beside its rubrics, where there is one."""
    try:
        folder = home().resolve() / "assignments"
    except UsageError:  # said in its place when a rubric is looked for
        return []
    return [str(folder)] if folder.is_dir() else []


__path__[:0] = _own_folders()  # a course's own come first, as its rubrics do


class Grader(Protocol):
    """Probe and judge of one item. `arguments` is the order of the constructor's arguments in the handout."""

    arguments: tuple[str, ...]

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return the experiments by name; each runs beside the student's code and contains no expected value.

        `student` builds the student's objects, `lab` holds the instruments of the framework, `draw` the inputs.
        """
        ...

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare the student's evidence with the reference's; yield one outcome per criterion of the rubric."""
        ...


def digest() -> str:
    """Return a hash of all code that runs beside the student's: when it changes, old evidence says nothing."""
    folders = [Path(__file__).resolve().parent.parent / "probes", *map(Path, __path__)]
    files = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@dataclass(frozen=True)
class Findings:
    """What the run of a whole notebook showed beyond any item, in sentences for whoever marks.

    What is `wrong` stands among the code to look at too. No mark depends on either.
    """

    seen: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def no_findings(run: Seen, code: Mapping[int, str]) -> Findings:
    """Return nothing: the run of this assignment's notebooks is told of by its items."""
    return Findings()


Reader = Callable[[Seen, Mapping[int, str]], Findings]


class Registry(dict[str, Grader]):
    """The graders of one assignment by item id; `@registry.item("C3")` adds one.

    `framework` says which instruments their probes get: `graders.probes.<framework>`. `preload` are further modules
    that are imported once for all children, where otherwise each would do it. `least_loss` is the lowest loss on the
    real data that a training can show without raising doubts. `findings` reads the experiments of a notebook's run,
    which come from a hostile process, beside the text of each code cell by its number.
    """

    def __init__(
        self,
        framework: str,
        preload: tuple[str, ...] = (),
        least_loss: float = 0.0,
        findings: Reader = no_findings,
    ) -> None:
        super().__init__()
        self.framework, self.preload, self.least_loss, self.findings = framework, preload, least_loss, findings
        self.runs: dict[str, Grader] = {}

    def item(self, item_id: str) -> Callable[[type], type]:
        """Register an instance of the decorated class for that item."""

        def register(grader: type) -> type:
            self[item_id] = grader()
            return grader

        return register

    def run(self, item_id: str, grader: Grader) -> None:
        """Register what judges an item of the record tier from a run of the whole notebook."""
        self.runs[item_id] = grader

    def of(self, item_id: str, tier: Tier) -> Grader:
        """Return what judges an item in a tier."""
        return self.runs.get(item_id, self[item_id]) if tier is Tier.EXECUTE else self[item_id]


def load_graders(assignment: Assignment) -> Registry:
    """Return the graders of an assignment; raises UsageError when they and the rubric do not fit together."""
    module = importlib.import_module(f"graders.assignments.{assignment.slug}")
    registry: Registry = module.GRADERS
    if registry.framework != assignment.framework:
        raise UsageError(
            f"rubrics/{assignment.slug}.toml: framework is '{assignment.framework}', but its graders are written for "
            f"'{registry.framework}'; let both say the same"
        )
    wanted = {item.id: item.tier for item in assignment.items if _graded(item)}
    for item_id in sorted(set(wanted) - set(registry)):
        raise UsageError(
            f"rubrics/{assignment.slug}.toml: item {item_id} has tier '{wanted[item_id]}' but no grader"
            f"{did_you_mean(item_id, registry)}"
        )
    for item in assignment.items:
        if item.executed and item.id not in registry.runs:
            raise UsageError(
                f"rubrics/{assignment.slug}.toml: item {item.id} is said to be executed, but no grader reads its run"
            )
    return registry


def _graded(item: Item) -> bool:
    """Return whether an item needs a grader: an item of the execute tier only once it has criteria to be judged by."""
    return item.tier is Tier.BEHAVIOUR or (item.tier is Tier.EXECUTE and bool(item.criteria))
