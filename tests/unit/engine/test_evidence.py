from __future__ import annotations

import importlib.util
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from graders.engine.evidence import Laboratory, collect, failure_of, killed
from graders.errors import Fault, Stopped
from graders.model import Evidence, Experiment, Failure, Statement
from graders.probes import wire
from graders.sandbox.fork import Ended
from graders.sandbox.limits import Limits
from graders.store import Store
from tests.unit.evidence import RAISED, outputs, piece, same

WAITED = Failure("timeout", "it did not end, but waited for something that does not come")
TIMEOUT = Failure("timeout", "it did not end within 20 seconds of computing")


ENDED = Ended("ended")


class Scripted:
    """A nursery whose children send these experiments and end so, the first one in the first way and so on."""

    def __init__(self, *sent: tuple[str, Experiment], ended: Any = ENDED, broken: str = "") -> None:
        self.sent, self.broken, self.orders = sent, broken, 0
        self.ends = list(ended) if isinstance(ended, list) else [ended]
        self.versions, self.level, self.limits = {"numpy": "2"}, "full", Limits(cpu_seconds=20)
        self.devices: tuple[str, ...] = ()

    def run(self, order: Mapping[str, Any], blob: bytes, keep: Callable[[Any, bytes], None]) -> tuple[Ended, str]:
        self.orders += 1
        for name, experiment in self.sent:
            keep(*wire.pack(name, experiment))
        ended = self.ends[min(self.orders, len(self.ends)) - 1]
        if isinstance(ended, Exception):
            raise ended
        return ended, "" if ended is ENDED else self.broken


def order(*sources: str, **more: Any) -> wire.Order:
    return wire.Order("pixelcnn", "C3", 1, piece(*(sources or ("x = 1",))), **more)


def collected(zygote: Scripted) -> Evidence:
    return collect(zygote, order())  # type: ignore[arg-type]


# How a child ended ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "broken", "failure"),
    [
        (Ended("ended"), "", None),
        (Ended("cancelled", -9), "", None),
        (Ended("ended", 1, cpu_seconds=99), "", None),
        (Ended("ended", -signal.SIGXCPU, cpu_seconds=20.1), "closed", TIMEOUT),
        (Ended("ended", -signal.SIGKILL, cpu_seconds=20.9), "closed", TIMEOUT),
        (Ended("timeout", -signal.SIGKILL), "closed", WAITED),
        (Ended("timeout", -signal.SIGKILL), "deadline", WAITED),
        (Ended("timeout", -signal.SIGKILL), "a frame's header is not JSON", WAITED),
        (
            Ended("ended", -signal.SIGSEGV),
            "closed",
            Failure("killed", "the process died of signal 11 (Segmentation fault)"),
        ),
        (Ended("ended", -signal.SIGKILL), "closed", Failure("killed", "the process died of signal 9 (Killed)")),
        (Ended("memory", -9), "closed", Failure("memory", "it takes more memory than there is for it")),
        (Ended("processes", -9), "closed", Failure("memory", "it starts more processes and threads than it may")),
        (Ended("disk", -9), "closed", Failure("memory", "it writes more files than there is room for")),
        (Ended("ended", 3), "closed", Failure("exit", "the process left with status 3 before the end of the test")),
        (Ended("ended", 0), "closed", Failure("exit", "the process left with status 0 before the end of the test")),
        (Ended("ended", 0), "a frame's header is not JSON", Failure("evidence", "a frame's header is not JSON")),
        (Ended("cancelled", -9), "a frame of 9 bytes", Failure("evidence", "a frame of 9 bytes")),
        (Ended("ended", -40), "closed", Failure("killed", "the process died of signal 40 (Real-time signal 6)")),
    ],
)
def test_how_a_child_ended_is_told(ended: Ended, broken: str, failure: Failure | None) -> None:
    assert failure_of(ended, broken, 20) == failure


@pytest.mark.parametrize(("kind", "by_limit"), [("timeout", True), ("memory", True), ("killed", True), ("exit", False)])
def test_only_limits_count_as_killed(kind: str, by_limit: bool) -> None:
    assert killed(Evidence({}, Failure(kind, ""))) is by_limit
    assert not killed(Evidence({}))


# What it sent --------------------------------------------------------------------------------------------------------


def test_evidence_is_what_was_sent_and_what_was_printed() -> None:
    found = collected(Scripted(("loading", Experiment()), ("main", outputs([1.0])), ended=Ended("ended", output="hi")))
    assert (list(found.experiments), found.failure, found.fault, found.output) == (["loading", "main"], None, "", "hi")
    assert np.array_equal(found.experiments["main"].arrays["outputs"], [1.0])
    assert found.seconds >= 0


