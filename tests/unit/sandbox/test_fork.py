"""Real zygotes without a framework: slices here fail while they load, so that no probe is reached."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.errors import Fault
from graders.home import home
from graders.model import Failure
from graders.probes import wire
from graders.sandbox import confine, frames, linux
from graders.sandbox.fork import Ended, Zygote
from graders.sandbox.levels import try_level
from graders.sandbox.limits import Limits
from tests.unit.evidence import piece

BARE = ("tests.unit.sandbox.stand_in",)
LIMITS = Limits(cpu_seconds=5, wall_seconds=10)
_reasons: dict[str, str] = {}


def need(level: str) -> None:
    """Skip the test where this machine does not give the level."""
    if level not in _reasons:
        _reasons[level] = try_level(level).reason
    if _reasons[level]:
        pytest.skip(f"this machine does not give the level {level}: {_reasons[level]}")


@dataclass(frozen=True)
class Run:
    """What came of one order: how loading failed, the child's end, what broke the stream, the names of its frames."""

    failure: Failure | None
    ended: Ended
    broken: str
    names: list[str]

    @property
    def message(self) -> str:
        """What the student's code told by raising it."""
        assert self.failure is not None
        assert self.failure.kind == "RuntimeError", self.failure
        return self.failure.message


def run(zygote: Zygote, *sources: str) -> Run:
    """Run statements as a student's slice."""
    document, blob = wire.pack_order(wire.Order("pixelcnn", "C3", 1, piece(*sources)))
    found: dict[str, Any] = {}

    def keep(header: dict[str, Any], body: bytes) -> None:
        name, experiment = wire.unpack(header, body)
        found.setdefault(name, experiment)

    ended, broken = zygote.run(document, blob, keep)
    loading = found.get("loading")
    return Run(loading.failure if loading else None, ended, broken, list(found))


def tells(expression: str) -> str:
    return f"raise RuntimeError({expression})"


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def zygote(request: pytest.FixtureRequest) -> Iterator[Zygote]:
    """One fork server for each of the levels that confine files and network."""
    need(request.param)
    with Zygote(BARE, request.param, LIMITS) as made:
        yield made


def limited(zygote: Zygote, **limits: Any) -> Zygote:
    """A fork server of the same level with other limits."""
    return Zygote(BARE, zygote.level, Limits(**{**LIMITS.document(), **limits}))


# What works ----------------------------------------------------------------------------------------------------------


def test_a_child_answers_and_ends(zygote: Zygote) -> None:
    answers: list[dict[str, Any]] = []
    ended, broken = zygote.run({"ping": True}, b"", lambda header, _: answers.append(header))
    assert (answers, broken) == ([{"pong": True, "reached": []}], "")
    assert ended.confined
    assert ended.reason in ("ended", "cancelled")


def test_an_exception_comes_back_with_its_line(zygote: Zygote) -> None:
    found = run(zygote, "x = 1", "1 / 0")
    assert found.failure == Failure("ZeroDivisionError", "division by zero", "cell 1, line 2")
    assert (found.broken, found.names) == ("", ["loading"])


def test_the_scratch_is_the_current_folder_and_can_be_written(zygote: Zygote) -> None:
    source = "open('notes.txt', 'w').write('hello')"
    assert run(zygote, source, "import os", tells("open('notes.txt').read() + ' ' + os.getcwd()")).message.startswith(
        "hello /"
    )


def test_nothing_of_one_child_is_left_for_the_next(zygote: Zygote) -> None:
    run(zygote, "open('notes.txt', 'w').write('hello')", "1 / 0")
    assert run(zygote, "import os", tells("os.listdir('.')")).message == "[]"


def test_many_children_at_a_time_do_not_get_in_each_others_way(zygote: Zygote) -> None:
    found: dict[int, str] = {}

    def one(number: int) -> None:
        found[number] = run(zygote, tells(f"'{number}'")).message

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: str(number) for number in range(6)}


