"""From what the LMS handed out to submissions: folders, archives, notebooks and scripts, as students really pack them.

What is wrong with a student's file is a line in `Submission.problems`; only a wrong call raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from graders.errors import UsageError, did_you_mean
from graders.intake.classes import Work, works
from graders.intake.names import ENTRIES, shown, suffix, unique_ids
from graders.intake.shelf import UNREADABLE, Shelf
from graders.model import Submission

__all__ = ["HANDED_IN", "Entry", "find_entries", "find_submissions"]

HANDED_IN = ("code.zip", "report.pdf")  # the names that the handouts ask for
_NEAR = 8  # so many names of a folder are listed when none is near


@dataclass(frozen=True)
class Entry:
    """A submission that was found and not yet read: its id, whose it is, the file or folder that it comes from.

    `read` reads and hashes it, as often as it is called. It raises for nothing that is wrong with the submission, not
    even when it is gone by then; that is a line in the submission's problems. `contents` reads it again and returns the
    bytes of some of its files, by their names, as far as they can be read.
    """

    id: str
    name: str
    source: str
    read: Callable[[], Submission]
    contents: Callable[[Collection[str]], dict[str, bytes]]


def find_submissions(paths: Sequence[Path], handed_in: Collection[str] = HANDED_IN) -> list[Submission]:
    """Return the submissions at the paths, read and hashed, each with an id of its own; see `find_entries`."""
    return [entry.read() for entry in find_entries(paths, handed_in)]


def find_entries(paths: Sequence[Path], handed_in: Collection[str] = HANDED_IN) -> list[Entry]:
    """Return what was handed in at the paths, each with an id of its own that is the same in every run.

    To find it only names are read, and the imports of loose notebooks and scripts.

    A `.zip`, `.ipynb` or `.py` is one submission. A folder or a zip that looks like the export of a learning management
    system (`graders.intake.lms` tells how) is a class, also when one folder is around it. Another folder is one
    submission when it holds, directly,

    - a file that the handout asks for (`handed_in`, upper or lower case), or
    - one notebook, no zip and no folder with code, save folders that the notebook or a script beside it imports, or
    - no notebook and no zip, and scripts of which all but one are imported by another, or
    - one zip and a PDF and no other code.

    Else it is a class: each folder, `.zip`, `.ipynb` and `.py` directly in it is a submission, whatever it holds, and
    so is an archive that cannot be read here (`.rar`), which is told of in its problems; other files are passed over.
    Another zip is a class when, below the folders that are around everything, it has no code and no file of `handed_in`
    at its top level and at least two zips, or two folders with notebooks or files of `handed_in` in them; each folder
    and zip there is a submission. The same holds for a folder with one folder and nothing else in it.

    Hidden files and what tools leave behind (`__MACOSX`, `__pycache__`) are ignored everywhere.

    Args:
        paths: Files and folders; a path that is given twice counts once.
        handed_in: The names by which the folder of one student is known.

    Raises:
        UsageError: A path does not exist, is of no use or holds no submission.
    """
    real = dict.fromkeys(_real(path) for path in paths)
    found = [work for path in real for work in _works(path, handed_in)]
    if not found:
        raise UsageError("no submission was named; give a folder of submissions, a .zip, an .ipynb or a .py")
    ids = unique_ids(work.hand_in.id for work in found)
    return [
        Entry(
            id_,
            shown(work.hand_in.name),
            shown(work.hand_in.source),
            partial(_read, id_, work),
            partial(_contents, work),
        )
        for id_, work in zip(ids, found, strict=True)
    ]


def _read(id_: str, work: Work) -> Submission:
    hand_in = work.hand_in
    try:
        shelf = work.read()
    except UNREADABLE as error:  # the archive of a class is gone or broken since it was looked into
        shelf = Shelf()
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "the archive of the class is broken"
        )
        shelf.complain(hand_in.source, f"cannot be read any more ({reason}); look for it and grade again")
    read = shelf.submission(id_, hand_in.name, hand_in.source)
    problems = (*read.problems, *hand_in.notes)
    return replace(read, problems=problems, late=hand_in.late, submitted=hand_in.submitted)


def _contents(work: Work, names: Collection[str]) -> dict[str, bytes]:
    try:
        shelf: Shelf = work.read(keep=frozenset(names))
    except UNREADABLE:
        return {}
    return shelf.kept


def _real(path: Path) -> Path:
    """Follow the links in a path that the instructor gave, unlike those that a student did."""
    if not os.path.exists(path):
        raise UsageError(f"{path}: there is no such file or folder{_nearest(path)}")
    return Path(os.path.realpath(path))


def _nearest(path: Path) -> str:
    """Return " (did you mean ...?)" for the first part of a path that does not exist."""
    path = Path(os.path.abspath(path))
    while not path.parent.is_dir() and path.parent != path:
        path = path.parent
    try:
        known = [shown(name) for name in os.listdir(path.parent) if not name.startswith(".")]
    except OSError:
        return ""
    near = did_you_mean(path.name, known)
    return near if known and ("did you mean" in near or len(known) <= _NEAR) else ""


def _works(path: Path, handed_in: Collection[str]) -> list[Work]:
    if not path.is_dir() and suffix(path.name) not in ENTRIES:
        raise UsageError(f"{path}: is neither a folder nor a .zip, .ipynb or .py")
    if path.is_dir():
        try:
            os.listdir(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be listed: {error.strerror}") from None
    found = works(path, handed_in)
    if not found:
        raise UsageError(f"{path}: no submission found; there is no folder, .zip, .ipynb or .py in it")
    return found
