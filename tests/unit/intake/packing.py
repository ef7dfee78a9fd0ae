"""What the tests of intake pack and hand in."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

from graders.intake import find_submissions
from graders.model import Submission

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'

Content = str | bytes | dict[str, "Content"]


def pack(content: dict[str, bytes]) -> bytes:
    """Return a zip with the files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def pack_tree(content: dict[str, Content], prefix: str = "") -> bytes:
    """Return a zip with the files and folders."""
    return pack(_flat(content, prefix))


def _flat(content: dict[str, Content], prefix: str) -> dict[str, bytes]:
    flat: dict[str, bytes] = {}
    for name, inner in content.items():
        if isinstance(inner, dict):
            flat |= {f"{prefix}{name}/": b"", **_flat(inner, f"{prefix}{name}/")}
        else:
            flat[prefix + name] = inner.encode() if isinstance(inner, str) else inner
    return flat


def lay(folder: Path, content: dict[str, Content]) -> Path:
    """Make a folder with the files and folders."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, inner in content.items():
        if isinstance(inner, dict):
            lay(folder / name, inner)
        else:
            (folder / name).write_bytes(inner.encode() if isinstance(inner, str) else inner)
    return folder


def one(path: Path) -> Submission:
    """Return the only submission at a path."""
    (submission,) = find_submissions([path])
    return submission


def names(submission: Submission) -> list[str]:
    return [file.name for file in submission.files]


def patched(data: bytes, field: str, value: int, *, at: int = 0) -> bytes:
    """Return a zip with a field of its central directory's entry number `at` overwritten."""
    offset, layout = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<L"),
        "packed": (20, "<L"),
        "size": (24, "<L"),
        "header": (42, "<L"),
    }[field]
    start = -1
    for _ in range(at + 1):
        start = data.index(b"PK\x01\x02", start + 1)
    out = bytearray(data)
    struct.pack_into(layout, out, start + offset, value)
    return bytes(out)
