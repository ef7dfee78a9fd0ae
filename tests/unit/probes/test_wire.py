from __future__ import annotations

import json
import struct
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.model import Experiment, Failure, Slice, Statement
from graders.probes import wire
from tests.unit.evidence import any_arrays, equal_arrays, experiments, piece

json_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_words = st.text(st.characters(codec="utf-8"), max_size=6)
_statements = st.lists(st.builds(Statement, _words, st.integers(1, 99), _words), max_size=3).map(tuple)
_tuples = st.lists(_words, max_size=2).map(tuple)
slices = st.builds(
    Slice,
    _statements,
    st.dictionaries(_words, _statements, max_size=2),
    st.dictionaries(_words, _words, max_size=2),
    st.dictionaries(_words, _tuples, max_size=2),
    _tuples,
    _tuples,
)
orders = st.builds(
    wire.Order,
    assignment=_words,
    item=_words,
    seed=st.integers(0, 2**31),
    slice=slices,
    given=st.none() | slices,
    provided_slice=st.none() | slices,
    provided=st.dictionaries(_words, _words, max_size=2),
    pictures=st.lists(st.binary(max_size=9), max_size=3).map(tuple),
)


_printable = st.text(st.characters(min_codepoint=ord(" "), max_codepoint=ord("~")), min_size=1, max_size=8)
_named = st.builds(replace, experiments, arrays=st.dictionaries(_printable, any_arrays, max_size=3))


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document))


@settings(deadline=None)
@given(orders)
def test_an_order_comes_out_as_it_went_in(order: wire.Order) -> None:
    document, blob = wire.pack_order(order)
    returned = wire.order(through_json(document), blob)
    assert through_json(wire.pack_order(returned)[0]) == through_json(document)
    assert (returned.pictures, returned.slice.statements) == (order.pictures, order.slice.statements)
    assert returned.slice.modules == order.slice.modules
    assert returned.slice.parameters == order.slice.parameters


def test_pictures_keep_their_order() -> None:
    pictures = tuple(bytes([number]) for number in range(30))
    document, blob = wire.pack_order(wire.Order("pixelcnn", "C2", 1, piece("x = 1"), pictures=pictures))
    assert wire.order(through_json(document), blob).pictures == pictures
    assert "pictures" not in document


@settings(deadline=None)
@given(_printable, _named)
def test_an_experiment_comes_out_as_it_went_in(name: str, experiment: Experiment) -> None:
    header, blob = wire.pack(name, experiment)
    found, returned = wire.unpack(through_json(header), blob)
    assert (found, returned.values, returned.failure) == (name, experiment.values, experiment.failure)
    assert equal_arrays(returned, experiment)


def test_an_array_that_is_not_contiguous_comes_out_with_its_values() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    header, blob = wire.pack("main", Experiment(arrays={"outputs": array}))
    assert np.array_equal(wire.unpack(header, blob)[1].arrays["outputs"], array)


def test_a_single_number_comes_out_as_a_single_number() -> None:
    header, blob = wire.pack("main", Experiment(arrays={"gradient of bias 1": np.array(0.5, np.float32)}))
    assert wire.unpack(header, blob)[1].arrays["gradient of bias 1"].shape == ()


def test_a_value_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(TypeError):
        json.dumps(wire.pack("main", Experiment({"count": np.int64(3)}))[0])


# Hostile frames ------------------------------------------------------------------------------------------------------


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"outputs": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


