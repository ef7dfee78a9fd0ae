from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import UsageError
from graders.late import checked_due, minutes_late, read_times, times_by_id
from graders.model import LatePolicy, Report
from graders.reports.summary import lateness, shares
from tests.unit.reports.sample import report as sample_report

DUE = "2023-04-03T23:59:00+08:00"


@pytest.mark.parametrize(
    ("submitted", "minutes"),
    [
        ("2023-04-04T00:00:34+08:00", 2),  # the handout's own example
        ("2023-04-03T23:59:00+08:00", 0),
        ("2023-04-03T23:59:01+08:00", 1),
        ("2023-04-04T00:00:00+08:00", 1),
        ("2023-04-04T00:00:00.5+08:00", 2),
        ("2023-04-03T16:00:34+00:00", 2),  # the same moment elsewhere
        ("2023-04-03T16:00:34Z", 2),
        ("2023-04-04T00:00:34", 2),  # without a zone it is the deadline's
        ("2023-04-01T12:00:00+08:00", 0),
        ("", None),
        ("yesterday", None),
    ],
)
def test_every_started_minute_counts(submitted: str, minutes: int | None) -> None:
    assert minutes_late(submitted, DUE) == minutes


@given(st.datetimes(), st.integers(0, 10**6))
def test_minutes_are_those_between(due: object, seconds: int) -> None:
    from datetime import datetime, timedelta

    assert isinstance(due, datetime)
    try:
        came = due + timedelta(seconds=seconds)
    except OverflowError:
        return
    assert minutes_late(came.isoformat(), due.isoformat()) == -(-seconds // 60)


def handed_in(minutes: int | None, points: float) -> Report:
    made = sample_report("Ada", {})
    items = tuple(replace(item, points=points if item.id == "C3" else 0.0) for item in made.items)
    return replace(made, items=items, late_minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "points", "total"), [(None, 12, 12), (0, 12, 12), (5, 12, 7), (12, 12, 0), (500, 12, 0)]
)
def test_a_point_a_minute_and_never_below_zero(minutes: int | None, points: float, total: float) -> None:
    made = handed_in(minutes, points)
    assert made.score == points
    assert (made.total, made.deduction) == (total, minutes or 0)


@pytest.mark.parametrize(
    ("minutes", "taken", "words"),
    [
        (0, 0, ""),
        (60, 1, "1 started hour late: 1 points are taken; 61 remain."),
        (85, 2, "2 started hours late: 2 points are taken; 60 remain."),  # 01:23:34, the example of handout B
        (48 * 60, 48, "48 started hours late: 48 points are taken; 14 remain."),
        (48 * 60 + 1, 48, "49 started hours late, of which 48 count: 48 points are taken; 14 remain."),
    ],
)
def test_a_point_an_hour_for_two_days(minutes: int, taken: float, words: str) -> None:
    made = handed_in(minutes, 62)
    made = replace(made, assignment=replace(made.assignment, late=LatePolicy(1, DUE, "hour", 48)))
    assert (made.deduction, lateness(made)) == (taken, words)


def test_an_example_of_handout_b() -> None:
    """Two points for 01:23:34, of a deadline at 11:59pm."""
    minutes = minutes_late("2025-04-12T01:23:34+08:00", "2025-04-11T23:59:00+08:00")
    assert minutes is not None
    assert LatePolicy(1, "", "hour", 48).deduction(minutes) == 2


def test_no_total_is_above_the_handouts() -> None:
    assert handed_in(None, 120).total == 100


def test_lateness_is_told_in_words() -> None:
    assert lateness(handed_in(2, 12)) == "2 started minutes late: 2 points are taken; 10 remain."
    assert lateness(handed_in(0, 12)) == lateness(handed_in(None, 12)) == ""
    flagged = handed_in(None, 12)
    flagged = replace(flagged, submission=replace(flagged.submission, late=True))
    assert "how late is not known" in lateness(flagged)


def test_the_kinds_are_worth_what_the_handout_says() -> None:
    """Table 5: code 70, report 22, prediction 8; the bonus has no points."""
    found = {share.kind: share.whole for share in shares(handed_in(None, 1))}
    assert found == {"code": 70, "written report": 22, "prediction": 8}


def times(path: Path, text: str) -> dict[str, str]:
    path.write_text(text, encoding="utf-8")
    return read_times(path)


def test_times_are_read_with_and_without_a_head(tmp_path: Path) -> None:
    line = "ann,2023-04-04T00:00:34+08:00\n"
    expected = {"ann": "2023-04-04T00:00:34+08:00"}
    for text in (line, f"student,time\n{line}", f"\ufeffStudent,Time\n\n{line}"):
        assert times(tmp_path / "times.csv", text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\nann,soon\n", "line 2: 'ann,soon' is not student,time"),
        ("a,b\nann\n", "line 2: 'ann' is not student,time"),
        ("", "no line of student,time"),
        ("a,b\nann,2023-04-04\nann,2023-04-05\n", "line 3: 'ann' stands in it twice"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        times(tmp_path / "times.csv", text)
    assert "times.csv" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_times(tmp_path / "times.csv")


def test_students_are_found_by_id_and_by_name_and_nobody_is_passed_over() -> None:
    path, students = Path("times.csv"), [("ann_1", "Ann"), ("bob_2", "Bob"), ("bob_3", "Bob")]
    assert times_by_id(path, {"Ann": "t", "bob_3": "u"}, students) == {"ann_1": "t", "bob_3": "u"}
    with pytest.raises(UsageError, match="'Bob' is the name of 2 submissions; use the id"):
        times_by_id(path, {"Bob": "t"}, students)
    with pytest.raises(UsageError, match=r"'Anne' is nobody in the class \(did you mean 'Ann'"):
        times_by_id(path, {"Anne": "t"}, students)


def test_a_deadline_that_is_none_is_refused() -> None:
    assert checked_due("2026-04-03T23:59:00+08:00") == "2026-04-03T23:59:00+08:00"
    with pytest.raises(UsageError, match="--due tomorrow: no time"):
        checked_due("tomorrow")
