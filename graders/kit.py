"""The self-check kit: a rubric and the reference's recorded evidence for one public seed, without the reference."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from graders.assignments import digest
from graders.errors import UsageError
from graders.model import Assignment, Evidence
from graders.rubric import parse_rubric
from graders.store import read_evidence, write_evidence

PUBLIC_SEED = 4211
_SCHEMA = 1
_EPOCH = (2023, 1, 1, 0, 0, 0)  # the same contents give the same file


@dataclass(frozen=True)
class Kit:
    """What `graders.check` needs to judge a student's code: never the reference's code."""

    assignment: Assignment
    seed: int
    evidence: Mapping[str, Evidence]


def write_kit(path: Path, rubric: bytes, seed: int, evidence: Mapping[str, Evidence]) -> None:
    """Write a kit as one zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "rubric.toml", rubric)
        _add(archive, "kit.json", json.dumps(_about(seed, sorted(evidence))).encode())
        for item, one in sorted(evidence.items()):
            document, arrays = write_evidence(one)
            _add(archive, f"{item}.json", json.dumps({**document, "seconds": 0.0, "output": ""}).encode())
            _add(archive, f"{item}.safetensors", arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def _about(seed: int, items: list[str]) -> dict[str, object]:
    return {"schema": _SCHEMA, "seed": seed, "items": items, "probes": digest()}


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)


def has_item(path: Path, item: str) -> bool:
    """Return whether a file is a kit with the evidence of an item."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{item}.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_kit(path: Path) -> Kit:
    """Return the kit of a file; raises UsageError in one line when it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("kit.json"))
            evidence = {
                item: read_evidence(json.loads(archive.read(f"{item}.json")), archive.read(f"{item}.safetensors"))
                for item in about["items"]
            }
            rubric = archive.read("rubric.toml")
    except (OSError, KeyError, TypeError, ValueError, SafetensorError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(f"{path}: no self-check kit ({error}); download it again from the course") from error
    if about.get("probes") != digest():
        raise UsageError(f"{path}: made for another version of graders; update both")
    return Kit(parse_rubric(rubric, path / "rubric.toml"), int(about["seed"]), evidence)
