"""Frames on a stream socket: a JSON header and safetensors bytes, both with a cap. Nothing is ever unpickled.

The trusted side reads with a deadline; every byte from a child is hostile.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

_LENGTHS = struct.Struct("<II")
HEADER_CAP = 256 << 10  # of what a child sends: a few numbers and a message


class FrameError(Exception):
    """What came is no frame: too large, cut short or not JSON."""


class FrameTimeout(Exception):  # noqa: N818 - named like TimeoutError, of which it is the frame's kind
    """The deadline passed before the frame was whole."""


def encode(header: Mapping[str, Any], blob: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), len(blob)) + text + blob


def send(channel: socket.socket, header: Mapping[str, Any], blob: bytes = b"") -> None:
    """Send one frame."""
    channel.sendall(encode(header, blob))


def receive(
    channel: socket.socket, cap: int, deadline: float | None = None, header_cap: int = HEADER_CAP
) -> tuple[dict[str, Any], bytes] | None:
    """Return the next frame, or None when the other side closed the channel between two frames.

    `deadline` is a time of `time.monotonic`. Raises FrameTimeout after it and FrameError on anything that is no frame.
    """
    lengths = _exactly(channel, _LENGTHS.size, deadline, may_end=True)
    if lengths is None:
        return None
    header_size, blob_size = _LENGTHS.unpack(lengths)
    if header_size > header_cap or blob_size > cap:
        raise FrameError(f"a frame of {header_size + blob_size} bytes is over the cap of {header_cap} and {cap}")
    body = _exactly(channel, header_size + blob_size, deadline)
    assert body is not None
    return _header(body[:header_size]), body[header_size:]


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame's header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a frame's header is not an object")
    return header


def _exactly(channel: socket.socket, size: int, deadline: float | None, may_end: bool = False) -> bytes | None:
    buffer = bytearray()
    while len(buffer) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise FrameTimeout
            channel.settimeout(left)
        try:
            chunk = channel.recv(min(1 << 20, size - len(buffer)))
        except TimeoutError as error:
            raise FrameTimeout from error
        except ConnectionError:
            chunk = b""
        if not chunk:
            if may_end and not buffer:
                return None
            raise FrameError("the channel was closed within a frame")
        buffer += chunk
    return bytes(buffer)