def test_what_is_printed_is_kept_in_both_streams(zygote: Zygote) -> None:
    found = run(zygote, "import sys", "print('to out', flush=True)", "print('to err', file=sys.stderr)", "1 / 0")
    assert "to out" in found.ended.output
    assert "to err" in found.ended.output


# Limits --------------------------------------------------------------------------------------------------------------


def test_a_loop_without_end_is_ended_by_its_computing_time(zygote: Zygote) -> None:
    with limited(zygote, cpu_seconds=1) as quick:
        found = run(quick, "while True: pass")
    assert found.broken == "closed"
    assert found.ended.code in (-signal.SIGXCPU, -signal.SIGKILL)
    assert 0.5 <= found.ended.cpu_seconds < 3  # the limit counts ticks, which a busy machine rounds up


def test_a_loop_that_catches_everything_is_ended_all_the_same(zygote: Zygote) -> None:
    ignore = "try: signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError): pass"
    stubborn = f"import signal\nfor number in range(1, 65):\n    {ignore}"
    with limited(zygote, cpu_seconds=1) as quick:
        found = run(quick, stubborn, "while True:\n    try:\n        while True: pass\n    except BaseException: pass")
    assert found.ended.code == -signal.SIGKILL
    assert found.ended.cpu_seconds < 3.5


def test_sleeping_is_ended_by_the_clock(zygote: Zygote) -> None:
    started = time.monotonic()
    with limited(zygote, wall_seconds=0.5) as quick:
        found = run(quick, "import time", "time.sleep(60)")
    assert found.ended.reason == "timeout"
    assert found.ended.code == -signal.SIGKILL
    assert time.monotonic() - started < 5


def test_waiting_for_a_processor_that_others_use_is_not_counted(zygote: Zygote) -> None:
    """Five others on one core make two seconds of the clock out of a third of a second of computing."""
    core = min(os.sched_getaffinity(0))
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(5)]
    try:
        with limited(zygote, wall_seconds=0.7) as quick:
            for process in (quick._process.pid, *(other.pid for other in others)):
                os.sched_setaffinity(process, {core})
            work = "while time.process_time() < first + 0.25: pass"
            found = run(
                quick,
                "import time",
                "first, began = time.process_time(), time.monotonic()",
                work,
                tells("'late' if time.monotonic() - began > 0.7 else 'early'"),
            )
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert found.message == "late"


def test_leaving_by_os_exit_is_reported_with_its_status(zygote: Zygote) -> None:
    found = run(zygote, "import os", "os._exit(3)")
    assert (found.broken, found.ended.reason, found.ended.code, found.names) == ("closed", "ended", 3, [])


def test_a_crash_is_reported_with_its_signal(zygote: Zygote) -> None:
    found = run(zygote, "import ctypes", "ctypes.string_at(0)")
    assert (found.broken, found.ended.code) == ("closed", -signal.SIGSEGV)


def test_too_much_memory_is_a_memory_error(zygote: Zygote) -> None:
    with limited(zygote, memory_mb=200) as small:
        found = run(small, "hog = bytearray(400 << 20)")
        assert run(small, "modest = bytearray(50 << 20)", tells("'enough'")).message == "enough"
    assert found.failure is not None
    assert (found.failure.kind, found.failure.where) == ("memory", "cell 1, line 1")


def test_a_flood_of_output_is_capped_at_both_ends(zygote: Zygote) -> None:
    found = run(
        zygote, "print('first')", "for _ in range(300): print('x' * 10_000)", "print('last', flush=True)", "1 / 0"
    )
    assert found.failure is not None
    assert found.failure.kind == "ZeroDivisionError"
    assert len(found.ended.output) < LIMITS.output_bytes + 100
    assert found.ended.output.startswith("first\nxxx")
    assert "bytes left out" in found.ended.output
    assert found.ended.output.endswith("xxx\nlast\n")


