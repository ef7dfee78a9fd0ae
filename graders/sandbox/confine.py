"""Confinement of one child: applied after the fork, before any student code, while there is one thread.

The order matters: namespaces, then a root of its own, then the user id, then limits, Landlock, capabilities, seccomp;
each step needs what the next one takes away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graders.sandbox import linux, usage
from graders.sandbox.limits import Limits, given_at

SCRATCH = "/scratch"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_ETC = ("/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf")
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")

# Denied outright: tracing, mounting, namespaces, kernel modules, keys, clocks, everything that a probe never needs.
_DENIED = (
    "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module "
    "fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp "
    "kexec_file_load kexec_load keyctl lookup_dcookie modify_ldt mount mount_setattr move_mount "
    "name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root "
    "process_madvise process_vm_readv process_vm_writev ptrace quotactl reboot request_key setdomainname "
    "sethostname setns settimeofday swapoff swapon sysfs syslog umount2 unshare uselib userfaultfd ustat vhangup "
    # What would outlive a child, or hold memory that no process is seen to hold.
    "mq_notify mq_open mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmget "
    "memfd_create memfd_secret socket"
).split()
# Beside other processes of one's own user: what would slow them down, turn into them or hand memory out of sight.
_DENIED_BESIDE_OTHERS = "sendmmsg sendmsg setfsgid setfsuid setgid setregid setresgid setresuid setreuid setuid".split()
_PRIORITIES = (
    "ioprio_set migrate_pages move_pages sched_setaffinity sched_setattr sched_setparam sched_setscheduler setpriority"
).split()
_SIGNALS = "kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill".split()
# Landlock knows no rule for these. Where a child shares its user id with the files' owner they are answered, not done.
_UNRULED = (
    "chmod chown fchmod fchmodat fchmodat2 fchown fchownat fremovexattr fsetxattr futimesat lchown lremovexattr "
    "lsetxattr removexattr setxattr utime utimensat utimes"
).split()
_TIOCSTI = 0x5412  # pushes characters into a terminal
_SCOPES_SIGNALS = 6  # the first version of Landlock that keeps signals from other processes
_WIDE = 2  # times the limit: others of this user may start and end meanwhile, and a bomb must not starve its monitor
_OWNERS = (8, 15)  # F_SETOWN, F_SETOWN_EX: who gets the signals of a descriptor
# What belongs to an interpreter below its prefix, which may be a course's own folder with everything else in it.
_INTERPRETER = ("bin", "etc", "include", "lib", "lib64", "libexec", "pyvenv.cfg", "share", "ssl")


def readable_paths() -> list[str]:
    """Return the folders that the interpreter and its packages need: never the reference, never submissions."""
    package = Path(__file__).resolve().parent.parent
    folders = {os.path.dirname(os.path.realpath(sys.executable)), str(package)}
    parts = [os.path.join(prefix, part) for prefix in (sys.prefix, sys.base_prefix) for part in _INTERPRETER]
    folders |= {path for path in parts if os.path.exists(path)}
    folders |= {entry for entry in sys.path if entry and os.path.isdir(entry) and "site-packages" in entry}
    outermost: list[str] = []
    for folder in sorted(os.path.realpath(entry) for entry in folders):
        if not any(folder == other or folder.startswith(other + "/") for other in (*outermost, *_SYSTEM)):
            outermost.append(folder)
    return outermost


def enter_namespaces() -> bool:
    """Unshare all but the mounts, of which the monitor keeps its own view.

    Return whether real root did it, who needs no user namespace and can become another user.
    """
    spaces = linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS
    if os.getuid() == 0:
        try:
            linux.unshare(spaces)
        except PermissionError:  # root of a container: a user namespace may still be had
            pass
        else:
            return True
    user, group = os.getuid(), os.getgid()
    linux.unshare(spaces | linux.NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return False


def build_root(
    stage: str, limits: Limits, devices: Sequence[str] = (), folders: Sequence[str] = (), given: Sequence[str] = ()
) -> None:
    """Make a root that holds the system, the interpreter, a scratch of limited size, and nothing else; move into it.

    `devices` are those of a GPU; its driver also looks into /sys. `folders` at the top of it are parts of the scratch;
    `given` folders are in it to be read.
    """
    linux.unshare(linux.NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", stage, "tmpfs", linux.MS_NOSUID, "size=4m,mode=755")
    for folder in ("proc", "tmp", "dev/shm", SCRATCH[1:]):
        os.makedirs(f"{stage}/{folder}", exist_ok=True)
    linux.mount("proc", f"{stage}/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    options = f"size={limits.scratch_mb}m,nr_inodes={limits.scratch_files},mode=1777"
    for folder in (SCRATCH[1:], "tmp", "dev/shm"):
        linux.mount("tmpfs", f"{stage}/{folder}", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    for folder in folders:
        for path in (f"{stage}{SCRATCH}{folder}", stage + folder):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o1777)
        linux.mount(f"{stage}{SCRATCH}{folder}", stage + folder, None, linux.MS_BIND)
    # After the scratch: the interpreter or the project may itself lie below /tmp.
    for path in (*_SYSTEM, *_ETC, *readable_paths(), *_driver_paths(devices)):
        _bind(path, stage)
    for folder, place in zip(given, given_at("full", given), strict=True):
        _bind_folder(folder, stage + place)
    for device in (*_DEVICES, *devices):
        _bind(device, stage, writable=True)
    linux.pivot(stage)
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID)


def _driver_paths(devices: Sequence[str]) -> tuple[str, ...]:
    return ("/sys",) if devices else ()


def _bind(path: str, stage: str, writable: bool = False) -> None:
    target = stage + path
    if os.path.islink(path) and path in _SYSTEM:
        os.symlink(os.readlink(path), target)
    elif os.path.isdir(path):
        _bind_folder(path, target)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
        linux.mount(path, target, None, linux.MS_BIND)
        if not writable:
            linux.read_only(target)


def _bind_folder(path: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    linux.mount(path, target, None, linux.MS_BIND | linux.MS_REC)
    linux.read_only(target)


def become(uid: int) -> None:
    """Become a user of its own, so that its processes are counted apart and own nothing."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def be_counted_as(uid: int) -> None:
    """Take a real user id besides root's effective one: Linux counts processes by it, and root's not at all.

    A root that may not do so is not the machine's own root, and is counted.
    """
    with contextlib.suppress(OSError):
        os.setresuid(uid, -1, -1)


