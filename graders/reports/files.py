"""Which folder a student's results get, and files that are either whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from graders.errors import Fault

_LONGEST = 100  # characters; file systems allow 255 bytes and a character may take four


def folder_name(submission_id: str) -> str:
    """Return the submission's id as the name of one folder: never a path, never hidden; ordinary ids stay as they are.

    >>> folder_name("smith_jane"), folder_name("../../etc"), folder_name("")
    ('smith_jane', '%2E.%2F..%2Fetc', '%')
    """
    name = "".join(char if char.isalnum() or char in "._-@+" else _percent(char) for char in submission_id) or "%"
    name = "%2E" + name[1:] if name.startswith(".") else name
    if len(name) <= _LONGEST:
        return name
    return name[:_LONGEST] + "-" + hashlib.sha256(submission_id.encode(errors="surrogatepass")).hexdigest()[:12]


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode(errors="surrogatepass"))


def folder_names(ids: Iterable[str]) -> tuple[str, ...]:
    """Return a folder name for every id; two that a file system might take for the same one are kept apart."""
    names: list[str] = []
    taken: set[str] = set()
    for id_ in ids:
        name, number = folder_name(id_), 1
        while (unique := name if number == 1 else f"{name}-{number}").casefold() in taken:
            number += 1
        taken.add(unique.casefold())
        names.append(unique)
    return tuple(names)


def replace_file(path: Path, data: bytes) -> None:
    """Write the file in one step, so that whoever reads it sees the old one or the new one, never half of either.

    Raises Fault when it cannot be written; the old one is still there then.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def settle(paths: Iterable[Path]) -> None:
    """Wait until files are on the disk: after a power cut a new name may else stand on an empty file. Raises Fault."""
    for path in paths:
        try:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        except OSError as error:
            raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> Fault:
    return Fault(f"{path}: {error.strerror}; make room or mend it, then run the same command again")
