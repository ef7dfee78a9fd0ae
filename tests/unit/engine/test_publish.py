"""Files that stand are not written again; what tells something else is."""

from dataclasses import replace
from pathlib import Path

import pytest

from graders.engine.publish import Publisher
from graders.model import Report
from graders.reports.files import folder_names
from graders.reports.write import STUDENT_FILES, student_folder
from graders.store import Store
from tests.unit.reports.sample import sample_class

CLASS = sample_class(2)
IDS = [report.submission.id for report in CLASS.reports]


def publish(out: Path, store: Store, *reports: Report) -> list[int]:
    """Publish a class with these reports; return when the first student's files were written, in nanoseconds."""
    publisher = Publisher(out, IDS)
    for report in reports:
        publisher.student(store, report)
    publisher.whole_class(store, replace(CLASS, reports=reports))
    folder = student_folder(out, folder_names(IDS)[0])
    return [(folder / name).stat().st_mtime_ns for name in STUDENT_FILES]


def test_files_that_tell_this_report_are_left_alone(tmp_path: Path, store: Store) -> None:
    first = publish(tmp_path, store, *CLASS.reports)
    assert publish(tmp_path, store, *CLASS.reports) == first


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "never kept, as after a fault"])
def test_a_report_that_says_something_else_is_written_and_so_is_the_old_one_again(
    tmp_path: Path, store: Store, kept: bool
) -> None:
    old = CLASS.reports[0]
    new = replace(old, notes=("cell 3: a new note",))
    page = student_folder(tmp_path, folder_names(IDS)[0]) / STUDENT_FILES[0]
    if kept:
        store.keep_submission(IDS[0], "key", {}, {})
    pages = []
    for report in (old, new, old):
        publish(tmp_path, store, report, CLASS.reports[1])
        pages.append(page.read_bytes())
    assert pages[0] == pages[2] != pages[1]
    assert b"a new note" in pages[1]


def test_a_file_that_is_gone_is_written_again(tmp_path: Path, store: Store) -> None:
    publish(tmp_path, store, *CLASS.reports)
    page = student_folder(tmp_path, folder_names(IDS)[0]) / STUDENT_FILES[0]
    page.unlink()
    publish(tmp_path, store, *CLASS.reports)
    assert page.is_file()


def test_files_half_written_at_a_kill_are_written_again(tmp_path: Path, store: Store) -> None:
    first = publish(tmp_path, store, *CLASS.reports)
    new = replace(CLASS.reports[0], notes=("new",))
    Publisher(tmp_path, IDS).student(store, new)  # and no settling: killed before the class's end
    assert publish(tmp_path, store, *CLASS.reports) != first


def test_folders_of_students_who_are_not_in_this_run_are_kept_and_told_of(tmp_path: Path, store: Store) -> None:
    assert Publisher(tmp_path, IDS).others() == []
    publish(tmp_path, store, *CLASS.reports)
    assert Publisher(tmp_path, IDS).others() == []
    assert Publisher(tmp_path, IDS[:1]).others() == [folder_names(IDS)[1]]