def test_a_file_cannot_grow_without_end(zygote: Zygote) -> None:
    with limited(zygote, scratch_mb=4) as small:
        found = run(small, "with open('big', 'wb') as file:\n    for _ in range(64): file.write(bytes(1 << 20))")
    assert (found.failure is not None and found.failure.kind == "OSError") or found.ended.code == -signal.SIGXFSZ


def test_processes_cannot_multiply_without_end(zygote: Zygote) -> None:
    bomb = "import os, time\nfor _ in range(500):\n    if os.fork() == 0:\n        time.sleep(30)\n        os._exit(0)"
    with limited(zygote, processes=20) as small:
        found = run(small, bomb, "time.sleep(9)")
        assert become(small, False)
    denied = found.failure is not None and found.failure.kind == "BlockingIOError"
    assert denied or found.ended.reason == "processes"  # the system counts, or where others are counted too the monitor


def test_no_exit_status_is_taken_for_a_failed_confinement(zygote: Zygote) -> None:
    for status in range(90, 100):
        assert run(zygote, "import os", f"os._exit({status})").ended.code == status


def test_memory_that_no_process_is_charged_with_counts_too(zygote: Zygote) -> None:
    with limited(zygote, memory_mb=200) as small:
        touch = "for start in range(0, len(piece), 4096): piece[start] = 1"
        hoard = f"while True:\n    piece = mmap.mmap(-1, 64 << 20)\n    {touch}\n    hoard.append(piece)"
        found = run(small, "import mmap, os", "os.fork()", "hoard = []", hoard)
    assert (found.ended.reason, found.ended.code) == ("memory", -signal.SIGKILL)


def test_computing_time_is_added_up_over_all_processes(zygote: Zygote) -> None:
    with limited(zygote, cpu_seconds=1, wall_seconds=30) as quick:
        started = time.monotonic()
        found = run(quick, "import os", "[os.fork() for _ in range(5)]", "while True: pass")
        assert (found.ended.reason, become(quick, False)) == ("timeout", True)
    assert found.ended.cpu_seconds < 6
    assert time.monotonic() - started < 10  # 32 processes of a second each would take longer


def test_the_scratch_has_a_size_also_in_files_that_were_removed(zygote: Zygote) -> None:
    write = "held.append(open('big', 'wb', 0)); held[-1].write(bytes(3 << 20)); os.remove('big')"
    with limited(zygote, scratch_mb=4) as small:
        found = run(small, "import os, time", "held = []", f"for _ in range(9): {write}", "time.sleep(9)")
    assert found.ended.reason == "disk" or (found.failure is not None and "No space" in found.failure.message)


def test_the_scratch_holds_a_limited_number_of_files(zygote: Zygote) -> None:
    with limited(zygote, scratch_files=500) as small:
        found = run(small, "import os, time", "for number in range(900): os.mkdir(str(number))", "time.sleep(9)")
    assert found.ended.reason == "disk" or (found.failure is not None and "No space" in found.failure.message)


# Confinement ---------------------------------------------------------------------------------------------------------

REFERENCE = home() / "reference" / "pixelcnn" / "solution.py"
# Defines `allowed`: what of a list of actions was not denied by the system.
ALLOWED = """
import ctypes, os, socket
def allowed(*actions):
    done = []
    for action in actions:
        try:
            eval(action)
            done.append(action)
        except OSError:
            pass
    return done
"""


def allowed(zygote: Zygote, *actions: str) -> str:
    """Which of these expressions a child may evaluate, as text."""
    return run(zygote, ALLOWED, tells(f"allowed(*{actions!r})")).message


def test_files_that_are_none_of_its_business_cannot_be_read(zygote: Zygote) -> None:
    paths = ["/etc/shadow", "/etc/passwd", REFERENCE, Path(__file__), home() / "pyproject.toml", "/var/log"]
    assert allowed(zygote, *(f"os.open({str(path)!r}, os.O_RDONLY)" for path in paths)) == "[]"


