"""What a child may get besides its order: descriptors, folders, unix sockets, and signals from the trusted side."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from graders.errors import Fault
from graders.sandbox.fork import Ended, Reins, Zygote
from graders.sandbox.levels import try_level
from graders.sandbox.limits import NOTHING, Equipment, Limits

FOLDERS = ["/content", "/kaggle", "/usr", "/"]


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def zygote(request: pytest.FixtureRequest) -> Iterator[Zygote]:
    if reason := try_level(request.param).reason:
        pytest.skip(f"this machine does not give the level {request.param}: {reason}")
    limits = Limits(wall_seconds=20, frames=4)
    with Zygote(("tests.unit.sandbox.served", "pyseccomp"), request.param, limits) as started:
        yield started


def served(
    zygote: Zygote, equipment: Equipment = NOTHING, reins: Reins | None = None, wait: bool = False
) -> tuple[list[Any], Ended, str]:
    order = {
        "serve": "tests.unit.sandbox.served",
        "descriptors": len(equipment.descriptors),
        "try": FOLDERS,
        "wait": wait,
    }
    said: list[Any] = []
    ended, broken = zygote.run(order, b"blob", lambda header, _: said.append(header), equipment, reins)
    return said, ended, broken


def test_without_equipment_there_is_no_socket_and_no_folder(zygote: Zygote) -> None:
    (report,), _, broken = served(zygote)
    assert report == {"blob": "blob", "read": [], "sockets": [], "written": []}
    assert broken == ""


def test_folders_are_there_at_the_level_that_has_a_root_of_its_own(zygote: Zygote) -> None:
    (report,), _, _ = served(zygote, Equipment(folders=("/content", "/kaggle")))
    assert report["written"] == (["/content", "/kaggle"] if zygote.level == "full" else [])
    assert not os.path.exists("/kaggle")


def test_unix_sockets_are_the_only_ones_that_may_be_let_in(zygote: Zygote) -> None:
    (report,), _, _ = served(zygote, Equipment(unix_sockets=True))
    assert report["sockets"] == ["AF_UNIX"]


def test_descriptors_arrive_in_their_order(zygote: Zygote) -> None:
    pipes = [os.pipe() for _ in range(3)]
    for number, (_, write) in enumerate(pipes):
        os.write(write, f"pipe {number}".encode())
        os.close(write)
    (report,), _, _ = served(zygote, Equipment(descriptors=tuple(read for read, _ in pipes)))
    for read, _ in pipes:
        os.close(read)
    assert report["read"] == ["pipe 0", "pipe 1", "pipe 2"]


def test_a_signal_reaches_the_child_and_its_run_goes_on(zygote: Zygote) -> None:
    reins = Reins()
    timer = threading.Timer(1.0, reins.signal, [signal.SIGUSR1])
    timer.start()
    said, _, broken = served(zygote, reins=reins, wait=True)
    timer.join()
    assert said[1:] == [{"signalled": True}]
    assert broken == ""


def test_a_child_can_be_ended_while_it_runs_and_before(zygote: Zygote) -> None:
    reins = Reins()
    timer = threading.Timer(1.0, reins.end)
    timer.start()
    started = time.monotonic()
    _, ended, broken = served(zygote, reins=reins, wait=True)
    timer.join()
    assert (ended.reason, broken) == ("cancelled", "closed")
    with pytest.raises(Fault):  # it was killed before it could say that it was confined
        served(zygote, reins=reins, wait=True)
    assert time.monotonic() - started < 10
    reins.signal(signal.SIGUSR1)  # nobody is there: nothing happens
