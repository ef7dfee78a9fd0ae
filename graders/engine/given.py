"""The course's own images and weights, for runs in full: checked before anything runs, and read where they lie."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.errors import UsageError

_WANTED = ("train", "test")
_KINDS = ("train", "test", "validation")


@dataclass(frozen=True)
class Given:
    """Folders of images by their names, the weights, and a hash of the content of all."""

    folders: Mapping[str, Path]
    weights: bytes
    digest: str


def given(data: Path | None, weights: str, level: str) -> Given:
    """Return what is in the folder that --data names, for children of a level of isolation.

    Raises UsageError, in one line with the mend, when something is missing, or when at this level students' code could
    not read it or could write to it.
    """
    if data is None:
        raise UsageError(f"a run in full needs --data FOLDER with the course's train/, test/ and {weights} in it")
    for name in _WANTED:
        if not (data / name).is_dir():
            raise UsageError(f"{data}: no folder {name}/ in it; a run in full wants the course's train/ and test/")
    if not (data / weights).is_file():
        raise UsageError(f"{data}: no {weights} in it; put the course's there, or one that `graders weights` makes")
    folders = {path.name: path.resolve() for path in sorted(data.iterdir()) if path.is_dir() and _is_of_data(path)}
    content = (data / weights).read_bytes()
    digest = hashlib.sha256(content)
    for name, folder in folders.items():
        for path in _checked(folder, level):
            digest.update(f"\n{name}/{path.relative_to(folder)} ".encode(errors="surrogateescape"))
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return Given(folders, content, digest.hexdigest())


def _is_of_data(path: Path) -> bool:
    from graders.execute.paths import kind_of

    return kind_of(path.name) in _KINDS


def _checked(folder: Path, level: str) -> Iterator[Path]:
    """Yield the files of a folder, in order; what a child cannot use, or could change, ends it.

    Where children are users of their own, others' rights are theirs; only the level "uid" has no other wall against
    writing.
    """
    own_user = os.getuid() == 0 and level in ("full", "uid")
    for path in [folder, *sorted(folder.rglob("*"))]:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # a link that leads nowhere
        needed = 0o005 if stat.S_ISDIR(mode) else 0o004
        if own_user and mode & needed != needed:
            raise UsageError(
                f"{path}: students' code runs as another user, who may not read it: chmod -R o+rX {folder}"
            )
        if level == "uid" and mode & 0o002:
            raise UsageError(f"{path}: at isolation uid students' code could write to it: chmod -R o-w {folder}")
        if stat.S_ISREG(mode):
            yield path
