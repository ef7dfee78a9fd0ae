"""Fetches CIFAR-10 as it is published: downloads or takes an archive, verifies it, unpacks it. Standard library only.

Whatever stops it, what was there stays as it was, and what was downloaded is kept: the same call goes on from there.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from graders.data.cifar10 import PYTHON
from graders.errors import UsageError

Tell = Callable[[int, int], None]  # bytes that are here, bytes in all
_BLOCK = 1 << 20
_SECONDS = 60.0  # without a byte
_MOST_BYTES = 64 << 20  # of one file in the archive: twice the size of the largest


@dataclass(frozen=True)
class Archive:
    """A published archive: where it is, what it must be, and the files that are wanted of it."""

    url: str
    bytes: int
    sha256: str
    folder: str
    files: tuple[str, ...]


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
CIFAR10 = Archive(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    PYTHON,
    (*_BATCHES, "test_batch", "batches.meta"),
)


def fetch(folder: Path, archive: Archive, taken: Path | None, tell: Tell) -> bool:
    """Put the files of an archive into folder/<archive.folder>; return whether there was anything to do.

    `taken` is an archive that was downloaded before, else it is downloaded. Raises UsageError in one line for an
    address that does not answer, an archive that is not the published one, and a disk that takes no more.
    """
    place = folder / archive.folder
    if all((place / name).is_file() for name in archive.files):
        return False
    if place.exists():
        raise UsageError(f"{place}: there is something else already; remove it or give another folder")
    with _one_line(folder):
        folder.mkdir(parents=True, exist_ok=True)
        packed = taken or _download(folder, archive, tell)
        _verify(packed, archive, remove=taken is None)
        _unpack(packed, archive, folder)
        if taken is None:
            packed.unlink()
    return True


@contextlib.contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    """Say in one line which file the system refused, and that the same call goes on."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise UsageError(f"{where}: {error.strerror or error}; mend it and run the same command again") from None


# Downloading ----------------------------------------------------------------------------------------------------------


def _download(folder: Path, archive: Archive, tell: Tell) -> Path:
    """Return the downloaded archive; a part of it that is there already is gone on with."""
    part = folder / (archive.url.rpartition("/")[2] + ".part")
    have = part.stat().st_size if part.exists() else 0
    if have < archive.bytes:
        with _answer(archive.url, have) as answer, part.open("ab" if answer.status == 206 else "wb") as file:
            _copy(answer, file, archive.bytes, tell)
    have = part.stat().st_size
    if have < archive.bytes:
        raise UsageError(
            f"{archive.url}: ended after {have:,} of {archive.bytes:,} bytes; run the same command again to go on"
        )
    return part


def _answer(url: str, have: int) -> http.client.HTTPResponse:
    """Ask for what is missing after the first `have` bytes; an answer of status 200 begins at the first."""
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_SECONDS)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", "") or error
        mend = "download it elsewhere and give it as --from ARCHIVE, or give another address of it as --url"
        raise UsageError(f"{url}: cannot be fetched ({reason}); {mend}") from None
    if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        answer.close()
        raise UsageError(f"{url}: sends another part than it was asked for; give another address of it as --url")
    return answer


def _copy(answer: http.client.HTTPResponse, file: IO[bytes], size: int, tell: Tell) -> None:
    """Write what comes, no more than the size that is known; a connection that breaks ends it like the last byte."""
    with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException):
        while file.tell() < size and (block := answer.read(min(_BLOCK, size - file.tell()))):
            file.write(block)
            tell(file.tell(), size)


# Verifying and unpacking ----------------------------------------------------------------------------------------------


def _verify(packed: Path, archive: Archive, remove: bool) -> None:
    """Raise UsageError unless a file is the published archive; `remove` one that is of no use."""
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == archive.sha256:
        return
    size = packed.stat().st_size
    if remove:
        packed.unlink()
    mend = "it is removed: run the same command again, or give another --url" if remove else "download it again"
    raise UsageError(
        f"{packed}: not the published archive: {size:,} of {archive.bytes:,} bytes, sha256 {found[:12]}... where "
        f"{archive.sha256[:12]}... is published; {mend}"
    )


def _unpack(packed: Path, archive: Archive, folder: Path) -> None:
    """Write the wanted files into a folder beside the place, which is put there when it is whole.

    No name in the archive is used as a path: a member is known by its whole name, and only a plain file is read.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacked-") as scratch:
        whole = Path(scratch) / archive.folder
        whole.mkdir()
        with _opened(packed) as tar:
            for name in archive.files:
                (whole / name).write_bytes(_member(tar, f"{archive.folder}/{name}", packed))
        whole.rename(folder / archive.folder)


@contextlib.contextmanager
def _opened(packed: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(packed, "r:gz") as tar:
            yield tar
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{packed}: no archive that can be read ({error}); download it again") from None


def _member(tar: tarfile.TarFile, name: str, packed: Path) -> bytes:
    found = next((one for one in tar.getmembers() if one.name == name), None)
    if found is None or not found.isreg():
        raise UsageError(f"{packed}: no file {name} in it; download the Python version of CIFAR-10")
    if found.size > _MOST_BYTES:
        raise UsageError(f"{packed}: {name} is larger than any file of CIFAR-10; download it again")
    file = tar.extractfile(found)
    assert file is not None  # it is a plain file
    return file.read()
