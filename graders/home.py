"""Where rubrics, references and templates are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

import os
from pathlib import Path

from graders.errors import UsageError, did_you_mean


def home() -> Path:
    """Return the folder that holds `rubrics/`: $GRADERS_HOME, else the checkout, else the wheel's own copy."""
    package = Path(__file__).resolve().parent
    named = os.environ.get("GRADERS_HOME")
    places = [Path(named)] if named else [package.parent, package / "_home"]
    for place in places:
        if (place / "rubrics").is_dir():
            return place
    raise UsageError(f"{places[0]}: no folder rubrics/ in it; set GRADERS_HOME to a checkout of the project")


def slugs() -> list[str]:
    """Return the assignments that there are, in the order of the alphabet."""
    return sorted(file.stem for file in (home() / "rubrics").glob("*.toml"))


def rubric_path(slug: str) -> Path:
    """Return the path of an assignment's rubric; raises UsageError with the nearest known slug."""
    path = home() / "rubrics" / f"{slug}.toml"
    if not path.is_file():
        raise UsageError(f"'{slug}' is no assignment{did_you_mean(slug, slugs())}")
    return path


def reference_path(slug: str) -> Path:
    """Return the path of an assignment's reference solution; raises UsageError where it is not shipped."""
    path = home() / "reference" / slug / "solution.py"
    if not path.is_file():
        raise UsageError(
            f"{path}: the reference solution is needed to grade and is not there; set GRADERS_HOME to a checkout"
        )
    return path
