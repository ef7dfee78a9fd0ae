"""How learning management systems name what students handed in. Only names are looked at here; no file is read.

| system     | at the top of its export                                                                             |
|------------|------------------------------------------------------------------------------------------------------|
| Canvas     | files `doejane_12345_678_code.zip`: who, user id, attachment id, the file's own name. `_LATE` after   |
|            | who. Graded without names: `anon_x1Y2z_678_code.zip`. Texts: `doejane_12345_text.html`, `_link.html`. |
|            | A file that is handed in again is called `code-1.zip`, `code-2.zip`, from the eighth on by a UUID     |
| Moodle     | folders `Jane Doe_123_assignsubmission_file` (older: with `_` at the end), `..._onlinetext` beside    |
|            | them; or files `Jane Doe_123_assignsubmission_file_code.zip`                                          |
| Gradescope | folders `submission_123` and `submission_metadata.yml`, which tells who and when (see gradescope.py)  |
| MarkUs     | a folder for each group, at times with the assignment's folder in it: read like any class of folders  |

All that one person handed in becomes one submission, and the system's own id stands in that of the submission.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from graders.intake.names import ENTRIES, FOREIGN, ID_LIMIT, safe_id, shown, suffix

_CANVAS = re.compile(
    r"(?:(?P<name>[^\s.]+?)_(?P<late>LATE_)?(?P<user>\d{1,20})|(?P<anonymous_late>LATE_)?(?P<anonymous>anon_[^\W_]+))"
    r"_(?:(?P<attachment>\d{1,20})_(?P<file>.+)|(?P<typed>(?:text|link)\.html))",
    re.DOTALL,
)
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<end>\.[\w.]+)")
_MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<user>\d{1,20}))?_assignsubmission_(?P<kind>[a-z0-9]+)(?:_(?P<file>.*))?", re.DOTALL
)


class Part(NamedTuple):
    """An entry at the top of a class, and its name in the submission: of a folder what goes before its files' names."""

    entry: str
    name: str


class HandIn(NamedTuple):
    """What of a class is one person's: the id and the name to go by, and the entries that are theirs."""

    id: str
    name: str
    parts: tuple[Part, ...]
    late: bool = False
    submitted: str = ""
    left_out: tuple[Part, ...] = ()  # versions before the latest

    @property
    def source(self) -> str:
        """The entry that it comes from, or the id where there are several."""
        return self.parts[0].entry if len(self.parts) == 1 else self.id

    @property
    def notes(self) -> tuple[str, ...]:
        """One line on the versions that were left out, if any."""
        names = ", ".join(part.name for part in self.left_out)
        return (f"{shown(names)}: handed in again later; only the latest version counts",) if names else ()


def lms_id(name: str, number: str) -> str:
    """Return an id with the number that the LMS knows the person by, whatever the length of the name.

    >>> lms_id("Jane Doe", "123")
    'Jane-Doe_123'
    """
    return f"{safe_id(name)[: ID_LIMIT - 1 - len(number)]}_{number}" if number else safe_id(name)


# Plain classes --------------------------------------------------------------------------------------------------------


def plain(top: Mapping[str, bool], taken: Collection[str] = ()) -> list[HandIn]:
    """Return each folder, notebook, script and archive as the work of one person; `top` tells what is a folder.

    A folder goes by its whole name, which may have dots in it, a file by its stem.
    """
    return [_plain(entry, is_folder) for entry, is_folder in top.items() if entry not in taken and _counts(entry, top)]


def _counts(entry: str, top: Mapping[str, bool]) -> bool:
    return top[entry] or suffix(entry) in (*ENTRIES, *FOREIGN)


def _plain(entry: str, is_folder: bool) -> HandIn:
    name = entry if is_folder else entry.rpartition(".")[0]
    return HandIn(name, name, (Part(entry, "" if is_folder else entry),))


# Moodle ---------------------------------------------------------------------------------------------------------------


