"""The default engine: jobs in threads of this process, each driving confined children of one zygote.

The four methods are all that the rest may assume of an engine; a cluster can stand behind them later.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from graders.model import Report, Submission


@dataclass(frozen=True)
class Job:
    """A work order: one submission, read when its turn comes, and the contents of its files of weights by their names.

    It is idempotent: its evidence is kept by content.
    """

    id: str
    name: str
    read: Callable[[], Submission]
    weights: Callable[[Sequence[str]], Mapping[str, bytes]] = lambda _: {}


class Engine(Protocol):
    """Where jobs run."""

    def submit(self, job: Job) -> int:
        """Take a job and return its handle."""
        ...

    def completed(self) -> Iterator[tuple[int, Report | BaseException]]:
        """Yield the handle and result of each submitted job as it ends, until none is left."""
        ...

    def cancel(self, handle: int) -> None:
        """Take back a job that has not begun."""
        ...

    def close(self) -> None:
        """Take back what has not begun and wait for the rest."""
        ...


class LocalEngine:
    """Runs at most `workers` jobs at a time by calling `grade` in threads, which mostly wait for children."""

    def __init__(self, grade: Callable[[Job], Report], workers: int) -> None:
        self._grade = grade
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._futures: dict[int, Future[Report]] = {}
        self._handles = itertools.count()
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()

    def submit(self, job: Job) -> int:
        """Take a job and return its handle."""
        handle = next(self._handles)
        future = self._pool.submit(self._grade, job)
        self._futures[handle] = future
        future.add_done_callback(lambda _: self._ended.put(handle))
        return handle

    def completed(self) -> Iterator[tuple[int, Report | BaseException]]:
        """Yield the handle and result of each submitted job as it ends; cancelled ones are left out."""
        while self._futures:
            handle = self._ended.get()
            future = self._futures.pop(handle)  # a class of hundreds is not held in memory
            if not future.cancelled():
                yield handle, future.exception() or future.result()

    def cancel(self, handle: int) -> None:
        """Take back a job that has not begun."""
        if handle in self._futures:
            self._futures[handle].cancel()

    def close(self) -> None:
        """Take back what has not begun and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)
