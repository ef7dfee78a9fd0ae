from __future__ import annotations

from typing import Any

import pytest

from graders.assignments.acgan_images import Claim
from graders.judge import judge_item
from graders.model import SourceFile, Submission, Verdict
from graders.record import read
from graders.rubric import load_rubric

ITEM = load_rubric("acgan").item("claim")
CODE = "\nimport torch\n# Test accuracy: 99%\n"


def lines(head: str, name: str = "A9_acgan.py") -> list[dict[str, Any]]:
    text = head + CODE
    evidence = read(Submission("s", "s", (SourceFile(name, name, len(text), text),)))
    return list(evidence.experiments["heads"].values["lines"])


@pytest.mark.parametrize(
    ("line", "value", "percent"),
    [
        ("Auxiliary test accuracy: 70.53 %", 70.53, True),
        ("# aux accuracy = 0.71", 0.71, False),
        ("Auxiliary accuracy on CIFAR-10 test set: 71", 71.0, False),
        ("test accuracy 69.5%", 69.5, True),
        ("Accuracy:", None, False),
    ],
)
def test_figures_in_the_head_are_read(line: str, value: float | None, percent: bool) -> None:
    found = lines(f'"""\nName: A. Student\nCCID: ast\n{line}\n"""')
    assert [(one["line"], one["value"], one["percent"]) for one in found if "ccuracy" in one["label"]] == [
        (4, value, percent)
    ]


def test_what_follows_the_first_import_is_no_head() -> None:
    assert lines("x") == []


def verdict(head: str) -> tuple[Verdict, str]:
    text = head + CODE
    evidence = read(Submission("s", "s", (SourceFile("a.py", "a", len(text), text),)))
    result = judge_item(ITEM, Claim(), evidence, None)
    return result.verdict, result.criteria[0].actual if result.criteria else ""


def test_a_claim_is_a_share_and_none_is_left_to_a_person() -> None:
    assert verdict("# Auxiliary test accuracy: 70.5%") == (Verdict.PASS, "70.50%")
    assert verdict("# test accuracy: 0.7")[0] is Verdict.PASS
    assert verdict("# test accuracy: 705")[0] is Verdict.FAIL
    assert verdict("# test accuracy:")[0] is Verdict.FAIL
    assert verdict("# my work")[0] is Verdict.MANUAL