def moodle(top: Mapping[str, bool]) -> list[HandIn]:
    """Return the hand-ins of Moodle's export, none when it is not one."""
    people: dict[tuple[str, str], list[Part]] = {}
    for entry in sorted(top):
        if match := _MOODLE.fullmatch(entry):
            person = (match["name"], match["user"] or "")
            people.setdefault(person, []).append(Part(entry, _moodle_name(match, top[entry])))
    return [HandIn(lms_id(*person), person[0], tuple(parts)) for person, parts in people.items()]


def _moodle_name(match: re.Match[str], is_folder: bool) -> str:
    file = match["file"] or ""
    if not is_folder:
        return file or match.string
    return f"{file}/" if file else "" if match["kind"] == "file" else f"{match['kind']}/"


# Canvas ---------------------------------------------------------------------------------------------------------------


def canvas(top: Mapping[str, bool], handed_in: Collection[str]) -> list[HandIn]:
    """Return the hand-ins of Canvas's export, none when it is not one; `handed_in` are names that the handout asks for.

    Names such as `hw_1_23_jane.ipynb` look alike, and to take several students' files for one student's would be the
    worst mistake. So it is Canvas's only if every user has one name, every attachment one user, and not all users the
    same name; the files of one user alone are told apart no better than any other files.
    """
    found = [match for entry in sorted(top) if (match := _CANVAS.fullmatch(entry))]
    people: dict[str, list[re.Match[str]]] = {}
    for match in found:
        people.setdefault(_user(match), []).append(match)
    names = {(_user(match), match["name"] or match["anonymous"]) for match in found}
    owners = {(match["attachment"], _user(match)) for match in found if match["attachment"]}
    several = len({name for _, name in names}) > 1
    if not several or len(names) > len(people) or len(owners) > len({attachment for attachment, _ in owners}):
        return []
    return [_canvas_hand_in(matches, top, handed_in) for matches in people.values()]


def _user(match: re.Match[str]) -> str:
    return match["user"] or match["anonymous"]


def _canvas_hand_in(matches: list[re.Match[str]], top: Mapping[str, bool], handed_in: Collection[str]) -> HandIn:
    matches = sorted(matches, key=lambda match: (int(match["attachment"] or 0), match.string))
    latest = _latest([match for match in matches if match["file"]], handed_in)
    kept = [match for match in matches if match["typed"] or match in latest]
    first = matches[0]
    return HandIn(
        id=lms_id(first["name"], first["user"]) if first["name"] else first["anonymous"],
        name=first["name"] or first["anonymous"],
        parts=tuple(Part(match.string, _canvas_name(match, top)) for match in kept),
        late=any(match["late"] or match["anonymous_late"] for match in kept),
        left_out=tuple(Part(match.string, match["file"]) for match in matches if match not in kept),
    )


def _canvas_name(match: re.Match[str], top: Mapping[str, bool]) -> str:
    name = match["file"] or match["typed"]
    return f"{name}/" if top[match.string] else name  # somebody unpacked it


def _latest(matches: list[re.Match[str]], handed_in: Collection[str]) -> list[re.Match[str]]:
    """Return the latest version of every file: `code-2.zip` of `code.zip`, `code-1.zip` and `code-2.zip`.

    `part-1.py` and `part-2.py` are no versions when there is no `part.py`: they may be the student's own names.
    """
    bases = {name.casefold() for name in (*handed_in, *(match["file"] for match in matches))}
    latest: dict[str, tuple[int, re.Match[str]]] = {}
    for match in matches:  # in the order of their attachments, so of equal versions the last one counts
        base, number = _version(match["file"].casefold(), bases)
        if base not in latest or number >= latest[base][0]:
            latest[base] = (number, match)
    return [match for _, match in latest.values()]


def _version(file: str, bases: Iterable[str]) -> tuple[str, int]:
    """Return the name that a file was first handed in with and its number; a UUID is later than any number."""
    again = _AGAIN.fullmatch(file)
    base = again["stem"] + again["end"] if again else ""
    if not again or base not in bases:
        return file, 0
    return base, int(again["number"]) if again["number"].isdecimal() else 1_000