def test_a_file_of_the_package_and_the_null_device_can_be_read(zygote: Zygote) -> None:
    actions = [f"open({str(home() / 'graders' / 'model.py')!r})", "open('/dev/null', 'w')", "open('/dev/urandom')"]
    assert allowed(zygote, *actions) == str(actions)


def test_folders_do_not_show_what_is_none_of_its_business(zygote: Zygote) -> None:
    secret = sorted(["reference", "tests", "rubrics", "pixelcnn", "shadow", ".ssh", ".bashrc"])
    folders = [str(folder) for folder in (home(), home() / "reference", Path.home(), "/etc")]
    listing = f"for folder in {folders!r}:\n    try: names += os.listdir(folder)\n    except OSError: pass"
    found = run(zygote, "import os", "names = []", listing, tells(f"sorted(set(names) & set({secret!r}))"))
    assert set(secret) & set(os.listdir(home()))
    assert found.message == "[]"


def test_nothing_outside_the_scratch_can_be_written(zygote: Zygote) -> None:
    folders = ["/etc", "/usr", "", home(), home() / "graders", Path.home(), "/dev", "/var/tmp"]
    targets = [Path(f"{folder}/graders-test-{os.getpid()}") for folder in folders]
    assert allowed(zygote, *(f"open({str(path)!r}, 'w')" for path in targets)) == "[]"
    assert allowed(zygote, *(f"os.mkdir({str(path)!r})" for path in targets)) == "[]"
    assert not any(path.exists() for path in targets)


CHANGES = ("open({}, 'a')", "os.truncate({}, 0)", "os.remove({})", "os.rename({}, 'x')", "os.link({}, 'x')")


def test_no_file_of_others_can_be_changed_removed_or_renamed(zygote: Zygote, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    assert allowed(zygote, *(change.format(repr(str(mine))) for change in CHANGES)) == "[]"
    assert mine.read_text() == "mine"


def test_no_mode_or_time_of_a_file_of_others_can_be_changed(zygote: Zygote, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    before = mine.stat()
    allowed(zygote, f"os.chmod({str(mine)!r}, 0o777)", f"os.utime({str(mine)!r}, (1, 1))")
    assert (mine.stat().st_mode, mine.stat().st_mtime) == (before.st_mode, before.st_mtime)


def test_no_socket_to_the_network_can_be_had(zygote: Zygote) -> None:
    families = [("AF_INET", "STREAM"), ("AF_INET6", "DGRAM"), ("AF_NETLINK", "RAW"), ("AF_PACKET", "RAW")]
    actions = [f"socket.socket(socket.{family}, socket.SOCK_{kind})" for family, kind in families]
    assert allowed(zygote, *actions) == "[]"


def test_no_unix_socket_can_be_had_but_a_pair(zygote: Zygote) -> None:
    assert allowed(zygote, "socket.socket(socket.AF_UNIX)", "socket.socketpair()") == "['socket.socketpair()']"


def test_nothing_can_be_left_in_shared_memory_queues_or_files_without_a_name(zygote: Zygote) -> None:
    calls = ("shmget(7, 4096, 0o1666)", "msgget(7, 0o1666)", "semget(7, 1, 0o1666)", "mq_open(b'/x', 66, 438, 0)")
    answers = ", ".join(f"ctypes.CDLL(None).{call}" for call in (*calls, "memfd_create(b'x', 0)"))
    assert run(zygote, "import ctypes", tells(f"[{answers}]")).message == str([-1] * 5)


def test_it_sets_its_own_limits_and_no_one_else_s(zygote: Zygote) -> None:
    before = resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE)
    mine, other = (f"resource.prlimit({pid}, resource.RLIMIT_NOFILE, (90, 90))" for pid in (0, os.getpid()))
    found = run(zygote, ALLOWED, "import resource", tells(f"allowed({mine!r}, {other!r})"))
    assert found.message == str([mine])
    assert resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE) == before


