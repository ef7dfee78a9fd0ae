from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from graders.engine.local import Job, LocalEngine
from graders.model import Submission


def job(name: str) -> Job:
    return Job(name, name, lambda: Submission(name, name))


class Class:
    """Grades by name: "wait" waits for the door to open, "break" raises, all else is answered with itself."""

    def __init__(self) -> None:
        self.door, self.begun = threading.Event(), threading.Event()
        self.graded: list[str] = []

    def grade(self, job: Job) -> Any:
        name = job.id
        if name.startswith("wait"):
            self.begun.set()
            assert self.door.wait(10)
        if name.startswith("break"):
            raise ValueError(name)
        if name.startswith("leave"):
            raise SystemExit(name)
        self.graded.append(name)
        return name


@pytest.fixture
def course() -> Iterator[Class]:
    made = Class()
    yield made
    made.door.set()


def test_each_job_comes_out_under_its_own_handle(course: Class) -> None:
    engine = LocalEngine(course.grade, 3)
    handles = {engine.submit(job(f"{number}")): f"{number}" for number in range(20)}
    assert dict(engine.completed()) == handles
    engine.close()


def test_a_job_that_ends_earlier_comes_out_earlier(course: Class) -> None:
    engine = LocalEngine(course.grade, 2)
    slow, quick = engine.submit(job("wait")), engine.submit(job("quick"))
    ended = engine.completed()
    assert next(ended) == (quick, "quick")
    course.door.set()
    assert list(ended) == [(slow, "wait")]
    engine.close()


@pytest.mark.parametrize(("name", "error"), [("break it", ValueError), ("leave it", SystemExit)])
def test_an_exception_is_a_result_and_costs_its_own_job_alone(
    course: Class, name: str, error: type[BaseException]
) -> None:
    engine = LocalEngine(course.grade, 1)
    first, broken, last = (engine.submit(job(one)) for one in ("first", name, "last"))
    results: dict[int, Any] = dict(engine.completed())
    engine.close()
    assert isinstance(results[broken], error)
    assert (results[first], results[last]) == ("first", "last")


def test_no_more_jobs_run_at_a_time_than_there_are_workers() -> None:
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def grade(_: Job) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(5)
        with lock:
            running -= 1
        return "done"

    engine = LocalEngine(grade, 2)
    for number in range(6):
        engine.submit(job(f"{number}"))
    assert [result for _, result in engine.completed()] == ["done"] * 6
    engine.close()
    assert most == 2


def test_a_job_that_was_taken_back_never_runs_and_never_comes_out(course: Class) -> None:
    engine = LocalEngine(course.grade, 1)
    first, second, third = (engine.submit(job(name)) for name in ("wait", "second", "third"))
    course.begun.wait(5)
    engine.cancel(second)
    course.door.set()
    assert dict(engine.completed()) == {first: "wait", third: "third"}
    engine.close()
    assert "second" not in course.graded


def test_a_job_that_has_begun_cannot_be_taken_back(course: Class) -> None:
    engine = LocalEngine(course.grade, 1)
    first = engine.submit(job("wait"))
    course.begun.wait(5)
    engine.cancel(first)
    course.door.set()
    assert dict(engine.completed()) == {first: "wait"}
    engine.close()


def test_closing_waits_for_what_runs_and_takes_back_the_rest(course: Class) -> None:
    engine = LocalEngine(course.grade, 1)
    first = engine.submit(job("wait"))
    engine.submit(job("second"))
    course.begun.wait(5)
    with ThreadPoolExecutor(1) as other:
        closing = other.submit(engine.close)
        assert not closing.done()
        course.door.set()
        closing.result(5)
    assert course.graded == ["wait"]
    assert dict(engine.completed()) == {first: "wait"}


def test_an_engine_without_jobs_is_done_at_once(course: Class) -> None:
    engine = LocalEngine(course.grade, 1)
    assert list(engine.completed()) == []
    engine.close()
