"""How late a submission is, in started minutes after the deadline; what they cost is the rubric's `LatePolicy`."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from graders.errors import UsageError, did_you_mean

_MINUTE = 60


def minutes_late(submitted: str, due: str) -> int | None:
    """Return the started minutes between a deadline and a submission, both ISO 8601; None when no time can be told.

    A time without a zone is one of the deadline's zone.

    >>> minutes_late("2023-04-04T00:00:34+08:00", "2023-04-03T23:59:00+08:00")
    2
    >>> minutes_late("2023-04-03T23:59:00", "2023-04-03T23:59:00+08:00")
    0
    """
    try:
        end, came = read_time(due), read_time(submitted)
    except ValueError:
        return None
    came = came.replace(tzinfo=end.tzinfo) if came.tzinfo is None else came
    end = end.replace(tzinfo=came.tzinfo) if end.tzinfo is None else end
    return max(0, math.ceil((came - end).total_seconds() / _MINUTE))


def read_time(text: str) -> datetime:
    """Return the time of a text in ISO 8601; raises ValueError when it is none."""
    return datetime.fromisoformat(text.strip())


def checked_due(text: str) -> str:
    """Return the deadline that was given on the command line; raises UsageError when it is no time."""
    try:
        return read_time(text).isoformat()
    except ValueError:
        raise UsageError(f"--due {text}: no time in ISO 8601; write it like 2026-04-03T23:59:00+08:00") from None


def read_times(path: Path) -> dict[str, str]:
    """Return who handed in when, from a CSV of two columns: student (id or name) and time (ISO 8601).

    Raises UsageError in one line with the file, the line and the mend.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file; --times wants a CSV of student,time") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as CSV ({error}); save it as UTF-8") from None
    times: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if not any(cell.strip() for cell in row) or (number == 1 and _is_head(row)):
            continue
        student, time = _line(path, number, row)
        if student in times:
            raise UsageError(f"{path}: line {number}: '{student}' stands in it twice; keep one of the lines")
        times[student] = time
    if not times:
        raise UsageError(f"{path}: no line of student,time in it")
    return times


def _is_head(row: list[str]) -> bool:
    try:
        read_time(row[-1])
    except ValueError:
        return True
    return False


def _line(path: Path, number: int, row: list[str]) -> tuple[str, str]:
    try:
        student, time = (cell.strip() for cell in row)
        return student, read_time(time).isoformat()
    except ValueError:
        raise UsageError(
            f"{path}: line {number}: '{','.join(row)}' is not student,time with a time like 2026-04-03T23:59:00+08:00"
        ) from None


def times_by_id(path: Path, times: Mapping[str, str], students: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the times by submission id; `students` are ids and names.

    Raises UsageError for a line of nobody in the class: with a name misspelt, a student would go without his time.
    """
    by_name: dict[str, list[str]] = {}
    for id_, name in students:
        for word in {id_, name}:
            by_name.setdefault(word, []).append(id_)
    found: dict[str, str] = {}
    for student, time in times.items():
        ids = by_name.get(student, [])
        if len(ids) != 1:
            what = f"is the name of {len(ids)} submissions; use the id" if ids else "is nobody in the class"
            near = "" if ids else did_you_mean(student, by_name)
            raise UsageError(f"{path}: '{student}' {what}{near if 'did you mean' in near else ''}")
        found[ids[0]] = time
    return found
