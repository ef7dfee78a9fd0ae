"""The top level of a class, a folder or an archive, and the way to what one person handed in there.

To find a class only names are read, and of an archive its table of contents; every reading opens the archive again.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from graders.intake.archives import members, open_zip, read_members, top_levels, true_name
from graders.intake.folders import entries, open_file, read_paths, walk
from graders.intake.lms import Part
from graders.intake.names import rank
from graders.intake.shelf import UNREADABLE, Shelf

MOST_LEVELS = 10  # folders in folders, before anything else is in them

Tops = Mapping[str, list[zipfile.ZipInfo]]


class Place(NamedTuple):
    """A level of a class: its path, its names (True of a folder), and how to read parts of it.

    `start` returns the first bytes of a file, so many as are asked for; `inside` the names below one of its folders.
    """

    path: Path
    top: Mapping[str, bool]
    read: Callable[[Iterable[Part], Collection[str]], Shelf]
    start: Callable[[str, int], bytes]
    inside: Callable[[str], list[str]]


def folder_levels(folder: Path) -> list[Place]:
    """Return the levels of a folder: itself, and what is in it while that is one folder and nothing else."""
    levels = [_folder_place(folder)]
    while len(levels) < MOST_LEVELS and (inner := _only_folder(levels[-1].top)):
        folder = folder / inner
        if folder.is_symlink():
            break
        levels.append(_folder_place(folder))
    return levels


def zip_levels(path: Path) -> list[Place]:
    """Return the levels of an archive in the same way; none when it cannot be read."""
    try:
        with open_file(path) as stream, open_zip(stream) as archive:
            infos = archive.infolist()
    except UNREADABLE:
        return []
    levels = [_zip_place(path, infos, 0)]
    while len(levels) < MOST_LEVELS and _only_folder(levels[-1].top):
        levels.append(_zip_place(path, infos, len(levels)))
    return levels


def _only_folder(top: Mapping[str, bool]) -> str:
    name, is_folder = next(iter(top.items()), ("", False))
    return name if len(top) == 1 and is_folder else ""


# Folders --------------------------------------------------------------------------------------------------------------


def _folder_place(folder: Path) -> Place:
    found = entries(folder, Shelf(), folder.name)
    top = {entry.name: os.path.isdir(entry.path) for entry in found}

    def start(name: str, size: int) -> bytes:
        with open_file(folder / name) as stream:
            return stream.read(size)

    def read(parts: Iterable[Part], keep: Collection[str] = ()) -> Shelf:
        return read_paths(((part.name, folder / part.entry) for part in parts), keep)

    return Place(folder, top, read, start, lambda name: [inner for inner, _ in walk(folder / name, Shelf())])


# Archives -------------------------------------------------------------------------------------------------------------


def _zip_place(path: Path, infos: Iterable[zipfile.ZipInfo], strip: int) -> Place:
    tops = top_levels(infos, strip)

    def read(parts: Iterable[Part], keep: Collection[str] = ()) -> Shelf:
        shelf = Shelf(keep)
        found = [each for part in parts for each in members(shelf, tops[part.entry], part.name, strip + 1)]
        with open_file(path) as stream, open_zip(stream) as archive:
            # The archive of the class has depth 0: it is the instructor's, not the student's.
            read_members(shelf, archive, sorted(found, key=lambda member: rank(member.name)), depth=0)
        return shelf

    def start(name: str, size: int) -> bytes:
        with open_file(path) as stream, open_zip(stream) as archive, archive.open(tops[name][-1]) as member:
            return member.read(size)

    top = {name: any(len(_below(info, strip)) > 1 for info in tops[name]) for name in sorted(tops)}
    return Place(path, top, read, start, lambda name: ["/".join(_below(info, strip)) for info in tops[name]])


def _below(info: zipfile.ZipInfo, strip: int) -> list[str]:
    return true_name(info).split("/")[strip:]