def test_what_was_sent_before_the_end_is_kept() -> None:
    found = collected(Scripted(("main", outputs([1.0])), ended=Ended("timeout", -9), broken="closed"))
    assert list(found.experiments) == ["main"]
    assert found.failure == WAITED


def test_of_two_experiments_of_one_name_the_first_counts() -> None:
    found = collected(Scripted(("main", outputs([1.0])), ("main", outputs([2.0]))))
    assert found.experiments["main"].arrays["outputs"] == [1.0]


def test_a_zygote_that_fails_is_our_fault() -> None:
    found = collected(Scripted(("main", outputs([1.0])), ended=Fault("the zygote has died")))
    assert (found.fault, found.failure) == ("the zygote has died", None)


# Another try ---------------------------------------------------------------------------------------------------------

DIED = Ended("ended", -signal.SIGKILL)
MAIN = ("main", outputs([1.0]))


@pytest.mark.parametrize("first", [DIED, Ended("ended", -signal.SIGSEGV), Fault("the zygote has died")])
def test_a_child_that_somebody_else_killed_is_run_once_more(first: Any) -> None:
    zygote = Scripted(MAIN, ended=[first, ENDED], broken="closed")
    found = collected(zygote)
    assert (zygote.orders, found.failure, found.fault) == (2, None, "")


def test_a_child_that_was_killed_within_a_frame_is_run_once_more() -> None:
    zygote = Scripted(ended=[DIED, ENDED], broken="the channel was closed within a frame")
    assert collected(zygote).failure is None
    assert zygote.orders == 2


@pytest.mark.parametrize(
    ("ended", "kind"), [(DIED, "killed"), (Ended("ended", -signal.SIGABRT), "killed"), (Fault("gone"), "")]
)
def test_what_ends_so_twice_is_taken_at_its_word(ended: Any, kind: str) -> None:
    zygote = Scripted(ended=ended, broken="closed")
    found = collected(zygote)
    assert zygote.orders == 2
    assert (found.failure.kind if found.failure else "") == kind
    assert bool(found.fault) == (kind == "")


@pytest.mark.parametrize(
    "ended",
    [Ended("ended", 3), Ended("timeout", -signal.SIGKILL), Ended("ended", -signal.SIGXCPU, cpu_seconds=21)],
)
def test_leaving_and_limits_are_told_from_one_end(ended: Ended) -> None:
    zygote = Scripted(ended=ended, broken="closed")
    assert collected(zygote).failure
    assert zygote.orders == 1


def test_a_run_that_was_stopped_is_no_evidence_of_anything() -> None:
    with pytest.raises(Stopped):
        collected(Scripted(ended=Stopped()))


# Modules that are not there ------------------------------------------------------------------------------------------


def absent(message: str, *sources: str, kind: str = "ModuleNotFoundError") -> Evidence:
    zygote = Scripted(("loading", Experiment(failure=Failure(kind, message, "cell 1, line 1"))))
    return collect(zygote, order(*sources))  # type: ignore[arg-type]


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cv2", "import cv2"),
        ("skimage", "import skimage as ski"),
        ("skimage.transform", "from skimage.transform import resize"),
        ("tqdm", "def f():\n    from tqdm import tqdm"),
    ],
)
def test_a_module_of_colabs_that_is_not_installed_here_is_our_fault(name: str, source: str) -> None:
    found = absent(f"No module named '{name}'", "x = 1", source)
    assert found.fault.startswith(f"the module {name.split('.')[0]}, which Colab has, is not installed here")


@pytest.mark.usefixtures("nothing_installed")
def test_a_module_that_a_module_of_the_submission_imports_counts_too() -> None:
    zygote = Scripted(("loading", Experiment(failure=Failure("ModuleNotFoundError", "No module named 'cv2'"))))
    modules = {"helpers": (Statement("helpers.py", 1, "import cv2"),)}
    one = wire.Order("pixelcnn", "C3", 1, piece("import helpers", modules=modules))
    assert collect(zygote, one).fault.startswith("the module cv2")  # type: ignore[arg-type]


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("message", "kind", "source"),
    [
        ("No module named 'helpers'", "ModuleNotFoundError", "import helpers"),
        ("No module named 'cv2'", "ValueError", "import cv2"),
        ("cv2 is missing", "ModuleNotFoundError", "import cv2"),
        ("", "ModuleNotFoundError", "import cv2"),
        ("No module named 'cv2'", "ModuleNotFoundError", "raise ModuleNotFoundError(\"No module named 'cv2'\")"),
    ],
)
def test_any_other_module_or_exception_is_the_students(message: str, kind: str, source: str) -> None:
    assert absent(message, source, kind=kind).fault == ""