def test_no_memory_is_shared_with_the_zygote(zygote: Zygote) -> None:
    read = "maps = [line for line in open('/proc/self/maps') if line.split()[1][1::2] == 'ws']"
    assert run(zygote, read, tells("maps")).message == "[]"


def test_where_landlock_does_not_keep_signals_in_the_filter_does() -> None:
    victim, code = os.getpid(), 0
    child = os.fork()
    if child == 0:
        try:
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            confine.deny_system_calls(beside_others=True, signals=True)
            for kill in (lambda: os.kill(victim, 0), lambda: os.killpg(0, 0), lambda: fcntl.fcntl(0, 8, victim)):
                with contextlib.suppress(OSError):
                    kill()
                    code = 1
            os.kill(os.getpid(), 0)
        except BaseException:
            code = 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_no_other_process_can_be_killed(zygote: Zygote) -> None:
    if zygote.level == "no-namespaces" and linux.landlock_abi() < 6:
        pytest.skip(f"Landlock {linux.landlock_abi()} of this kernel does not rule signals (6 does)")
    assert allowed(zygote, f"os.kill({os.getpid()}, 0)", f"os.kill({zygote._process.pid}, 0)") == "[]"


def test_no_tracing_namespace_mount_or_root_can_be_had(zygote: Zygote) -> None:
    calls = ["ptrace(0, 0, 0, 0)", "unshare(0x10000000)", "unshare(0x20000)", "mount(b'x', b'/tmp', b'tmpfs', 0, 0)"]
    answers = ", ".join(f"ctypes.CDLL(None).{call}" for call in (*calls, "chroot(b'.')", "setns(0, 0)"))
    assert run(zygote, "import ctypes", tells(f"[{answers}]")).message == str([-1] * 6)


def test_no_rights_are_left_even_when_root_grades(zygote: Zygote) -> None:
    read = "lines = [line.split() for line in open('/proc/self/status')]"
    held = "[words[1] for words in lines if words[0] in ('CapEff:', 'CapPrm:', 'NoNewPrivs:')]"
    assert run(zygote, read, tells(held)).message == str(["0" * 16, "0" * 16, "1"])


def test_no_descriptor_is_open_but_the_streams_and_the_channel(zygote: Zygote) -> None:
    told = run(zygote, "import os", tells("sorted(map(int, os.listdir('/proc/self/fd')))")).message
    assert len(json.loads(told)) <= 5  # three streams, the channel, the listing itself


def test_with_namespaces_it_is_the_first_process_and_sees_no_other() -> None:
    need("full")
    with Zygote(BARE, "full", LIMITS) as full:
        told = run(full, "import os", tells("[os.getpid(), [n for n in os.listdir('/proc') if n.isdigit()]]")).message
    assert told == "[1, ['1']]"


# Hostile frames ------------------------------------------------------------------------------------------------------

# Defines `channel`: the socket that the evidence goes through, which student code can find.
CHANNEL = """
import json, os, socket, struct
for descriptor in range(3, 64):
    try:
        channel = socket.socket(fileno=descriptor)
        break
    except OSError:
        pass
def send(text, blob=b""):
    channel.sendall(struct.pack("<II", len(text), len(blob)) + text + blob)
"""


@pytest.mark.parametrize(
    ("sent", "broken"),
    [
        ("channel.sendall(b'x' * 64)", "over the cap"),
        ("send(b'{')", "not JSON"),
        ("send(b'[]')", "not an object"),
        ("channel.sendall(bytes([9, 0, 0, 0, 0, 0, 0, 0, 123])); channel.shutdown(2)", "closed within a frame"),
        ("channel.shutdown(2)", "closed"),
    ],
)
def test_what_is_no_frame_ends_the_run_and_says_so(zygote: Zygote, sent: str, broken: str) -> None:
    assert broken in run(zygote, CHANNEL, sent, "1 / 0").broken


