"""Lays the data of a run around a script, in the child, and answers whoever asks for CIFAR-10 with it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.data.cifar10 import CLASSES
from graders.execute.layout import link
from graders.metrics.held import AROUND, SHOWN
from graders.metrics.sources import PACKED

_MANY = 100_000  # files of a folder: scratch space has room for so many names


class Data:
    """What the script has: of CIFAR-10 x_train, y_train, x_test, y_test; and what it does to those that it tests on.

    `transform` is that of the last test set that was opened, None before; `sample` are inputs and hints for a curve.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], sample: dict[str, NDArray[Any]]) -> None:
        self.arrays = arrays
        self.transform: Any = None
        self.sample = sample


def install(folder: str, work: str, links: Mapping[str, str]) -> Data:
    """Lay the data around a script, and where it looks for it (`links`: path -> what is laid); answer torchvision."""
    around = Path(folder, AROUND)
    _mirror(around, Path(work))
    for path, target in links.items():
        if note := link(path, work, target, os.listdir(around)):
            print(note)
    packed = around / PACKED
    data = Data(_arrays(packed) if packed.exists() else {}, _arrays(Path(folder, SHOWN)))
    if data.arrays and "keras" in sys.modules:
        _answer_keras(data)
    elif data.arrays:
        _answer_torchvision(data)
    return data


def _mirror(folder: Path, place: Path) -> None:
    """Link all files of a folder, in folders that the script may write to, and has perhaps handed in.

    Who walks through folders passes by those that are links: only one with very many files is linked whole.
    """
    place.mkdir(exist_ok=True)
    for path in folder.iterdir():
        there = place / path.name
        if path.is_dir() and (there.is_dir() or len(os.listdir(path)) <= _MANY):
            _mirror(path, there)
        elif not there.exists():
            there.symlink_to(path)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as archive:
        return {one: archive[one] for one in archive.files}


def _answer_keras(data: Data) -> None:
    modules = [importlib.import_module("keras").datasets.cifar10]
    if "tensorflow" in sys.modules:
        modules.append(sys.modules["tensorflow"].keras.datasets.cifar10)

    def load_data() -> Any:
        """Return the images (N, 32, 32, 3) of 0 to 255 and their labels (N, 1), for training and for the test."""
        arrays = {name: array.copy() for name, array in data.arrays.items()}
        return tuple((arrays[f"x_{part}"], arrays[f"y_{part}"][:, None]) for part in ("train", "test"))

    for module in modules:
        module.load_data = load_data


def _answer_torchvision(data: Data) -> None:
    if importlib.util.find_spec("torchvision") is None:
        if importlib.util.find_spec("torch") is None:
            return
        from graders.metrics import vision

        sys.modules |= vision.modules()
    datasets = sys.modules.get("torchvision.datasets") or importlib.import_module("torchvision.datasets")
    datasets.CIFAR10 = _dataset(data)  # type: ignore[attr-defined] # what the script imports


def _dataset(data: Data) -> type:
    from PIL import Image

    class CIFAR10:
        """As torchvision's, of the images that are here; nothing is downloaded."""

        def __init__(
            self,
            root: Any = "",
            train: bool = True,
            transform: Any = None,
            target_transform: Any = None,
            download: bool = False,
        ) -> None:
            part = "train" if train else "test"
            self.data, self.targets = data.arrays[f"x_{part}"], data.arrays[f"y_{part}"].astype(int).tolist()
            self.root, self.train, self.transform, self.target_transform = root, train, transform, target_transform
            self.classes = list(CLASSES)
            self.class_to_idx = {name: at for at, name in enumerate(self.classes)}
            if not train:
                data.transform = transform

        def __len__(self) -> int:
            return len(self.data)

        def __getitem__(self, at: int) -> tuple[Any, Any]:
            image: Any = Image.fromarray(self.data[at])
            image = self.transform(image) if self.transform else image
            label = self.targets[at]
            return image, self.target_transform(label) if self.target_transform else label

    return CIFAR10
