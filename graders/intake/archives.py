"""Zip archives, read in memory: nothing is ever unpacked to a disk, and no name in them is ever used as a path."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from graders.intake.names import ARCHIVE, NOTEBOOK, is_junk, rank, suffix
from graders.intake.shelf import MIB, UNREADABLE, Shelf, size_limit, too_large

DEPTH_LIMIT = 2  # code.zip in a folder has depth 1, code.zip in another zip has depth 2
RATIO_LIMIT = 200  # of the size unpacked to the size packed
RATIO_FROM = MIB  # small files pack as well as they like
NAME_LIMIT = 1_000
DIRECTORY_LIMIT = 8 * MIB  # of the table of contents; 5,000 entries with long names need less than 1 MiB


class Member(NamedTuple):
    """An entry of an archive: its name with plain slashes, and what zipfile knows of it."""

    name: str
    info: zipfile.ZipInfo


class _Guarded:
    """A file that refuses the one big read that zipfile does on an archive's word: that of the table of contents."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1, /) -> bytes:
        if size > DIRECTORY_LIMIT:
            raise zipfile.BadZipFile("the table of contents is too large")
        return self._stream.read(size)


def open_zip(stream: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive; raises one of `UNREADABLE` when it is none."""
    return zipfile.ZipFile(_Guarded(stream))


def read_archive(shelf: Shelf, name: str, stream: IO[bytes], depth: int = 1) -> None:
    """Put the files of an archive on the shelf, as "code.zip/notebook.ipynb", archives in it included."""
    try:
        archive = open_zip(stream)
    except UnicodeDecodeError:
        shelf.complain(name, "holds names that are not UTF-8; name the files in plain letters and pack it again")
        return
    except UNREADABLE:
        shelf.complain(name, "is not a zip archive or is cut short; hand it in again")
        return
    with archive:
        read_members(shelf, archive, members(shelf, archive.infolist(), f"{name}/"), depth)


def members(shelf: Shelf, infos: Iterable[zipfile.ZipInfo], prefix: str = "", strip: int = 0) -> list[Member]:
    """Return the entries that may be read, in the order of `rank`, with `strip` leading folders taken off their names.

    Of a name that is taken off as a whole `prefix` remains. A name that stands twice is read where it stands last: that
    is where archivers put a newer version.
    """
    found: dict[str, Member] = {}
    for info in infos:
        name = true_name(info)
        inner = name.split("/")[strip:]
        if name.endswith("/") or any(is_junk(part) for part in inner if part not in ("", ".", "..")):
            continue
        reason = _refused(info, name)
        whole = prefix + "/".join(part for part in inner if part not in ("", ".")) or name.rpartition("/")[2]
        if reason:
            shelf.complain(whole if strip else prefix + name, reason)
            continue
        if whole in found:
            shelf.complain(whole, "stands more than once in the archive; the last one was read")
        if not _is_plain(info):
            shelf.complain(whole, "has a name that is not UTF-8; name it in plain letters")
        found[whole] = Member(whole, info)
    return sorted(found.values(), key=lambda member: rank(member.name))


def read_members(shelf: Shelf, archive: zipfile.ZipFile, found: Iterable[Member], depth: int) -> None:
    """Put entries of an open archive on the shelf; `depth` is that of the archive."""
    for name, info in found:
        data = _read(shelf, archive, name, info)
        if data is None or suffix(name) != ARCHIVE:
            continue
        if depth < DEPTH_LIMIT:
            read_archive(shelf, name, io.BytesIO(data), depth + 1)
        else:
            shelf.complain(name, "is an archive too deep in other archives; pack the files once")


def true_name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry as its author saw it: with slashes, and in UTF-8 if the archive does not say so."""
    name = info.filename
    if not info.flag_bits & 0x800:  # then zipfile took the bytes for the letters of a PC of 1981
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return re.sub(r"^(\./+)+", "", name.replace("\\", "/"))


def top_levels(infos: Iterable[zipfile.ZipInfo], strip: int) -> dict[str, list[zipfile.ZipInfo]]:
    """Return the entries by the name that they have at the top, or below `strip` folders; junk left out."""
    tops: dict[str, list[zipfile.ZipInfo]] = {}
    for info in infos:
        parts = true_name(info).split("/")
        if len(parts) > strip and parts[strip] not in ("", ".", "..") and not any(map(is_junk, parts[: strip + 1])):
            tops.setdefault(parts[strip], []).append(info)
    return tops


def _read(shelf: Shelf, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> bytes | None:
    try:
        stream = archive.open(info)
    except UNREADABLE:
        shelf.complain(name, "is damaged in the archive; pack it and hand it in again")
        return None
    with stream:
        return shelf.take(name, stream)


def _refused(info: zipfile.ZipInfo, name: str) -> str:
    """Return why an entry is not to be opened at all, or ""."""
    return next(_reasons(info, name), "")


def _reasons(info: zipfile.ZipInfo, name: str) -> Iterator[str]:
    mode = info.external_attr >> 16
    if name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
        yield "has a name that leads out of the archive; pack it with plain names"
    if not name.strip("/.") or len(name) > NAME_LIMIT:
        yield "has a name that no file can have; give it a short one"
    if stat.S_ISLNK(mode):
        yield "is a symbolic link; hand in the file itself"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFLNK):
        yield "is no ordinary file; leave it out"
    if info.flag_bits & 0x1:
        yield "is encrypted; hand it in without a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield "is packed in a way that is not read here; hand in an ordinary .zip"
    if info.file_size > size_limit(name):
        yield too_large(name)
    # A notebook may print the same line a million times; its size alone is limited.
    packed = max(info.compress_size, 1)
    if info.file_size > max(RATIO_FROM, RATIO_LIMIT * packed) and suffix(name) != NOTEBOOK:
        yield f"unpacks to more than {RATIO_LIMIT} times its size and was left out; hand in no such file"


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Whether it is certain what the name is: ASCII, or said to be UTF-8, or so in fact."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return True
    try:
        return bool(info.filename.encode("cp437").decode("utf-8"))
    except UnicodeError:
        return False
