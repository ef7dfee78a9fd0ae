"""Files of weights of Keras, in any of its formats, as far as they tell whose they are. No framework, no pickle."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import h5py

_HDF = b"\x89HDF\r\n\x1a\n"
_INNER = "model.weights.h5"  # in a .keras file, beside the configuration: code that nobody runs here
_MOST_BYTES = 512 << 20


def digest(content: bytes) -> str:
    """Return a hash of a file."""
    return hashlib.sha256(content).hexdigest()


def kind(content: bytes) -> tuple[str, bytes]:
    """Return the ending by which Keras tells a file's format, and its weights: those within, of a whole network.

    Raises TypeError for what is no such file.
    """
    if content.startswith(b"PK"):
        content = _unpacked(content)
    if not content.startswith(_HDF):
        raise TypeError("it holds no weights of Keras (.weights.h5, .h5 or .keras)")
    with h5py.File(io.BytesIO(content), "r") as file:
        old = "layer_names" in file.attrs or "model_weights" in file
    return (".h5" if old else ".weights.h5"), content


def _unpacked(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(_INNER).file_size > _MOST_BYTES:
                raise TypeError(f"{_INNER} in it is larger than {_MOST_BYTES >> 20} MiB")
            return archive.read(_INNER)
    except (KeyError, zipfile.BadZipFile):
        raise TypeError(f"an archive without {_INNER}, so no file of Keras") from None


def check(content: bytes, shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise TypeError where a file holds other weights than a network: Keras passes over what it has no use for."""
    found: list[tuple[int, ...]] = []

    def visit(name: str, thing: Any) -> None:
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind == "f" and not name.startswith("optimizer"):
            found.append(tuple(thing.shape))

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(visit)
    theirs, own = (sorted(shape for shape in some if shape) for some in (found, shapes))
    if theirs != own:
        raise TypeError(f"it holds {len(theirs)} weights of a network, this one has {len(own)} of other shapes")