def set_limits(limits: Limits, others: int) -> None:
    """Set the rlimits; RLIMIT_DATA, not RLIMIT_AS, since GPU drivers reserve address space that they never use.

    `others` are the threads that this user has besides: Linux counts them too, so the limit is wide where there are
    some, and the monitor counts the child's own.
    """
    processes = limits.processes if not others else others + _WIDE * limits.processes
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, limits.memory_mb << 20),
        (resource.RLIMIT_FSIZE, limits.scratch_mb << 20),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_NPROC, processes),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    # CPU time counts from the fork: the zygote's own does not count.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))


def deny_system_calls(
    beside_others: bool = False, signals: bool = False, answered: Sequence[str] = (), unix_sockets: bool = False
) -> None:
    """Load the seccomp filter: no tracing, mounting, namespaces or sockets, no limits of other processes.

    `beside_others` says that no namespace hides the user's other processes, `signals` that nothing else keeps signals
    from them. The calls in `answered` report success and do nothing. `unix_sockets` lets this one kind be made.
    """
    import pyseccomp as seccomp

    filter_ = seccomp.SyscallFilter(seccomp.ALLOW)
    denied = seccomp.ERRNO(errno.EPERM)
    rules: list[tuple[str, Any, tuple[Any, ...]]] = [
        (name, denied, ()) for name in (*_DENIED, *(_DENIED_BESIDE_OTHERS if beside_others else ()))
    ]
    if unix_sockets:
        rules.remove(("socket", denied, ()))
        rules.append(("socket", denied, (seccomp.Arg(0, seccomp.NE, socket.AF_UNIX),)))
    rules += [(name, seccomp.ERRNO(0), ()) for name in answered]
    rules.append(("clone3", seccomp.ERRNO(errno.ENOSYS), ()))  # its flags cannot be seen; libc falls back to clone
    rules.append(("clone", denied, (seccomp.Arg(0, seccomp.MASKED_EQ, linux.NEWUSER, linux.NEWUSER),)))
    rules.append(("ioctl", denied, (seccomp.Arg(1, seccomp.EQ, _TIOCSTI),)))
    rules.append(("socketpair", seccomp.ERRNO(errno.EAFNOSUPPORT), (seccomp.Arg(0, seccomp.GT, 1),)))
    rules.append(("prlimit64", denied, (seccomp.Arg(0, seccomp.NE, 0),)))
    if signals:
        rules += [(name, denied, (seccomp.Arg(0, seccomp.NE, os.getpid()),)) for name in _SIGNALS]
        rules += [("fcntl", denied, (seccomp.Arg(1, seccomp.EQ, command),)) for command in _OWNERS]
    for name, answer, arguments in rules:
        try:
            filter_.add_rule(answer, name, *arguments)
        except (OSError, ValueError, RuntimeError):
            if arguments or name == "socket":
                raise
            continue  # a system call that this architecture does not have
    filter_.load()


