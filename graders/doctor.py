"""What this machine has: frameworks, versions, confinement. Nothing slow is imported; levels are really tried."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from graders.engine.setting import PACKAGES, installed
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
    if not found["tensorflow"]:
        console.print("tensorflow is not installed: pip install 'graders[tensorflow]'")
    return bool(best and found["tensorflow"])
