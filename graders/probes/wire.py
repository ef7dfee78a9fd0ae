"""Orders and experiments as frames: JSON for what is small, safetensors for arrays. Used on both ends of a socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from graders.model import Experiment, Failure, Slice, Statement

_MESSAGE_CHARACTERS = 600
_SLICES = ("slice", "given", "provided_slice")  # of an order
_NAME_CHARACTERS = 100


@dataclass(frozen=True)
class Order:
    """What a child is asked to do: run this slice, then the probe of this item, with inputs drawn from this seed.

    `given` are the skeleton's functions that the student's code lacks; `provided` are the reference's versions of items
    that replace the student's own (follow-through): item id -> name in the reference. `pictures` are real images.
    """

    assignment: str
    item: str
    seed: int
    slice: Slice
    given: Slice | None = None
    provided_slice: Slice | None = None
    provided: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[bytes, ...] = ()


def pack_order(order: Order) -> tuple[dict[str, Any], bytes]:
    """Return the frame of an order."""
    document = {name: value for name, value in vars(order).items() if name != "pictures"}
    for name in _SLICES:
        document[name] = _plain(document[name]) if document[name] else None
    pictures = {f"{index:04}": np.frombuffer(data, np.uint8) for index, data in enumerate(order.pictures)}
    return document, save(pictures) if pictures else b""


def order(document: Mapping[str, Any], blob: bytes) -> Order:
    """Return the order of a frame."""
    fields = dict(document)
    for name in _SLICES:
        fields[name] = _slice(fields[name]) if fields[name] else None
    pictures = load(blob) if blob else {}
    fields["pictures"] = tuple(pictures[name].tobytes() for name in sorted(pictures))
    return Order(**fields)


def _plain(piece: Slice) -> dict[str, Any]:
    """Return a slice as JSON values; `asdict` would take ten times as long, and every order is packed three times."""
    modules = {name: [dict(vars(entry)) for entry in entries] for name, entries in piece.modules.items()}
    return {**vars(piece), "statements": [dict(vars(entry)) for entry in piece.statements], "modules": modules}


def _slice(document: Mapping[str, Any]) -> Slice:
    fields = dict(document)
    fields["statements"] = tuple(Statement(**entry) for entry in fields["statements"])
    fields["modules"] = {
        name: tuple(Statement(**entry) for entry in entries) for name, entries in fields["modules"].items()
    }
    fields["notes"], fields["undefined"] = tuple(fields["notes"]), tuple(fields["undefined"])
    fields["parameters"] = {name: tuple(words) for name, words in fields["parameters"].items()}
    return Slice(**fields)


def pack(name: str, experiment: Experiment) -> tuple[dict[str, Any], bytes]:
    """Return the frame of an experiment; values that JSON cannot carry are refused by the standard library."""
    failure = asdict(experiment.failure) if experiment.failure else None
    arrays = {key: np.asarray(value, order="C") for key, value in experiment.arrays.items()}
    return {"experiment": name, "values": dict(experiment.values), "failure": failure}, save(arrays) if arrays else b""


def unpack(header: Mapping[str, Any], blob: bytes) -> tuple[str, Experiment]:
    """Return the experiment of a frame; one that is not well-formed becomes a failed experiment, never an exception."""
    name, values, failure = header.get("experiment"), header.get("values"), header.get("failure")
    if not _is_name(name) or not isinstance(values, dict):
        return "", Experiment(failure=Failure("evidence", "a frame without a name or values"))
    try:
        arrays: dict[str, NDArray[Any]] = load(blob) if blob else {}
    except (SafetensorError, ValueError, TypeError, KeyError, MemoryError) as error:
        return name, Experiment(failure=Failure("evidence", f"arrays that cannot be read: {clip(str(error))}"))
    if not all(_is_name(key) and array.dtype.kind in "fiub" for key, array in arrays.items()):
        return name, Experiment(failure=Failure("evidence", "arrays that are not of numbers, or without a name"))
    return name, Experiment(values, arrays, _failure(failure))


def _is_name(name: object) -> TypeGuard[str]:
    """Return whether a thing may name an experiment or an array: a few characters that can be printed."""
    return isinstance(name, str) and name.isascii() and name.isprintable() and 0 < len(name) <= _NAME_CHARACTERS


def _failure(document: Any) -> Failure | None:
    if document is None:
        return None
    if not isinstance(document, dict):
        return Failure("evidence", "a failure that cannot be read")
    return Failure(*(clip(str(document.get(key, ""))) for key in ("kind", "message", "where")))


def clip(text: str) -> str:
    """Return the text, cut to a length that fits a report."""
    return text if len(text) <= _MESSAGE_CHARACTERS else text[: _MESSAGE_CHARACTERS - 3] + "..."
