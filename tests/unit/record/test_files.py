from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.assignments.denoising_record import CheckScript, Training
from graders.home import home
from graders.judge import judge_item
from graders.model import Evidence, SourceFile, Submission, Verdict
from graders.record import fingerprint, read
from graders.record.files import MOST_CODE, MOST_LOGS, MOST_ROWS, MOST_TESTS
from graders.rubric import load_rubric
from tests.unit.record.build import code, document, png, stream

HANDED_OUT = home() / "student_template" / "denoising"
GIVEN = {name: (HANDED_OUT / name).read_text() for name in ("asgn6.py", "check_models.py")}
ASSIGNMENT = load_rubric("denoising")
RNG = np.random.default_rng(0)
LOSSES = "".join(f"{0.5 / (1 + at):.6f}\n" for at in range(40))
OK = "....\n-----\nRan 4 tests in 0.627s\n\nOK\n"
PICTURES = [png(RNG.integers(0, 255, (16, 64, 3))) for _ in range(4)]
BLANK = png(np.full((16, 64, 3), 255))


def submission(**files: str | bytes) -> Submission:
    """A submission; in a keyword `__` stands for a dot and `_` in pictures for a dash."""
    return Submission("s", "s", tuple(SourceFile(name, name, len(text), text) for name, text in named(files)))


def named(files: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("__", "."), text) for name, text in files.items()]


def pictures(kind: str, *encoded: str) -> dict[str, str]:
    return {f"{kind}-{at:03}__png": one for at, one in enumerate(encoded)}


RUN: dict[str, str] = {
    "loss__txt": LOSSES,
    **pictures("sample", *PICTURES[:2]),
    **pictures("novel", *PICTURES[2:]),
    **{name.replace(".", "__"): text for name, text in GIVEN.items()},
}


def record(**files: str) -> Evidence:
    return read(submission(**files), GIVEN)


