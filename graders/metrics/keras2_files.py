"""Files of weights as code for Keras 2 names, writes and reads them, where Keras 3 refuses; and who wrote which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
from keras.src.legacy.saving import legacy_h5_format

from graders.metrics import weights_files
from graders.probes.recorder_loading import keras2_order

_NEW, _OLD = ".weights.h5", (".h5", ".hdf5")
_MOST_SAVED = 512 << 20  # bytes of a file that is read again


def save_weights(watch: Any, original: Any, model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
    """Save under any name: Keras 2 took a file's layout from its ending, and had one of its own without an ending."""
    path = str(filepath)
    if path.endswith(_OLD) and not path.endswith(_NEW):
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        returned = None
    else:
        path = path if path.endswith(_NEW) else path + _NEW
        returned = original(model, path, *args, **kwargs)
    _note(watch, model, path)
    return returned


def save(watch: Any, original: Any, model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
    """Save a whole network."""
    returned = original(model, filepath, *args, **kwargs)
    _note(watch, model, str(filepath))
    return returned


def _note(watch: Any, model: Any, name: str) -> None:
    path = Path(name)
    if path.is_file() and path.stat().st_size <= _MOST_SAVED:
        watch.saved[weights_files.digest(path.read_bytes())] = id(model)


def load_weights(watch: Any, original: Any, model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
    """Load what was saved under any name; say what to do about weights that were handed out and are not here."""
    path = str(filepath)
    if not Path(path).exists() and Path(path + _NEW).exists():
        path += _NEW
    if not Path(path).exists():
        mend = "weights that the course handed out go into the folder that --data names"
        raise FileNotFoundError(f"{path}: not there; {mend}")
    returned = original(model, path, *args, **kwargs)
    watch.loaded[id(model)] = model
    return returned


def checkpoint(watch: Any, original: Any, callback: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
    """Make a ModelCheckpoint for weights under any name."""
    path = str(filepath)
    fits = path.endswith(_NEW) or not kwargs.get("save_weights_only")
    original(callback, path if fits else path + _NEW, *args, **kwargs)
    callback.filepath = path


def ordered(watch: Any, original: Any, layer: Any, weights: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
    """Give a layer the weights of a file of Keras 2 in the order of Keras 3, or of Keras 2 where only that fits."""
    if _shapes(weights) != _shapes(values) and _shapes(other := keras2_order(layer)) == _shapes(values):
        weights = other
    return original(layer, weights, values, *args, **kwargs)


def _shapes(arrays: Any) -> list[tuple[int, ...]]:
    return [tuple(one.shape) for one in arrays]