def test_a_frame_of_an_experiment_is_evidence_and_no_more_whoever_sends_it(zygote: Zygote) -> None:
    found = run(zygote, CHANNEL, """send(b'{"experiment": "main", "values": {}, "verdict": "PASS"}')""", "1 / 0")
    assert found.names == ["main", "loading"]


def test_arrays_beyond_the_budget_of_a_run_are_refused(zygote: Zygote) -> None:
    flood = """for _ in range(8): send(b'{"experiment": "a", "values": {}}', bytes(1 << 18))"""
    with limited(zygote, frame_bytes=1 << 20) as small:
        assert "over the cap" in run(small, CHANNEL, flood, "1 / 0").broken


def test_frames_without_end_are_refused(zygote: Zygote) -> None:
    forged = """send(json.dumps({"experiment": f"{number}", "values": {}}).encode())"""
    found = run(zygote, CHANNEL, f"for number in range(1000): {forged}", "1 / 0")
    assert found.broken == "more than 100 frames"
    assert len(found.names) == 100


def test_values_beyond_the_cap_of_a_header_are_refused(zygote: Zygote) -> None:
    forged = """send(json.dumps({"experiment": "a", "values": {"text": "x" * 300_000}}).encode())"""
    assert "over the cap" in run(zygote, CHANNEL, forged, "1 / 0").broken


# What is left behind -------------------------------------------------------------------------------------------------


def processes_of(zygote: Zygote) -> int:
    """How many processes have the environment of a zygote besides itself."""
    marker, found = f"HOME={zygote._stage}".encode(), 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            marked = marker in (folder / "environ").read_bytes().split(b"\0")
            found += marked and int(folder.name) != zygote._process.pid
    return found


def become(zygote: Zygote, wanted: bool) -> bool:
    """Wait a while for a zygote to have processes, or to have none; return whether it came so."""
    end = time.monotonic() + 5
    while (processes_of(zygote) > 0) is not wanted and time.monotonic() < end:
        time.sleep(0.01)
    return (processes_of(zygote) > 0) is wanted


@pytest.mark.parametrize("hides", ["", "os.setsid()", "os.setsid(); os.fork() and os._exit(0)"])
def test_a_process_that_is_left_behind_is_killed(zygote: Zygote, hides: str) -> None:
    left = f"import os, time\nif os.fork() == 0:\n    {hides or 'pass'}\n    time.sleep(60)\n    os._exit(0)"
    assert run(zygote, left, "time.sleep(0.1)", tells("'left'")).message == "left"
    assert become(zygote, False)


def test_a_child_is_killed_when_the_trusted_side_goes_away(zygote: Zygote) -> None:
    document, blob = wire.pack_order(wire.Order("pixelcnn", "C3", 1, piece("import time", "time.sleep(60)")))
    control, data = zygote._spawn()
    with control, data:
        frames.send(data, document, blob)
        assert become(zygote, True)
    assert become(zygote, False)


# A GPU ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def gpu(tmp_path: Path) -> str:
    """Return a device file that is none of those that every child sees; it stands for a GPU's and takes every write."""
    node = tmp_path / "nvidia0"
    try:
        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.chmod(node, 0o666)
        node.write_bytes(b"x")
    except OSError as error:
        pytest.skip(f"no device file can be made and used here: {error}")
    return str(node)


@pytest.mark.parametrize("level", ["full", "no-namespaces"])
def test_a_device_is_reached_when_it_is_let_in_and_else_not(level: str, gpu: str) -> None:
    need(level)
    use = tells(f"open({gpu!r}, 'wb', buffering=0).write(b'x')")
    with Zygote(BARE, level, LIMITS, (gpu,)) as open_, Zygote(BARE, level, LIMITS) as closed:
        assert run(open_, use).message == "1"
        failure = run(closed, use).failure
        assert failure is not None
        assert failure.kind in ("FileNotFoundError", "PermissionError")


