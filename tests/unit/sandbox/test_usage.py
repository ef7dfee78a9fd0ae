from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graders.sandbox import usage

GONE = 4_194_303  # no process has this id


@contextlib.contextmanager
def process(source: str) -> Iterator[int]:
    """A process that runs a source, in a group of its own, once it has printed a line."""
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child.pid
        finally:
            os.killpg(child.pid, signal.SIGKILL)


def soon(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def test_a_tree_holds_children_of_children_and_those_of_other_threads() -> None:
    fork = "import os, threading, time\nif os.fork() == 0:\n    os.fork()\n    time.sleep(60)\n"
    thread = "threading.Thread(target=lambda: os.fork() or time.sleep(60)).start()\n"
    with process(f"{fork}{thread}print(flush=True)\ntime.sleep(60)") as root:
        assert soon(lambda: len(usage.tree(root)) == 4)
        assert usage.tree(root)[0] == root


def test_a_process_that_has_ended_uses_nothing() -> None:
    assert usage.tree(GONE) == [GONE]
    assert (usage.cpu_seconds([GONE]), usage.starved_seconds(GONE)) == (0, 0)
    assert not usage.over_memory([GONE], 0)
    assert not usage.over_disk(f"/proc/{GONE}", [GONE], 0, 0)


def test_computing_time_is_added_up_and_sleeping_is_none() -> None:
    with (
        process("print(flush=True)\nwhile True: pass") as busy,
        process("print(flush=True)\nimport time; time.sleep(9)") as idle,
    ):
        assert soon(lambda: usage.cpu_seconds([busy, idle]) > 0.3)
        assert usage.cpu_seconds([idle]) < 0.3


def test_what_waits_for_a_processor_is_starved_and_what_sleeps_is_not() -> None:
    pin = f"import os\nos.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    busy = f"{pin}os.fork()\nos.fork()\nprint(flush=True)\nwhile True: pass"
    with process(busy) as root, process("print(flush=True)\nimport time; time.sleep(9)") as idle:
        assert soon(lambda: usage.starved_seconds(root) > 0.3)
        assert usage.starved_seconds(idle) < 0.3


def test_memory_that_is_shared_is_counted_once() -> None:
    source = "import os\nhoard = b'x' * (60 << 20)\nos.fork()\nos.fork()\nprint(flush=True)\nimport time; time.sleep(9)"
    with process(source) as root:
        assert soon(lambda: len(usage.tree(root)) == 4)
        assert usage.over_memory(usage.tree(root), 50)
        assert not usage.over_memory(usage.tree(root), 130)


@pytest.mark.parametrize(("limit_mb", "most", "over"), [(1, 9, True), (9, 1, True), (9, 9, False)])
def test_a_folder_is_over_by_its_size_or_by_its_number_of_files(
    tmp_path: Path, limit_mb: int, most: int, over: bool
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "big").write_bytes(bytes(2 << 20))
    (tmp_path / "link").symlink_to("/")
    assert usage.over_disk(str(tmp_path), [], limit_mb, most) is over


def test_a_file_that_was_removed_while_open_counts() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(2 << 20))
        file.flush()
        assert usage.over_disk(f"/proc/{GONE}", [os.getpid()], 1, 9)
    assert not usage.over_disk(f"/proc/{GONE}", [os.getpid()], 1, 9)