def confine(
    level: str,
    limits: Limits,
    *,
    scratch: str,
    stage: str,
    uid: int,
    own_root: bool,
    devices: Sequence[str] = (),
    folders: Sequence[str] = (),
    given: Sequence[str] = (),
    unix_sockets: bool = False,
) -> None:
    """Confine this process to `level`, with these devices let in. `own_root`: real root made the namespaces.

    Raises OSError when the machine does not give the level; nothing of the student's has run by then.
    """
    linux.prctl(linux.PR_SET_PDEATHSIG, 9)
    Path("/proc/self/oom_score_adj").write_text("1000")  # when memory runs out it is the first to go
    others = 0 if own_root or (os.getuid() == 0 and level in ("no-namespaces", "uid")) else usage.tasks_of_user()
    if level == "full":
        build_root(stage, limits, devices, folders, given)
        if own_root:
            become(uid)
    elif level == "uid":
        if os.getuid() != 0:
            raise PermissionError("only root can give each child a user of its own")
        os.chown(scratch, uid, uid)
        become(uid)
    os.chdir(scratch)
    set_limits(limits, others)
    if level == "no-namespaces" and os.getuid() == 0:
        be_counted_as(uid)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if level in ("full", "no-namespaces"):
        read = (
            ["/"] if level == "full" else [*_SYSTEM, *_ETC, "/proc", *given, *readable_paths(), *_driver_paths(devices)]
        )
        writable = [scratch, "/tmp", "/dev/shm", *folders] if level == "full" else [scratch]
        linux.landlock(read, writable, (*_DEVICES, *devices))
        linux.drop_capabilities()
    if level == "full":
        deny_system_calls(unix_sockets=unix_sockets)
    elif level == "no-namespaces":
        scoped = linux.landlock_abi() >= _SCOPES_SIGNALS
        answered = (*_UNRULED, *_PRIORITIES)
        deny_system_calls(beside_others=True, signals=not scoped, answered=answered, unix_sockets=unix_sockets)
    elif level == "uid":
        deny_system_calls(beside_others=True, answered=_PRIORITIES, unix_sockets=unix_sockets)
    linux.prctl(linux.PR_SET_PDEATHSIG, 9)  # again: a change of user clears it
