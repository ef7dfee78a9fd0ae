from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.sandbox import frames
from tests.unit.evidence import json_values

CAP = 1 << 16
Pair = tuple[socket.socket, socket.socket]
headers = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), json_values, max_size=3)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def received(data: bytes, cap: int = CAP) -> Any:
    """What is received of these bytes, after which the channel is closed."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(data)
        return frames.receive(ours, cap, time.monotonic() + 5)


@settings(deadline=None)
@given(headers, st.binary(max_size=200))
def test_a_frame_comes_out_as_it_went_in(header: dict[str, Any], blob: bytes) -> None:
    assert received(frames.encode(header, blob)) == (header, blob)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(headers, st.binary(max_size=50)), max_size=4))
def test_several_frames_come_out_one_by_one_and_then_the_end(sent: list[tuple[dict[str, Any], bytes]]) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            for header, blob in sent:
                frames.send(theirs, header, blob)
        assert [frames.receive(ours, CAP) for _ in sent] == sent
        assert frames.receive(ours, CAP) is None


def test_a_frame_larger_than_the_sockets_buffer_comes_out_whole(pair: Pair) -> None:
    blob = bytes(range(256)) * 20_000
    sender = threading.Thread(target=frames.send, args=(pair[1], {"experiment": "main"}, blob))
    sender.start()
    assert frames.receive(pair[0], 8 << 20, time.monotonic() + 10) == ({"experiment": "main"}, blob)
    sender.join()


def test_a_frame_that_arrives_byte_by_byte_comes_out_whole(pair: Pair) -> None:
    data = frames.encode({"a": 1}, b"blob")

    def trickle() -> None:
        for byte in data:
            pair[1].send(bytes([byte]))

    sender = threading.Thread(target=trickle)
    sender.start()
    assert frames.receive(pair[0], CAP, time.monotonic() + 5) == ({"a": 1}, b"blob")
    sender.join()


@pytest.mark.parametrize(("header", "blob"), [(0, CAP + 1), (frames.HEADER_CAP + 1, 0), (2**32 - 1, 2**32 - 1)])
def test_a_frame_over_the_cap_is_refused_before_it_is_read(pair: Pair, header: int, blob: int) -> None:
    pair[1].sendall(struct.pack("<II", header, blob))
    with pytest.raises(frames.FrameError, match="over the cap"):
        frames.receive(pair[0], CAP, time.monotonic() + 1)


def test_a_frame_of_just_the_cap_is_taken(pair: Pair) -> None:
    frames.send(pair[1], {}, b"x" * 1000)
    assert frames.receive(pair[0], 1000) == ({}, b"x" * 1000)


def test_a_header_has_a_cap_of_its_own_which_the_caller_may_raise(pair: Pair) -> None:
    header = {"slice": "x" * frames.HEADER_CAP}
    sender = threading.Thread(target=frames.send, args=(pair[1], header))
    sender.start()
    assert frames.receive(pair[0], CAP, header_cap=1 << 20) == (header, b"")
    sender.join()
    pair[1].sendall(struct.pack("<II", frames.HEADER_CAP + 1, 0))
    with pytest.raises(frames.FrameError, match="over the cap"):
        frames.receive(pair[0], 1 << 30, time.monotonic() + 1)


@given(st.data())
@settings(deadline=None)
def test_a_frame_that_is_cut_short_is_refused(data: st.DataObject) -> None:
    whole = frames.encode({"experiment": "main"}, b"0123456789")
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(frames.FrameError, match="closed within a frame"):
        received(whole[:cut])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1]",
        b"3",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"\x80\x04K\x01.",
        b"[" * 100_000,
        b"{'a': 1}",
        b"9" * 5000,
    ],
)
def test_a_header_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(frames.FrameError):
        received(struct.pack("<II", len(text), 0) + text, 1 << 20)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_garbage_is_refused_or_is_a_frame_by_chance_and_raises_nothing_else(data: bytes) -> None:
    try:
        header, _ = received(data)
    except frames.FrameError:
        return
    assert isinstance(header, dict)


def test_a_channel_that_stays_silent_is_given_up_at_the_deadline(pair: Pair) -> None:
    started = time.monotonic()
    with pytest.raises(frames.FrameTimeout):
        frames.receive(pair[0], CAP, started + 0.1)
    assert 0.05 < time.monotonic() - started < 1


def test_a_channel_that_stops_within_a_frame_is_given_up_at_the_deadline(pair: Pair) -> None:
    pair[1].sendall(frames.encode({"a": 1}, b"blob")[:-1])
    with pytest.raises(frames.FrameTimeout):
        frames.receive(pair[0], CAP, time.monotonic() + 0.1)


def test_a_deadline_that_has_passed_is_kept_even_when_a_frame_is_there(pair: Pair) -> None:
    frames.send(pair[1], {"a": 1})
    with pytest.raises(frames.FrameTimeout):
        frames.receive(pair[0], CAP, time.monotonic() - 1)


def test_a_channel_that_was_reset_has_ended(pair: Pair) -> None:
    frames.send(pair[0], {"never": "read"})
    pair[1].close()  # with something unread: the other side is told of a reset
    assert frames.receive(pair[0], CAP, time.monotonic() + 1) is None


def test_a_header_that_json_cannot_carry_is_our_own_error() -> None:
    with pytest.raises(TypeError):
        frames.encode({"count": {1, 2}})
    assert json.loads(frames.encode({"a": 1})[8:]) == {"a": 1}