def test_gpus_are_hidden_unless_they_are_let_in(gpu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    told = "os.environ['CUDA_VISIBLE_DEVICES'] + ' ' + os.environ.get('TF_FORCE_GPU_ALLOW_GROWTH', 'unset')"
    tell = ("import os", tells(told))
    with Zygote(BARE, "none", LIMITS, (gpu,)) as open_, Zygote(BARE, "none", LIMITS) as closed:
        assert (run(open_, *tell).message, run(closed, *tell).message) == ("3 true", "-1 unset")


# A zygote that dies --------------------------------------------------------------------------------------------------


def ask_a_killed_zygote() -> list[str]:
    """Ask a zygote that was killed for a child, which is our fault; return what is said of things left open."""
    with Zygote(BARE, "none", LIMITS) as mortal, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mortal._process.kill()
        mortal._process.wait()
        with pytest.raises(Fault, match=r"^the zygote has died$"):
            run(mortal, "1 / 0")
        gc.collect()
    return [str(warning.message) for warning in said]


def test_an_order_for_a_zygote_that_was_killed_is_our_fault() -> None:
    ask_a_killed_zygote()


def test_an_order_for_a_zygote_that_was_killed_leaves_nothing_open() -> None:
    assert ask_a_killed_zygote() == []


def test_a_child_that_already_runs_outlives_its_zygote() -> None:
    with Zygote(BARE, "none", LIMITS) as mortal:
        found: list[Run] = []
        working = threading.Thread(target=lambda: found.append(run(mortal, "import time; time.sleep(0.3)", "1 / 0")))
        working.start()
        assert become(mortal, True)
        mortal._process.kill()
        working.join()
    assert found[0].failure == Failure("ZeroDivisionError", "division by zero", "cell 1, line 2")


def test_a_module_that_is_not_there_is_our_fault_and_named() -> None:
    with pytest.raises(Fault, match="did not start: ModuleNotFoundError: No module named 'no_such_module'"):
        Zygote(("no_such_module",), "none", LIMITS)


def test_a_zygote_tells_the_versions_of_what_it_imported() -> None:
    with Zygote(("numpy", "shlex"), "none", LIMITS) as made:
        assert made.versions == {"numpy": np.__version__, "shlex": ""}


def test_closing_leaves_no_folder_and_no_process() -> None:
    made = Zygote(BARE, "none", LIMITS)
    stage, pid = made._stage, made._process.pid
    made.close()
    assert not Path(stage).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# Speed ---------------------------------------------------------------------------------------------------------------


def test_children_of_joined_pages_work_like_the_first(zygote: Zygote) -> None:
    """After some children the zygote puts its memory on huge pages; what it forks then still has all of it."""
    for number in range(14):
        assert run(zygote, tells(f"str(sum(range({number})))")).message == str(sum(range(number)))


def test_joining_pages_changes_no_byte_and_makes_huge_pages_where_the_kernel_has_them() -> None:
    program = (
        "import ctypes, mmap\n"
        "from graders.sandbox import linux\n"
        "data = mmap.mmap(-1, 32 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "data[:] = bytes(range(256)) * (32 << 12)\n"
        "linux.join_pages()\n"
        "assert data[:] == bytes(range(256)) * (32 << 12)\n"
        "start = ctypes.addressof(ctypes.c_char.from_buffer(data)) + (2 << 20) & -(2 << 20)\n"
        "able = not ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(2 << 20), 25)\n"
        "lines = open('/proc/self/smaps_rollup').read().splitlines()\n"
        "huge = next(int(line.split()[1]) for line in lines if line.startswith('AnonHugePages'))\n"
        "print('able' if able else 'unable', huge >= 16 << 10)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("able True", "unable False")
