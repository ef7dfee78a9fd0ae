"""Attacks on the machine and on the run: time, memory, disk, processes, output, and ends of all kinds."""

from __future__ import annotations

from tests.attacks.attack import Attack

_TIME = "a limit on computing time, and one on the clock for what waits, end it from outside; it costs its own item"

HANGING = (
    Attack(
        "sleep",
        "sleeps for a day",
        _TIME,
        "import time\ntime.sleep(86_400)",
        verdict="FAIL",
    ),
    Attack(
        "loop-that-catches-all",
        "loops for ever, catches every exception and ignores every signal",
        _TIME,
        """
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
        """,
        verdict="FAIL",
        flagged=("signal.signal",),
    ),
    Attack(
        "loop-outside-python",
        "loops where no signal of Python's is handled: a regular expression without end",
        _TIME,
        'import re\nre.match(r"(a*)*b", "a" * 64)',
        verdict="FAIL",
    ),
    Attack(
        "fork-bomb",
        "forks without end, each child in a session of its own and busy",
        "the number of its processes and their computing time together are limited; all of them are killed with it",
        """
        import os
        for _ in range(5000):
            try:
                if os.fork() == 0:
                    try:
                        os.setsid()
                    except OSError:
                        pass
            except OSError:
                pass
        while True:
            pass
        """,
        verdict="FAIL",
        flagged=("os.fork",),
        confines=True,
    ),
    Attack(
        "thread-bomb",
        "starts threads without end",
        "the number of its threads is limited",
        """
        import threading, time
        try:
            for _ in range(100_000):
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        except RuntimeError as error:
            print(error)
        """,
        flagged=("daemon=True",),
    ),
    Attack(
        "memory-bomb",
        "takes memory until there is none",
        "its private memory is limited: it meets a MemoryError",
        """
        hoard = []
        while True:
            hoard.append(b"x" * (64 << 20))
        """,
        verdict="FAIL",
    ),
    Attack(
        "shared-memory-bomb",
        "takes shared memory, which no limit of a process counts, and in forks of itself",
        "its monitor adds up the memory of all its processes and kills them over the limit",
        """
        import mmap, os, time
        os.fork()
        hoard = []
        while True:
            try:
                piece = mmap.mmap(-1, 256 << 20)
            except OSError:
                time.sleep(60)
            for start in range(0, len(piece), 4096):
                piece[start] = 1
            hoard.append(piece)
        """,
        verdict="FAIL",
        flagged=("os.fork",),
        confines=True,
    ),
    Attack(
        "memory-in-no-process",
        "takes memory in files that have no name and closes every mapping of them",
        "its monitor counts what its open files hold, wherever they are",
        """
        import os, time
        held = []
        while True:
            try:
                held.append(os.memfd_create("x"))
                for _ in range(63):
                    os.write(held[-1], bytes(1 << 20))
            except OSError:
                time.sleep(60)
        """,
        verdict="FAIL",
    ),
    Attack(
        "fill-the-disk",
        "fills every folder that it can write with files, removed while they are open and not",
        "the scratch has a limited size: of a file system of its own, or counted by the monitor",
        """
        import os, time
        held = []
        for folder in ".", "/tmp", "/dev/shm", "/var/tmp", "@OUTSIDE@":
            try:
                for number in range(60):
                    path = f"{folder}/big{number}-{os.getpid()}"
                    held.append(open(path, "wb", buffering=0))
                    if number % 2:
                        os.remove(path)
                    for _ in range(63):
                        held[-1].write(bytes(1 << 20))
            except OSError as error:
                print(folder, error)
        time.sleep(0.5)
        """,
        flagged=('"/var/tmp"',),
        confines=True,
    ),
    Attack(
        "fill-the-inodes",
        "makes empty files and folders without end",
        "the scratch holds a limited number of files",
        """
        import os
        number = 0
        try:
            while True:
                os.makedirs(f"many/{number % 100}/{number}")
                number += 1
        except OSError as error:
            print(error)
        print(number, "made")
        if number > 100_000:
            print("SUCCEEDED")
        """,
        confines=True,
    ),
    Attack(
        "flood-of-output",
        "prints hundreds of megabytes, by print, to both raw descriptors and in lines without an end",
        "the beginning and the end of the output are kept, all between is counted and dropped",
        """
        import os
        for _ in range(100):
            print("x" * 1_000_000)
        for descriptor in 1, 2:
            for _ in range(100):
                os.write(descriptor, b"y" * 1_000_000)
        """,
    ),
    Attack(
        "flood-of-frames",
        "writes bytes without end into the channel of the evidence",
        "a frame has a largest size, a run a largest number of frames and of bytes; beyond them the run is over",
        """
        import os
        for descriptor in range(3, 64):
            try:
                while True:
                    os.write(descriptor, b"\\xff" * 65_536)
            except OSError:
                pass
        """,
        verdict="FAIL",
    ),
    Attack(
        "exit-at-once",
        "leaves by os._exit(0), as if all were done",
        "the end of a test is told by its last frame, not by an exit status",
        "import os\nos._exit(0)",
        verdict="FAIL",
        flagged=("os._exit",),
    ),
    Attack(
        "exit-as-unconfined",
        "leaves with the status by which the grader would know that it could not confine it",
        "confinement is reported on a pipe of its own before any code of the student's runs",
        "import os\nos._exit(97)",
        verdict="FAIL",
        flagged=("os._exit",),
    ),
    Attack(
        "exit-while-loading",
        "raises SystemExit with that status while its slice is loaded",
        "SystemExit is an error like any other",
        "raise SystemExit(97)",
        item="C1",
        loading=True,
    ),
    Attack(
        "sys-exit", "calls sys.exit(0) in the middle of a test", "as above", "import sys\nsys.exit(0)", verdict="FAIL"
    ),
    Attack(
        "keyboard-interrupt",
        "raises KeyboardInterrupt, which `except Exception` does not catch",
        "as above",
        "raise KeyboardInterrupt",
        verdict="FAIL",
    ),
    Attack(
        "segfault",
        "crashes the interpreter through ctypes",
        "the signal is reported and costs its own item",
        "import ctypes\nctypes.string_at(0)",
        verdict="FAIL",
        flagged=("ctypes.string_at",),
    ),
    Attack(
        "stop-itself",
        "stops its own process, so that it neither runs nor ends",
        _TIME,
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nimport time\ntime.sleep(3600)",
        verdict="FAIL",
        flagged=("os.kill",),
    ),
    Attack(
        "close-everything",
        "closes every descriptor and goes on",
        "the channel is closed: the run is over",
        "import os\nos.closerange(0, 4096)\nimport time\ntime.sleep(3600)",
        verdict="FAIL",
    ),
    Attack(
        "recursion",
        "recurses through C code until the stack is gone",
        "a RecursionError, or a signal; either costs its own item",
        """
           import sys
           sys.setrecursionlimit(10**9)
           def deeper(x):
               return sorted([x], key=deeper)
           deeper(0)
           """,
        verdict="FAIL",
    ),
    Attack(
        "daemon",
        "leaves processes behind: in a session of their own, forked twice, with all streams closed",
        "all that descends from a child is killed with it: it is the first of a process namespace, or its monitor adopts them",
        """
        import os, time
        if os.fork() == 0:
            try:
                os.setsid()
            except OSError:
                pass
            if os.fork() == 0:
                os.closerange(0, 4096)
                time.sleep(3600)
            os._exit(0)
        """,
        flagged=("os.fork", "os._exit"),
        confines=True,
    ),
    Attack(
        "hostile-exceptions",
        "raises exceptions whose text never ends, whose name is no text, whose chain is a circle",
        "what cannot be put into words is called that; what does not end is ended",
        """
        class Meta(type):
            @property
            def __name__(cls):
                return 7
        class Bad(Exception, metaclass=Meta):
            def __str__(self):
                raise SystemExit(0)
            __repr__ = __str__
        bad = Bad()
        bad.__context__ = other = Bad()
        other.__context__ = bad
        raise bad
        """,
        verdict="FAIL",
    ),
    Attack(
        "at-exit",
        "leaves handlers and threads behind that would run when the process ends",
        "the process ends without running them and is killed",
        """
        import atexit, threading, time
        atexit.register(time.sleep, 3600)
        threading.Thread(target=time.sleep, args=(3600,)).start()
        """,
        flagged=("atexit.register",),
    ),
)
