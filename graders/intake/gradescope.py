"""Gradescope's `submission_metadata.yml`: who handed in what, and when. Its keys are Ruby's symbols, `:submitters:`.

The file is read event by event. What it says is texts, whatever types it claims; aliases and merges, which make much of
little, are not followed; and nothing recurses: PyYAML's loaders in C crash on what is nested too deeply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import yaml

from graders.intake.lms import HandIn, Part, lms_id
from graders.intake.names import shown

METADATA = "submission_metadata.yml"
METADATA_LIMIT = 2**25  # bytes; it also holds every test's output
_FOLDER = re.compile(r"submission_(\d{1,20})")
_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the same in C, which not every machine has, is ten times faster
_NAMES = (":name", ":sid", ":email")  # the first that somebody has is shown
_DEPTH = 4  # submission, its fields, its submitters, one of them
_DEEPEST = 200  # the time that PyYAML takes grows with the square


class Record(NamedTuple):
    """What the export tells of a submission: its people, and the time as ISO 8601 or ""."""

    name: str
    submitted: str


def read_metadata(data: bytes) -> dict[str, Record]:
    """Return the records by the name of the folder or file; raises ValueError, with the reason, when it is broken."""
    if len(data) > METADATA_LIMIT:
        raise ValueError(f"it is larger than {METADATA_LIMIT // 2**20} MiB")
    try:
        tree = _tree(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"line {mark.line + 1} is no YAML" if mark else "it is no YAML") from None
    if not isinstance(tree, dict):
        raise ValueError("it lists no submissions")
    return {key: _record(value) for key, value in tree.items()}


def _tree(data: bytes) -> object:
    """Return what a file says as dicts, lists and texts; None for what is deeper than a submitter's name."""
    stack: list[list[Any]] = [[]]
    for event in yaml.parse(data, Loader=_LOADER):
        if len(stack) > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append([])
        elif isinstance(event, yaml.CollectionEndEvent):
            items = stack.pop()
            value = _pairs(items) if isinstance(event, yaml.MappingEndEvent) else items
            stack[-1].append(value if len(stack) <= _DEPTH else None)
        elif isinstance(event, yaml.ScalarEvent):
            empty = event.implicit[0] and event.value in ("", "~", "null")
            stack[-1].append(None if empty else event.value)
        elif isinstance(event, yaml.AliasEvent):
            stack[-1].append(None)
    return stack[0][0] if len(stack[0]) == 1 else None


def _pairs(items: list[Any]) -> dict[str, Any]:
    return {key: value for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, str)}


def gradescope(top: Mapping[str, bool], records: Mapping[str, Record]) -> list[HandIn]:
    """Return the hand-ins of an export: its folders, and the files that its metadata names."""
    return [
        _hand_in(entry, top[entry], records) for entry in sorted(top) if _FOLDER.fullmatch(entry) or entry in records
    ]


def _hand_in(entry: str, is_folder: bool, records: Mapping[str, Record]) -> HandIn:
    stem = entry if is_folder else entry.rpartition(".")[0]
    record = records.get(entry, Record("", ""))
    match = _FOLDER.fullmatch(stem)
    id_ = lms_id("submission", match[1]) if match else stem
    return HandIn(id_, record.name or stem, (Part(entry, "" if is_folder else entry),), submitted=record.submitted)


def _record(fields: object) -> Record:
    if not isinstance(fields, dict):
        return Record("", "")
    people = fields.get(":submitters")
    names = [_person(person) for person in people] if isinstance(people, list) else []
    return Record(shown(", ".join(filter(None, names))), _time(fields.get(":created_at")))


def _person(fields: object) -> str:
    texts = [fields.get(key) for key in _NAMES] if isinstance(fields, dict) else []
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _time(text: object) -> str:
    """Return a time as ISO 8601, "" when it is none.

    >>> _time("2026-04-26 17:34:00.861687000 Z")
    '2026-04-26T17:34:00.861687+00:00'
    """
    try:
        return datetime.fromisoformat(re.sub(r"\s+(?=[Z+-])", "", str(text))).isoformat()
    except ValueError:
        return ""
