"""Where the files of one submission gather, within limits, with a line for each that could not be taken."""

from __future__ import annotations

import base64
import codecs
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from typing import IO

from graders.intake.names import ARCHIVE, CODE, FOREIGN, NOTEBOOK, clean, is_log, is_picture, shown, suffix
from graders.model import SourceFile, Submission

MIB = 2**20
FILE_LIMIT = 50 * MIB
NOTEBOOK_LIMIT = 95 * MIB  # its pictures and logs; graders.notebook reads 100 million characters
RESULT_LIMIT = 4 * MIB  # of a log or a picture whose contents are kept; a larger one is hashed
RESULTS_LIMIT = 48 * MIB  # of all of these
TOTAL_LIMIT = 300 * MIB  # of all that is read of one submission, unpacked
ENTRY_LIMIT = 5_000
PROBLEM_LIMIT = 40  # lines; nobody reads on, and a hostile archive could make thousands
CHUNK = 2**16

# What the standard library raises on bytes that are not what they claim to be. RuntimeError: passwords, odd methods.
UNREADABLE = (
    OSError, ValueError, EOFError, RuntimeError, ArithmeticError, LookupError, AttributeError,
    MemoryError, struct.error, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile,
)  # fmt: skip


def size_limit(name: str) -> int:
    """Return how large a file may be; an archive as large as all that is in it."""
    return {ARCHIVE: TOTAL_LIMIT, NOTEBOOK: NOTEBOOK_LIMIT}.get(suffix(name), FILE_LIMIT)


def too_large(name: str) -> str:
    """Return what is said of a file above its limit."""
    mend = "clear its longest outputs" if suffix(name) == NOTEBOOK else "hand in no data sets or weights"
    return f"is larger than {size_limit(name) // MIB} MiB and was left out; {mend}"


class Shelf:
    """Collects the files and the problems of one submission. Nothing that a student handed in makes it raise.

    `kept` are the contents of the files whose names are in `keep`.
    """

    def __init__(self, keep: Collection[str] = ()) -> None:
        self.files: dict[str, SourceFile] = {}
        self.kept: dict[str, bytes] = {}
        self._keep = keep
        self.problems: list[str] = []
        self._unsaid = 0
        self._seen = 0
        self._read = 0
        self._results = 0
        self._full = False

    def complain(self, name: str, what: str) -> None:
        """Note a problem: the file, what is wrong with it and the mend."""
        if len(self.problems) < PROBLEM_LIMIT:
            self.problems.append(f"{shown(name)}: {what}")
        else:
            self._unsaid += 1

    def take(self, name: str, stream: IO[bytes], *, free: bool = False) -> bytes | None:
        """Read a file, hash it and put it on the shelf; return its bytes if it is code or an archive, else b"".

        None says that it could not be taken; a problem line tells why. `free` is for an archive on disk, whose
        contents count against the limit, not its own bytes.
        """
        if not self._has_room(name):
            return None
        digest, kept, size = hashlib.sha256(), bytearray(), 0
        result = is_log(name) or is_picture(name)
        wanted = clean(name) in self._keep
        keep = wanted or (not free and (result or suffix(name) in (ARCHIVE, *CODE)))
        try:
            for chunk in self._chunks(name, stream, free):
                digest.update(chunk)
                size += len(chunk)
                kept += chunk if keep and not (result and size > RESULT_LIMIT) else b""
        except _TooMuchError as reason:
            self.complain(name, str(reason))
            return None
        except UNREADABLE as error:
            self._read += CHUNK  # what broke was unpacked up to there: damage is not free, or it could go on for hours
            self.complain(name, _mend(error))
            return None
        if wanted:
            self.kept[clean(name)] = bytes(kept)
        text = self._text(name, bytes(kept)) if suffix(name) in CODE else self._result(name, bytes(kept), size)
        if clean(name) in self.files:
            self.complain(name, "stands more than once; the last one was read")
        self.files[clean(name)] = SourceFile(clean(name), digest.hexdigest(), size, text)
        if suffix(name) in FOREIGN:
            self.complain(name, "is an archive of a kind that is not read here; hand in a .zip")
        return b"" if result else bytes(kept)

    def submission(self, id_: str, name: str, source: str) -> Submission:
        """Return what has gathered; `source` is the file or folder that it came from."""
        files = tuple(sorted(self.files.values(), key=lambda file: file.name))
        problems = list(self.problems)
        if self._unsaid:
            problems.append(f"{shown(source)}: {self._unsaid} more files could not be read")
        if not any(file.text is not None and suffix(file.name) in CODE for file in files):
            problems.append(f"no notebook and no script found in {shown(source)}")
        return Submission(id_, shown(name), files, tuple(problems))

    def _has_room(self, name: str) -> bool:
        self._seen += 1
        if self._seen > ENTRY_LIMIT and not self._full:
            self._full = True
            self.complain(name, f"more than {ENTRY_LIMIT} files; this one and the rest was left out")
        return not self._full

    def _chunks(self, name: str, stream: IO[bytes], free: bool) -> Iterator[bytes]:
        limit = size_limit(name)
        size = 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            self._read += 0 if free else len(chunk)
            if size > limit:
                raise _TooMuchError(too_large(name))
            if self._read > TOTAL_LIMIT:
                self._full = True
                raise _TooMuchError(f"more than {TOTAL_LIMIT // MIB} MiB in all; this file and the rest was left out")
            yield chunk

    def _result(self, name: str, data: bytes, size: int) -> str | None:
        """Return a log as text and a picture in base64; None for what is neither, or too large."""
        if not (is_log(name) or is_picture(name)) or len(data) < size or self._results + size > RESULTS_LIMIT:
            return None
        self._results += size
        return base64.b64encode(data).decode() if is_picture(name) else data.decode(_encoding(data), "replace")

    def _text(self, name: str, data: bytes) -> str:
        try:
            return data.decode(_encoding(data))
        except UnicodeDecodeError:
            if b"\0" not in data:  # else it is no text at all, and whoever reads it says so
                self.complain(name, "is not UTF-8 and was read as Latin-1; save it as UTF-8")
            return data.decode("latin-1")


def _encoding(data: bytes) -> str:
    """Return the encoding that the first bytes of a text tell; what a PowerShell redirects is UTF-16."""
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


class _TooMuchError(Exception):
    """A limit is reached; the message is the problem line."""


def _mend(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror}); hand it in again"
    return "is damaged in the archive; pack it and hand it in again"
