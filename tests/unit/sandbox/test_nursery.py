from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from graders.errors import Fault, Stopped
from graders.probes import wire
from graders.sandbox import nursery as module
from graders.sandbox.limits import Limits
from graders.sandbox.nursery import Nursery
from tests.unit.evidence import piece

LIMITS = Limits(cpu_seconds=5, wall_seconds=20)
PING = {"ping": True}
PONG = {"pong": True, "reached": []}


def answers(nursery: Nursery) -> list[Any]:
    said: list[Any] = []
    nursery.run(PING, b"", lambda header, _: said.append(header))
    return said


def pid(nursery: Nursery) -> int:
    assert nursery._zygote is not None
    return nursery._zygote._process.pid


def test_nothing_starts_before_the_first_child_is_wanted() -> None:
    with Nursery((), "none", LIMITS) as nursery:
        assert nursery._zygote is None
        assert answers(nursery) == [PONG]
        first = pid(nursery)
        assert answers(nursery) == [PONG]
        assert pid(nursery) == first


def test_a_zygote_that_was_killed_is_started_again() -> None:
    with Nursery((), "none", LIMITS) as nursery:
        answers(nursery)
        first, stage = pid(nursery), Path(nursery._zygote._stage)  # type: ignore[union-attr]
        os.kill(first, signal.SIGKILL)
        while nursery._zygote.alive:  # type: ignore[union-attr]
            time.sleep(0.01)
        assert answers(nursery) == [PONG]
        assert pid(nursery) != first
    assert not stage.exists()


def test_one_that_dies_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    class Stillborn:
        alive = False

        def __init__(self, *_: object) -> None:
            started.append(1)

        def run(self, *_: object) -> None:
            raise Fault("the zygote has died")

        def close(self) -> None:
            pass

    monkeypatch.setattr(module, "Zygote", Stillborn)
    nursery = Nursery((), "none", LIMITS)
    for _ in range(20):
        with pytest.raises(Fault):
            answers(nursery)
    with pytest.raises(Fault, match="died 5 times; see `graders doctor`"):
        answers(nursery)
    assert len(started) == 5


def test_one_that_cannot_start_is_tried_a_few_times_and_its_reason_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def unborn(*_: object) -> None:
        tried.append(1)
        raise Fault("the zygote did not start: no such module")

    monkeypatch.setattr(module, "Zygote", unborn)
    nursery = Nursery((), "none", LIMITS)
    for _ in range(3):
        with pytest.raises(Fault, match="did not start: no such module"):
            answers(nursery)
    assert len(tried) == 5


def test_closing_kills_what_runs_and_tells_whoever_waits() -> None:
    nursery = Nursery(("tests.unit.sandbox.stand_in", "graders.probes.runner"), "none", LIMITS)
    answers(nursery)
    told: list[BaseException] = []
    begun = threading.Event()

    def wait() -> None:
        document, blob = wire.pack_order(wire.Order("pixelcnn", "C3", 1, piece("import time", "time.sleep(60)")))
        begun.set()
        try:
            nursery.run(document, blob, lambda *_: None)
        except BaseException as error:
            told.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    begun.wait(5)
    time.sleep(0.5)  # by now the child sleeps
    assert waiting.is_alive()
    started = time.monotonic()
    nursery.close()
    waiting.join(10)
    assert time.monotonic() - started < 5
    assert [type(error) for error in told] == [Stopped]
    with pytest.raises(Stopped):
        answers(nursery)
