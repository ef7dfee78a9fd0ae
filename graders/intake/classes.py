"""Is a path a whole class or the work of one person? `find_submissions` documents the rules; here they are applied."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from graders.intake.archives import members, open_zip, read_members, top_levels, true_name
from graders.intake.folders import entries, open_file, read_path, walk
from graders.intake.names import ARCHIVE, CODE, ENTRIES, FOREIGN, NOTEBOOK, SCRIPT, is_junk, suffix
from graders.intake.shelf import UNREADABLE, Shelf


class Work(NamedTuple):
    """The work of one person: the name it goes by, the file or folder that it is, and the way to read it."""

    name: str
    source: str
    read: Callable[[], Shelf]


def works(path: Path, handed_in: Collection[str]) -> list[Work]:
    """Return the works at a path, one or a class of them, unread."""
    if path.is_dir():
        return [_work(path)] if is_one(path, handed_in) else _class_folder(path)
    return (suffix(path.name) == ARCHIVE and _class_zip(path, handed_in)) or [_work(path)]


# Folders --------------------------------------------------------------------------------------------------------------


def is_one(folder: Path, handed_in: Collection[str]) -> bool:
    """Whether a folder that was given is the work of one person; the rules stand in `find_submissions`."""
    found = [entry for entry in entries(folder, Shelf(), folder.name) if not entry.is_symlink()]
    files = [entry.name for entry in found if os.path.isfile(entry.path)]
    if {name.casefold() for name in files} & {name.casefold() for name in handed_in}:
        return True
    notebooks, scripts, zips = (_ending(files, end) for end in (NOTEBOOK, SCRIPT, ARCHIVE))
    inner = [entry.name for entry in found if os.path.isdir(entry.path) and _holds_code(folder / entry.name)]
    if zips:
        return len(zips) == 1 and not (notebooks or scripts or inner) and bool(_ending(files, ".pdf"))
    if len(notebooks) > 1 or not (notebooks or scripts):
        return False
    code = [*notebooks, *scripts]
    # Beside a notebook one script may stand alone, an export of it for instance; several are several people's.
    roots = [name for name in scripts if not _imported(folder, name[: -len(SCRIPT)], code)]
    return len(roots) <= 1 and all(_imported(folder, name, code) for name in inner)


def _ending(files: list[str], end: str) -> list[str]:
    return [name for name in files if suffix(name) == end]


def _holds_code(folder: Path) -> bool:
    return any(suffix(name) in ENTRIES for name, _ in walk(folder, Shelf()))


def _imported(folder: Path, module: str, files: list[str]) -> bool:
    """Whether one of the files imports a module of that name; a notebook's JSON is searched as it stands."""
    pattern = re.compile(rf"\b(?:from|import)\s+{re.escape(module)}\b".encode())
    own = f"{module}{SCRIPT}"
    return any(name != own and pattern.search(_start(folder / name)) for name in files)


def _start(path: Path, size: int = 2**22) -> bytes:
    try:
        with open_file(path) as stream:
            return stream.read(size)
    except OSError:
        return b""


def _class_folder(folder: Path) -> list[Work]:
    found = entries(folder, Shelf(), folder.name)
    return [_work(folder / entry.name) for entry in sorted(found, key=_by_name) if _is_entry(entry)]


def _is_entry(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a class folder is somebody's work; a link to a folder is: nobody must be passed over."""
    return os.path.isdir(entry.path) or suffix(entry.name) in (*ENTRIES, *FOREIGN)


def _by_name(entry: os.DirEntry[str]) -> tuple[str, str]:
    return (entry.name.casefold(), entry.name)


def _work(path: Path) -> Work:
    """A folder goes by its whole name, which may have dots in it, a file by its stem."""
    name = path.stem if suffix(path.name) in (*ENTRIES, *FOREIGN) and not os.path.isdir(path) else path.name
    return Work(name, path.name, lambda: read_path(path))


# Archives -------------------------------------------------------------------------------------------------------------


def _class_zip(path: Path, handed_in: Collection[str]) -> list[Work]:
    """Return the works in an archive of a class; none when it is the work of one person, or no archive."""
    try:
        with open_file(path) as stream, open_zip(stream) as archive:
            infos = archive.infolist()
            strip = _wrappers(infos)
            tops = top_levels(infos, strip)
            if not _is_class(archive, tops, strip, handed_in):
                return []
    except UNREADABLE:
        return []
    names = [top for top in sorted(tops) if _is_folder(tops[top], strip) or suffix(top) in (ARCHIVE, *FOREIGN)]
    return [_inner_work(path, top, strip) for top in names]


def _wrappers(infos: list[zipfile.ZipInfo]) -> int:
    """Count the folders around everything: packing a folder, rather than what is in it, makes one."""
    strip = 0
    tops = top_levels(infos, strip)
    while len(tops) == 1 and _is_folder(next(iter(tops.values())), strip):
        strip += 1
        tops = top_levels(infos, strip)
    return strip


def _is_folder(infos: list[zipfile.ZipInfo], strip: int) -> bool:
    return any("/" in "/".join(true_name(info).split("/")[strip:]) for info in infos)


def _is_class(
    archive: zipfile.ZipFile, tops: dict[str, list[zipfile.ZipInfo]], strip: int, handed_in: Collection[str]
) -> bool:
    loose = {top.casefold() for top, infos in tops.items() if not _is_folder(infos, strip)}
    if loose & {name.casefold() for name in handed_in} or any(suffix(name) in CODE for name in loose):
        return False
    with_notebooks = (top for top, infos in tops.items() if _holds_notebook(archive, infos))
    return next(with_notebooks, None) is not None and next(with_notebooks, None) is not None


def _holds_notebook(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> bool:
    """Whether there is a notebook among the entries, or in an archive among them."""
    names = [true_name(info) for info in infos]
    if any(_is_notebook(name) for name in names):
        return True
    inner = [info for info, name in zip(infos, names, strict=True) if suffix(name) == ARCHIVE]
    return any(_is_notebook(name) for info in inner for name in _inner_names(archive, info))


def _is_notebook(name: str) -> bool:
    return suffix(name) == NOTEBOOK and not any(is_junk(part) for part in name.split("/"))


def _inner_names(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[str]:
    shelf = Shelf()  # its limits hold here as well; what it says is said again when the work is read
    for member in members(shelf, [info]):
        try:
            with archive.open(member.info) as stream:
                data = shelf.take(member.name, stream)
            yield from (true_name(each) for each in open_zip(BytesIO(data or b"")).infolist())
        except UNREADABLE:
            return


def _inner_work(path: Path, top: str, strip: int) -> Work:
    packed = suffix(top) in (ARCHIVE, *FOREIGN)

    def read() -> Shelf:
        shelf = Shelf()
        with open_file(path) as stream, open_zip(stream) as archive:
            infos = top_levels(archive.infolist(), strip)[top]
            folder = _is_folder(infos, strip)
            # The archive of the class has depth 0: it is the instructor's, not the student's.
            read_members(shelf, archive, members(shelf, infos, strip=strip + folder), depth=0)
        return shelf

    return Work(top.rpartition(".")[0] if packed else top, top, read)
