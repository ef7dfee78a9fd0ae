"""Is a path a whole class or the work of one person? `find_entries` documents the rules; here they are applied."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import NamedTuple

from graders.intake.folders import entries, open_file, read_paths, walk
from graders.intake.gradescope import METADATA, METADATA_LIMIT, Record, gradescope, read_metadata
from graders.intake.lms import HandIn, canvas, moodle, plain
from graders.intake.names import ARCHIVE, CODE, ENTRIES, NOTEBOOK, SCRIPT, is_junk, shown, suffix
from graders.intake.places import Place, folder_levels, zip_levels
from graders.intake.shelf import UNREADABLE, Shelf

_IMPORTED = re.compile(rb"\b(?:from|import)\s+([\w\x80-\xff]+)")
_log = logging.getLogger(__name__)  # a class's own problem is nobody's report's; unless set up, it is a line on stderr


class Work(NamedTuple):
    """The work of one person, unread, and the way to read it."""

    hand_in: HandIn
    read: Callable[..., Shelf]  # of the names whose contents are wanted: `keep`


def works(path: Path, handed_in: Collection[str]) -> list[Work]:
    """Return the works at a path, one or a class of them, in an order that does not depend on the disk."""
    levels = folder_levels(path) if path.is_dir() else zip_levels(path) if suffix(path.name) == ARCHIVE else []
    for place in levels:
        if found := _export(place, handed_in):
            return found
    looked_through = len(levels) > 1 if path.is_dir() else len(levels) > 0
    if looked_through and _is_class(levels[-1], handed_in):
        return _works(levels[-1], plain(levels[-1].top))
    if path.is_dir() and not is_one(path, handed_in):
        return _works(levels[0], plain(levels[0].top))
    return [_single(path)]


def _works(place: Place, found: list[HandIn]) -> list[Work]:
    ordered = sorted(found, key=lambda hand_in: (hand_in.id.casefold(), hand_in))
    return [Work(hand_in, partial(place.read, hand_in.parts)) for hand_in in ordered]


def _single(path: Path) -> Work:
    (hand_in,) = plain({path.name: path.is_dir()})
    return Work(hand_in, partial(read_paths, [(hand_in.parts[0].name, path)]))


# The exports of learning management systems ---------------------------------------------------------------------------


def _export(place: Place, handed_in: Collection[str]) -> list[Work]:
    """Return the works in an export, and those that somebody put beside them; none when it is no export."""
    found: list[HandIn] = []
    if METADATA in place.top:
        found = gradescope(place.top, _records(place))
    found = found or moodle(place.top) or canvas(place.top, handed_in)
    taken = {part.entry for hand_in in found for part in (*hand_in.parts, *hand_in.left_out)}
    return _works(place, [*found, *plain(place.top, taken)]) if found else []


def _records(place: Place) -> dict[str, Record]:
    try:
        return read_metadata(place.start(METADATA, METADATA_LIMIT + 1))
    except UNREADABLE as error:
        where = shown(str(place.path / METADATA))
        _log.warning("%s: cannot be read (%s); the students go by the names of their folders", where, error)
        return {}


# Folders --------------------------------------------------------------------------------------------------------------


def is_one(folder: Path, handed_in: Collection[str]) -> bool:
    """Whether a folder that was given is the work of one person; the rules stand in `find_entries`."""
    found = [entry for entry in entries(folder, Shelf(), folder.name) if not entry.is_symlink()]
    files = [entry.name for entry in found if os.path.isfile(entry.path)]
    if _asked_for(files, handed_in):
        return True
    notebooks, scripts, zips = (_ending(files, end) for end in (NOTEBOOK, SCRIPT, ARCHIVE))
    inner = [entry.name for entry in found if os.path.isdir(entry.path) and _holds_code(folder / entry.name)]
    if zips:
        return len(zips) == 1 and not (notebooks or scripts or inner) and bool(_ending(files, ".pdf"))
    if len(notebooks) > 1 or not (notebooks or scripts):
        return False
    imported = {name: _imports(folder / name) for name in (*notebooks, *scripts)}
    # Beside a notebook one script may stand alone, an export of it for instance; several are several people's.
    roots = [name for name in scripts if not _is_imported(name[: -len(SCRIPT)], imported)]
    return len(roots) <= 1 and all(_is_imported(name, imported) for name in inner)


def _asked_for(files: Collection[str], handed_in: Collection[str]) -> bool:
    return bool({name.casefold() for name in files} & {name.casefold() for name in handed_in})


def _ending(files: list[str], end: str) -> list[str]:
    return [name for name in files if suffix(name) == end]


def _holds_code(folder: Path) -> bool:
    return any(suffix(name) in ENTRIES for name, _ in walk(folder, Shelf()))


def _imports(path: Path, size: int = 2**22) -> set[bytes]:
    """Return the modules that a file imports; a notebook's JSON is searched as it stands."""
    try:
        with open_file(path) as stream:
            return set(_IMPORTED.findall(stream.read(size)))
    except OSError:
        return set()


def _is_imported(module: str, imported: dict[str, set[bytes]]) -> bool:
    """Whether a file other than the module itself imports a module of that name."""
    name = os.fsencode(module)
    return any(name in modules for file, modules in imported.items() if file != f"{module}{SCRIPT}")


# Archives, and folders in a folder ------------------------------------------------------------------------------------


def _is_class(place: Place, handed_in: Collection[str]) -> bool:
    """Whether what is below all that is around everything is a class; archives in it are not opened to tell."""
    loose = [name for name, is_folder in place.top.items() if not is_folder]
    if _asked_for(loose, handed_in) or any(suffix(name) in CODE for name in loose):
        return False
    folders = [
        name for name, is_folder in place.top.items() if is_folder and _is_persons(place.inside(name), handed_in)
    ]
    return len(folders) > 1 or len(_ending(loose, ARCHIVE)) > 1


def _is_persons(names: list[str], handed_in: Collection[str]) -> bool:
    """Whether a folder with these names in it may be somebody's: a notebook or what the handout asks for."""
    parts = [name.split("/") for name in names]
    files = [each[-1] for each in parts if not any(map(is_junk, each))]
    return _asked_for(files, handed_in) or bool(_ending(files, NOTEBOOK))