def values(name: str, **files: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = record(**files).experiments["files"].values[name]
    return found


def lost(item: str, grader: Any, evidence: Evidence) -> set[str] | Verdict:
    result = judge_item(ASSIGNMENT.item(item), grader, evidence, None)
    return result.verdict if result.verdict is Verdict.MANUAL else {c.name for c in result.criteria if not c.passed}


def training(**files: str) -> set[str] | Verdict:
    return lost("Q3b", Training(), record(**files))


# Losses --------------------------------------------------------------------------------------------------------------


def test_a_loss_file_is_read_row_by_row() -> None:
    (found,) = values("losses", loss__txt="epoch, iteration, loss\n1, 1, 0.5\n1, 2, nan\n\n1, 3, 0.25\n")
    assert (found["rows"], found["bad"], found["line"]) == (3, 1, 3)
    assert (found["first"], found["last"], found["least"]) == (0.5, 0.25, 0.25)


@pytest.mark.parametrize("row", ["inf", "-inf", "NaN", "1e999", "9" * 400, "loss", "tensor(", "0.5x"])
def test_a_row_without_a_finite_number_is_told_with_its_line(row: str) -> None:
    (found,) = values("losses", loss__txt=f"0.5\n0.4\n{row}\n0.3\n")
    assert (found["rows"], found["bad"], found["line"]) == (4, 1, 3)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    (found,) = values("losses", loss__txt=text)
    assert 0 <= found["bad"] <= found["rows"]


# The items -----------------------------------------------------------------------------------------------------------


def test_a_whole_run_keeps_all() -> None:
    assert training(**RUN) == set()


RUNS: dict[str, tuple[dict[str, str], set[str]]] = {
    "rises": ({"loss__txt": "".join(reversed(LOSSES.splitlines(keepends=True)))}, {"falling"}),
    "stays": ({"loss__txt": "0.5\n" * 40}, {"falling"}),
    "not a number": ({"loss__txt": LOSSES[:90] + "nan\n" * 30}, {"log", "falling"}),
    "once not a number": ({"loss__txt": "nan\n" + LOSSES}, {"log"}),
    "too short": ({"loss__txt": LOSSES[:90]}, {"log", "falling"}),
    "empty": ({"loss__txt": ""}, {"log", "falling"}),
    "blank samples": (pictures("sample", BLANK, BLANK), {"samples"}),
    "equal novels": (pictures("novel", PICTURES[0], PICTURES[0]), {"novel"}),
    "damaged": (pictures("novel", PICTURES[0], base64.b64encode(b"no picture").decode()), {"novel"}),
    "other code": ({"asgn6__py": GIVEN["asgn6.py"].replace("loss.backward()", "pass")}, {"unchanged"}),
    "other check": ({"check_models__py": GIVEN["check_models.py"].replace("assertEqual", "assertTrue")}, {"unchanged"}),
    "no code any more": ({"asgn6__py": "def ("}, {"unchanged"}),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_poor_run_loses_its_own_criterion(name: str) -> None:
    files, criteria = RUNS[name]
    assert training(**{**RUN, **files}) == criteria


FAIR: dict[str, dict[str, str]] = {
    "other epochs": {"asgn6__py": GIVEN["asgn6.py"].replace("default=500", "default=20")},
    "comments": {"asgn6__py": GIVEN["asgn6.py"] + "\n# run on the GPU of the lab\n"},
    "ends of lines of Windows": {"asgn6__py": GIVEN["asgn6.py"].replace("\n", "\r\n")},
    "a second, poorer log": {"old_loss__txt": "nan\n"},
    "one blank picture": pictures("novel", BLANK, *PICTURES[2:]),
    "a heading": {"loss__txt": "loss\n" + LOSSES},
}


@pytest.mark.parametrize("name", FAIR)
def test_a_fair_run_keeps_all(name: str) -> None:
    assert training(**{**RUN, **FAIR[name]}) == set()


def test_files_that_were_not_handed_in_were_not_changed() -> None:
    assert training(**{name: text for name, text in RUN.items() if not name.endswith("__py")}) == set()


def test_nothing_of_a_run_waits_for_a_person() -> None:
    assert training(models__py="x = 1") is Verdict.MANUAL


def test_a_loss_alone_loses_the_pictures() -> None:
    assert training(loss__txt=LOSSES) == {"samples", "novel"}
    assert training(loss__txt=LOSSES, models__py="x = 1") == {"samples", "novel"}


def test_what_a_report_may_show_waits_for_a_person() -> None:
    report = {"report__pdf": "%PDF-1.4"}
    assert training(loss__txt=LOSSES, **report) is Verdict.MANUAL
    result = judge_item(ASSIGNMENT.item("Q3b"), Training(), record(loss__txt=LOSSES, **report), None)
    assert "no sample-*.png and no novel-*.png was handed in; report.pdf may show it" in result.note
    assert "seen: log: 40 rows in loss.txt; falling: 0.26" in result.note
    assert training(**RUN, **report) == set()
    assert training(**{**RUN, "loss__txt": "nan\n" * 40}, **report) == {"log", "falling"}


def checked(**files: str) -> set[str] | Verdict:
    return lost("Q3a", CheckScript(), record(**files))


def test_the_output_of_the_check_script_counts_from_a_file_or_a_notebook() -> None:
    assert checked(check__txt=OK) == set()
    assert checked(lab__ipynb=document(code("!python check_models.py", stream(OK)))) == set()


def test_what_the_check_script_did_not_pass_is_lost() -> None:
    assert checked(check__txt=OK.replace("OK", "FAILED (failures=1)")) == {"tests"}
    assert checked(check__txt=OK.replace("OK", "FAILED (failures=1)") + OK) == set(), "the best counts"


@pytest.mark.parametrize("swap", [("LATENT, SIZE = 32, 128", "LATENT, SIZE = 32, 256"), ("assertEqual", "assertTrue")])
def test_a_changed_check_script_says_nothing(swap: tuple[str, str]) -> None:
    assert checked(check__txt=OK, check_models__py=GIVEN["check_models.py"].replace(*swap)) == {"tests"}


@pytest.mark.parametrize("text", ["", "Ran 3 tests in 0.1s\n\nOK\n", "all tests passed"])
def test_no_output_of_the_check_script_waits_for_a_person(text: str) -> None:
    assert checked(check__txt=text) is Verdict.MANUAL


# Copies --------------------------------------------------------------------------------------------------------------


def test_equal_runs_of_two_students_have_equal_fingerprints() -> None:
    mine, theirs = fingerprint(record(**RUN)), fingerprint(record(**{**RUN, "loss__txt": LOSSES.replace("\n", "\r\n")}))
    assert len(mine) == 3
    assert mine == theirs
    other = fingerprint(record(**{**RUN, "loss__txt": LOSSES + "0.1\n", **pictures("novel", *PICTURES[:2])}))
    assert len(set(mine.values()) & set(other.values())) == 1


def test_what_shows_nothing_has_no_fingerprint() -> None:
    assert fingerprint(record(loss__txt="0.5\n", **pictures("sample", BLANK))) == {}


# Bounds --------------------------------------------------------------------------------------------------------------


def test_what_nobodys_run_wrote_is_read_within_bounds() -> None:
    many = {f"loss{at}__txt": "1\n" for at in range(30)}
    assert len(values("losses", **many)) == MOST_LOGS
    assert values("losses", loss__txt="1\n" * (MOST_ROWS + 5))[0]["rows"] == MOST_ROWS
    assert len(values("tests", a__txt=OK * (MOST_TESTS + 5))) == MOST_TESTS
    assert values("given", asgn6__py=GIVEN["asgn6.py"] + "#" * MOST_CODE)[0]["state"] == "as given"
    assert values("given", asgn6__py="#" * MOST_CODE + "\n" + GIVEN["asgn6.py"])[0]["state"] == "changed"
    assert values("given", asgn6__py="(" * 100_000)[0]["state"] == "changed"