def test_a_module_that_is_installed_here_was_not_found_by_the_students_own_doing() -> None:
    assert importlib.util.find_spec("PIL") is not None
    assert absent("No module named 'PIL'", "import PIL").fault == ""


# What is remembered --------------------------------------------------------------------------------------------------


def measured(zygote: Scripted, store: Store, one: wire.Order) -> Evidence:
    return Laboratory(zygote, store, zygote.versions).evidence(one)[0]  # type: ignore[arg-type]


def test_equal_work_is_done_once_even_by_another_laboratory(store: Store) -> None:
    zygote = Scripted(("main", outputs([1.0])))
    first, second = (measured(zygote, store, order()) for _ in range(2))
    assert zygote.orders == 1
    assert same(first, second)


def test_comments_and_places_do_not_make_another_work_when_nothing_failed(store: Store) -> None:
    zygote = Scripted(("main", outputs([1.0])))
    measured(zygote, store, wire.Order("pixelcnn", "C3", 1, piece("x = 1  # one")))
    measured(zygote, store, wire.Order("pixelcnn", "C3", 1, piece("x  =  1", place="cell 9")))
    assert zygote.orders == 1


def test_failures_name_places_and_are_shared_by_equal_places_only(store: Store) -> None:
    zygote = Scripted(("main", Experiment(failure=RAISED)))
    for place in ("cell 4", "cell 9", "cell 4"):
        measured(zygote, store, wire.Order("pixelcnn", "C3", 1, piece("x = 1", place=place)))
    assert zygote.orders == 2


@pytest.mark.parametrize(
    "other",
    [
        wire.Order("pixelcnn", "C3", 2, piece("x = 1")),
        wire.Order("pixelcnn", "C4", 1, piece("x = 1")),
        wire.Order("pixelcnn", "C3", 1, piece("x = 2")),
        wire.Order("pixelcnn", "C3", 1, piece("x = 1", found={"C3": "Other"})),
        wire.Order("pixelcnn", "C3", 1, piece("x = 1"), pictures=(b"a picture",)),
        wire.Order("pixelcnn", "C3", 1, piece("x = 1"), provided={"C3": "Right"}, provided_slice=piece("y = 1")),
        wire.Order("pixelcnn", "C3", 1, piece("x = 1", modules={"m": (Statement("m.py", 1, "z = 1"),)})),
    ],
)
def test_all_that_evidence_depends_on_makes_another_work(store: Store, other: wire.Order) -> None:
    zygote = Scripted(("main", outputs([1.0])))
    measured(zygote, store, order())
    measured(zygote, store, other)
    assert zygote.orders == 2


@pytest.mark.parametrize(
    "change",
    [{"level": "uid"}, {"versions": {"numpy": "3"}}, {"limits": Limits(cpu_seconds=1)}, {"devices": ("/dev/nvidia0",)}],
)
def test_another_level_version_limit_or_device_makes_another_work(store: Store, change: dict[str, Any]) -> None:
    zygote, other = Scripted(("main", outputs([1.0]))), Scripted(("main", outputs([2.0])))
    vars(other).update(change)
    measured(zygote, store, order())
    assert measured(other, store, order()).experiments["main"].arrays["outputs"] == [2.0]


def test_equal_code_at_the_same_time_is_measured_once(store: Store) -> None:
    zygote = Scripted(("main", outputs([1.0])))
    laboratory = Laboratory(zygote, store, {})  # type: ignore[arg-type]
    begun = threading.Barrier(4)

    def measure(number: int) -> str:
        begun.wait(5)
        return laboratory.evidence(wire.Order("pixelcnn", "C3", 1, piece("x = 1", place=f"cell {number}")))[1]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(measure, range(4)))) == 1
    assert zygote.orders == 1


def test_the_key_finds_the_evidence_again_and_a_fault_has_none(store: Store) -> None:
    for sent in (("main", outputs([1.0])), ("main", Experiment(failure=RAISED))):
        zygote = Scripted(sent)
        laboratory = Laboratory(zygote, store, {"probe": str(sent)})  # type: ignore[arg-type]
        found, key = laboratory.evidence(order())
        kept = store.evidence(key)
        assert kept is not None
        assert same(kept, found)
    faulty = Scripted(ended=Fault("gone"))
    assert Laboratory(faulty, store, {}).evidence(order())[1] == ""  # type: ignore[arg-type]


def test_a_fault_is_not_remembered(store: Store) -> None:
    broken, whole = Scripted(ended=Fault("the zygote has died")), Scripted(("main", outputs([1.0])))
    assert measured(broken, store, order()).fault
    assert measured(whole, store, order()).fault == ""