BLOBS = {
    "no safetensors": b"\x80\x04\x95pickle",
    "too short": b"\x08",
    "a header longer than all": struct.pack("<Q", 2**62) + b"{}",
    "a header of another type": safetensors([1, 2]),
    "a header that is not JSON": safetensors(b"\xff\xfe{"),
    "a type without a name": safetensors(entry("F4"), bytes(8)),
    "a type that numpy does not have": safetensors(entry("BF16", (2,), (0, 4)), bytes(4)),
    "a smaller type that numpy does not have": safetensors(entry("F8_E4M3", (2,), (0, 2)), bytes(2)),
    "a type of less than a byte": safetensors(entry("F6_E2M3", (2,), (0, 3)), bytes(3)),
    "offsets beyond the data": safetensors(entry(), bytes(4)),
    "offsets the wrong way round": safetensors(entry(offsets=(8, 0)), bytes(8)),
    "data that nothing refers to": safetensors({}, bytes(64)),
    "a shape without end": safetensors(entry(shape=(0, 2**62), offsets=(0, 0))),
    "a shape that overflows": safetensors(entry(shape=(2**40, 2**40), offsets=(0, 8)), bytes(8)),
    "a negative shape": safetensors(entry(shape=(-1,), offsets=(0, 8)), bytes(8)),
    "more axes than numpy has": safetensors(entry(shape=(1,) * 70, offsets=(0, 4)), bytes(4)),
    "a deep header": safetensors(b'{"a":' * 5000 + b"1" + b"}" * 5000),
}


@pytest.mark.parametrize("kind", BLOBS)
def test_bytes_that_are_no_arrays_become_a_failed_experiment(kind: str) -> None:
    name, experiment = wire.unpack({"experiment": "main", "values": {}}, BLOBS[kind])
    assert name == "main"
    assert experiment.failure is not None
    assert experiment.failure.kind == "evidence"
    assert not experiment.arrays


@settings(deadline=None)
@given(st.binary(max_size=64), st.dictionaries(st.text(max_size=5), json_any, max_size=3))
def test_no_bytes_raise(blob: bytes, header: dict[str, Any]) -> None:
    for data in (blob, safetensors(header, blob)):
        name, _ = wire.unpack({"experiment": "main", "values": {}}, data)
        assert name == "main"


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("experiment", "values", "failure", "more"), json_any)))
def test_no_header_raises_and_what_it_says_is_text_values_and_failures(header: dict[str, Any]) -> None:
    name, experiment = wire.unpack(header, b"")
    assert isinstance(name, str)
    assert isinstance(experiment.values, dict)
    assert experiment.failure is None or {type(part) for part in astuple(experiment.failure)} == {str}


@pytest.mark.parametrize(
    "header", [{}, {"experiment": "main"}, {"experiment": 3, "values": {}}, {"experiment": "main", "values": []}]
)
def test_a_frame_without_a_name_or_values_is_a_failed_experiment_without_a_name(header: dict[str, Any]) -> None:
    name, experiment = wire.unpack(header, b"")
    assert name == ""
    assert experiment.failure is not None


@pytest.mark.parametrize("failure", ["text", 3, [], True, {}, {"kind": 3, "message": None}])
def test_a_failure_of_any_form_stays_a_failure(failure: Any) -> None:
    assert wire.unpack({"experiment": "main", "values": {}, "failure": failure}, b"")[1].failure is not None


def test_no_part_of_a_failure_is_longer_than_a_report_can_bear() -> None:
    long = {"kind": "k" * 9999, "message": "m" * 9999, "where": "w" * 9999}
    failure = wire.unpack({"experiment": "main", "values": {}, "failure": long}, b"")[1].failure
    assert failure is not None
    assert max(map(len, (failure.kind, failure.message, failure.where))) == 600


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert wire.clip("short") == "short"
    assert wire.clip("x" * 600) == "x" * 600
    assert wire.clip("x" * 601) == "x" * 597 + "..."


def test_a_failure_is_told_in_one_line_with_its_place() -> None:
    assert str(Failure("ValueError", "no", "cell 1, line 2")) == "ValueError: no (cell 1, line 2)"
    assert str(Failure("timeout", "")) == "timeout"


def test_a_name_that_no_probe_of_ours_has_is_refused() -> None:
    name, experiment = wire.unpack({"experiment": "\ud800", "values": {}, "failure": None}, b"")
    assert name == ""
    assert experiment.failure is not None
