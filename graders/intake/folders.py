"""Folders and loose files on disk. Links are not followed, and nothing that is no ordinary file is waited for."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from graders.intake.archives import read_archive
from graders.intake.names import ARCHIVE, is_junk, rank, suffix
from graders.intake.shelf import Shelf, size_limit, too_large

LISTING_LIMIT = 50_000  # files that are looked at, by name only, to find the code among them


def read_paths(paths: Iterable[tuple[str, Path]], keep: Collection[str] = ()) -> Shelf:
    """Return a shelf with what is in folders and files, archives in them included; of `keep` with the contents.

    Before each path stands its name in the submission; of a folder what goes before the names of its files.
    """
    shelf = Shelf(keep)
    found: list[tuple[str, Path]] = []
    for name, path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            found += [(f"{name}{inner}", file) for inner, file in walk(path, shelf)]
        else:
            found.append((name or path.name, path))
    for name, file in sorted(found, key=lambda each: rank(each[0])):
        _read_file(shelf, name, file)
    return shelf


def walk(folder: Path, shelf: Shelf) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder with their names in it, the shallow ones first."""
    waiting, seen = deque([("", folder)]), 0
    while waiting:
        prefix, here = waiting.popleft()
        for entry in entries(here, shelf, prefix or here.name):
            seen += 1
            if seen > LISTING_LIMIT:
                shelf.complain(prefix or here.name, f"more than {LISTING_LIMIT} files; the rest was left out")
                return
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{name}/", here / entry.name))
            else:
                yield name, here / entry.name


def entries(folder: Path, shelf: Shelf, name: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder, in order, without the junk; a folder that cannot be listed is a problem."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not is_junk(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        shelf.complain(name, f"cannot be listed ({error.strerror}); check its permissions")
        return []


def open_file(path: Path) -> IO[bytes]:
    """Open an ordinary file, and nothing else, without waiting; raises OSError."""
    # Where the system has no such flags it has no such files.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "no ordinary file")
    return os.fdopen(handle, "rb")


def _read_file(shelf: Shelf, name: str, path: Path) -> None:
    try:
        reason = _refused(path, name)
        if reason:
            shelf.complain(name, reason)
            return
        stream = open_file(path)
    except OSError as error:
        mend = "look for it and grade again" if isinstance(error, FileNotFoundError) else "check its permissions"
        shelf.complain(name, f"cannot be opened ({error.strerror}); {mend}")
        return
    with stream:
        archive = suffix(name) == ARCHIVE
        if shelf.take(name, stream, free=archive) is not None and archive:
            stream.seek(0)
            read_archive(shelf, name, stream)


def _refused(path: Path, name: str) -> str:
    """Return why a file is not to be opened at all, or ""; a device may do things when it is opened."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link and was not followed; hand in the file itself"
    if not stat.S_ISREG(found.st_mode):
        return "is no ordinary file; leave it out"
    return too_large(name) if found.st_size > size_limit(name) else ""
