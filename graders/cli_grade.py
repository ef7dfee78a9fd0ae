"""What `graders grade` does between its options and the engine. Imported when the command runs, since it is heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graders.engine.local import Job
from graders.engine.plan import Plan
from graders.engine.publish import Publisher
from graders.engine.run import grade_class
from graders.errors import UsageError
from graders.intake import HANDED_IN, find_entries
from graders.late import read_times, times_by_id
from graders.model import Assignment, ClassReport, Report, Submission, Tier
from graders.sandbox.nursery import Nursery


def handed_in(paths: Sequence[Path], rubric: Assignment, times: Path | None) -> list[Job]:
    """Return what is to be graded; `times` is a CSV of when each student handed in."""
    entries = find_entries(paths, (*HANDED_IN, *rubric.files.values()))
    at = times_by_id(times, read_times(times), [(entry.id, entry.name) for entry in entries]) if times else {}
    return [
        Job(entry.id, entry.name, partial(_read, entry.read, at.get(entry.id, "")), entry.contents) for entry in entries
    ]


def grade(plan: Plan, found: Sequence[Job], out: Path, nursery: Nursery) -> tuple[ClassReport, Sequence[str]]:
    """Grade what was handed in and write all reports; return that of the class, and folders of other runs in `out`."""
    if any(item.tier is Tier.METRIC for item in plan.items):  # what trains at the same time shares the machine
        plan = replace(plan, jobs=min(plan.jobs, len(found)))
    publisher = Publisher(out, [job.id for job in found])
    with _Progress(len(found)) as progress:
        plan = replace(plan, say=progress.said)
        report = grade_class(plan, found, out / "evidence.sqlite", publisher, progress.done, nursery)
    return report, publisher.others()


def _read(read: Callable[[], Submission], time: str) -> Submission:
    """Read a submission; a time of its own takes the place of the LMS's."""
    submission = read()
    return replace(submission, submitted=time) if time else submission


def pictures(folder: Path) -> tuple[bytes, ...]:
    """Return a few of the course's images: eight, spread over the folder."""
    files = sorted((folder / "test" if (folder / "test").is_dir() else folder).glob("*.jpg"))
    if not files:
        raise UsageError(f"{folder}: no .jpg files in it; --data wants the folder of the course's images")
    return tuple(file.read_bytes() for file in files[:: max(1, len(files) // 8)][:8])


class _Progress:
    """A bar with the time that is left, on stderr."""

    def __init__(self, submissions: int) -> None:
        columns = (
            TextColumn("grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[last]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task("grading", total=submissions, last="")

    def said(self, id_: str, line: str) -> None:
        """Show what a training printed last."""
        self._bar.update(self._task, last=escape(f"{id_}: {line[:80]}"))

    def done(self, report: Report) -> None:
        """Advance by one submission."""
        last = escape(f"{report.submission.id}: {report.score:g} of {report.possible:g}")
        self._bar.update(self._task, advance=1, last=last)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
