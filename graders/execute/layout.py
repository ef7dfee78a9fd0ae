"""Lays out what a notebook expects around it: files, links to them from wherever it looks, archives. In the child."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

WORK = "/content"  # where Colab runs a notebook
_ARCHIVES = (".zip",)


def lay_out(order: Mapping[str, Any], blob: bytes) -> list[str]:
    """Go to the working folder and put an order's files and links there; return a note on each link that cannot be."""
    work = WORK if os.access(WORK, os.W_OK) and WORK in order["folders"] else os.path.join(os.getcwd(), "content")
    os.makedirs(work, exist_ok=True)
    os.chdir(work)
    for name, content in unpacked(order["files"], blob):
        target = Path(work, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for name, folder in order["given"].items():
        _give(Path(work, name), folder)
    links = sorted(order["links"].items(), key=lambda link: (link[0].count("/"), link[0]))
    own = sorted({name.partition("/")[0] for name in (*order["files"], *order["given"])})
    return [note for path, target in links if (note := link(path, work, target, own))]


def unpacked(sizes: Mapping[str, int], blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a blob that holds them one after the other."""
    start = 0
    for name, size in sizes.items():
        yield name, blob[start : start + size]
        start += size


def _give(place: Path, folder: str) -> None:
    """Link a folder that the child was given; one that it cannot read is an error of ours."""
    os.listdir(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(folder)


def link(path: str, work: str, target: str, own: Sequence[str]) -> str:
    """Make a path lead to what the stage has at a target, "." being all its `own`; return "" or why it cannot be."""
    place, meant = os.path.abspath(os.path.expanduser(path)), os.path.join(work, target)
    try:
        if target == ".":
            os.makedirs(place, exist_ok=True)
            for name in own:
                _join(f"{place}/{name}", f"{work}/{name}")
        elif place.lower().endswith(_ARCHIVES):
            _archive(place, meant)
        else:
            _join(place, meant)
    except OSError as error:
        return f"{path}: cannot be laid out here ({error.strerror or error}); the data are at {os.path.relpath(meant)}"
    return ""


def _join(place: str, target: str) -> None:
    """Copy a file, which the notebook may write, or link a folder; a folder that is there gets what it lacks."""
    if os.path.realpath(place) == os.path.realpath(target):
        return
    if os.path.isdir(place) and os.path.isdir(target):
        for name in os.listdir(target):
            if not os.path.lexists(f"{place}/{name}"):
                os.symlink(f"{target}/{name}", f"{place}/{name}")
    elif not os.path.lexists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.isdir(target):
            os.symlink(target, place)
        else:
            shutil.copyfile(target, place)


def _archive(place: str, folder: str) -> None:
    """Pack a folder, under its own name, into an archive where the notebook expects one."""
    if os.path.lexists(place):
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with zipfile.ZipFile(place, "w") as archive:
        for above, _, names in os.walk(folder, followlinks=True):
            for name in sorted(names):
                path = os.path.join(above, name)
                archive.write(path, os.path.relpath(path, os.path.dirname(folder)))
