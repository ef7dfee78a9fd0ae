"""An autograder and assignment-checking harness for deep-learning courses.

Students call `graders.check("C3")` in a notebook cell; instructors use the command `graders`.
"""

from __future__ import annotations

__all__ = ["check"]


def check(item: str, assignment: str | None = None) -> None:
    """Check one item of the notebook that this is called from; see `graders.selfcheck.check`."""
    from graders.selfcheck import check as check_item  # kept out of the import of the package, which must be fast

    check_item(item, assignment)
