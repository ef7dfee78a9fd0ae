"""What this machine has: frameworks, versions, confinement. Nothing slow is imported; levels are really tried."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from graders.engine.setting import PACKAGES, installed
from graders.home import slugs
from graders.rubric import load_rubric
from graders.sandbox.levels import try_level
from graders.sandbox.limits import LEVEL_MEANING, LEVELS

if TYPE_CHECKING:
    from rich.console import Console


def examine(console: Console) -> bool:
    """Print what there is; return whether submissions can be graded at all: with a framework and some confinement."""
    from rich.table import Table

    packages = Table("package", "version", title="Packages")
    found = {name: installed(name) for name in PACKAGES}
    packages.add_row("python", platform.python_version())
    for name, number in found.items():
        packages.add_row(name, number or "not installed")
    console.print(packages)
    levels = Table("level", "here", "what it is", title="Isolation, the strongest first")
    trials = [try_level(level) for level in LEVELS]
    for trial in trials:
        levels.add_row(trial.level, trial.reason or "yes", LEVEL_MEANING[trial.level])
    console.print(levels)
    best = next((trial.level for trial in trials[:-1] if not trial.reason), "")
    console.print(f"Graded with isolation '{best}'." if best else "No confinement: grading needs --isolation none.")
    some = _assignments(console, found)
    return bool(best) and some


def _assignments(console: Console, found: Mapping[str, str]) -> bool:
    """Print which assignments can be graded here; return whether any can."""
    from rich.markup import escape
    from rich.table import Table

    frameworks = {slug: load_rubric(slug).framework for slug in slugs()}
    table = Table("assignment", "framework", "here", title="Assignments")
    for slug, framework in frameworks.items():
        table.add_row(slug, framework, "yes" if found[framework] else escape(f"no: pip install 'graders[{framework}]'"))
    console.print(table)
    return any(found[framework] for framework in frameworks.values())
