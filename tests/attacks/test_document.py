from __future__ import annotations

from graders.home import home
from graders.sandbox.limits import LEVELS
from tests.attacks.attacks import ATTACKS, tables

DOCUMENT = (home() / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_document_lists_every_attack_as_it_is() -> None:
    assert tables() in DOCUMENT, "run `python -m tests.attacks.attacks` and put its output into docs/security.md"


def test_the_tables_have_a_row_of_three_cells_for_each_attack() -> None:
    rows = [line for line in tables().splitlines() if line.startswith("| ") and not line.startswith("| attack |")]
    assert len(rows) == len(ATTACKS)
    assert all(row.count("|") == 4 for row in rows)


def test_the_document_has_a_column_for_every_level() -> None:
    assert f"| | {' | '.join(LEVELS)} |" in DOCUMENT
