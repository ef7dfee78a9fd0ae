from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import h5py
import numpy as np
import pytest

from graders.metrics.weights_files import check, kind


def file_of(arrays: Mapping[str, tuple[int, ...]], **attributes: str) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, shape in arrays.items():
            file.create_dataset(name, data=np.zeros(shape, np.float32))
        file.attrs.update(attributes)
    return buffer.getvalue()


def keras(content: bytes, name: str = "model.weights.h5") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
        archive.writestr("config.json", "{}")
    return buffer.getvalue()


NEW, OLD = file_of({"layers/dense/vars/0": (3, 2)}), file_of({"dense/kernel": (3, 2)}, layer_names="dense")


def test_the_format_is_told_by_the_content() -> None:
    assert kind(NEW) == (".weights.h5", NEW)
    assert kind(OLD) == (".h5", OLD)
    whole = file_of({"model_weights/dense/kernel": (3, 2)})
    assert kind(whole) == (".h5", whole)
    assert kind(keras(NEW)) == (".weights.h5", NEW)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no weights of Keras"),
        (b"\x80\x04 a pickle", "no weights of Keras"),
        (b"PK\3\4 no archive", "no file of Keras"),
        (keras(NEW, "other.h5"), "no file of Keras"),
        (keras(b"a pickle"), "no weights of Keras"),
    ],
)
def test_what_is_no_file_of_weights_is_said(content: bytes, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        kind(content)


def test_all_weights_and_no_others_must_be_there_whatever_the_optimizer_kept() -> None:
    content = file_of({"layers/a/vars/0": (3, 2), "layers/b/vars/0": (2,), "optimizer/vars/1": (3, 2), "c": ()})
    check(content, [(2,), (3, 2)])
    for others in ([(3, 2)], [(3, 2), (2,), (2,)], [(2, 3), (2,)], []):
        with pytest.raises(TypeError, match="it holds 2 weights of a network"):
            check(content, others)
