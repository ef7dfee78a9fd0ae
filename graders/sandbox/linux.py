"""The system calls of the confinement that Python has no name for, through ctypes. Linux only."""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_AT_RECURSIVE, _ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 0x8000, 1, 2, 4

_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CLOSE_RANGE, _SYS_MOUNT_SETATTR, _SYS_LANDLOCK = 436, 442, 444
_CAPABILITY_VERSION_3 = 0x20080522
_HUGE, _MADV_COLLAPSE = 2 << 20, 25

# Landlock's rights on files, by ABI: what a rule may grant to a path that is no directory.
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process."""
    _check(_libc.prctl(option, *[ctypes.c_ulong(number) for number in (value, 0, 0, 0)]), f"prctl {option}")


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Call the system call of that name."""
    words = [None if word is None else word.encode() for word in (source, target, kind, options)]
    _check(_libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def read_only(target: str) -> None:
    """Make a mount and all below it read-only, without devices and set-uid programs."""
    attributes = struct.pack("QQQQ", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR, -100, target.encode(), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes))
    )
    _check(result, f"mount_setattr {target}")


def pivot(root: str) -> None:
    """Make `root` the root of this mount namespace and let go of the old one."""
    os.chdir(root)
    _check(_libc.syscall(_SYS_PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")


def close_except(keep: Iterable[int]) -> None:
    """Close every descriptor but these."""
    low = 0
    for descriptor in [*sorted(set(keep)), None]:
        high = 0xFFFFFFFF if descriptor is None else descriptor - 1
        if low <= high:
            _libc.syscall(_SYS_CLOSE_RANGE, ctypes.c_uint(low), ctypes.c_uint(high), 0)
        if descriptor is not None:
            low = descriptor + 1


def drop_capabilities() -> None:
    """Give up every capability."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")


def landlock_abi() -> int:
    """Return the version of Landlock, 0 where the kernel has none."""
    return max(0, int(_libc.syscall(_SYS_LANDLOCK, None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def landlock(read: Iterable[str], write: Iterable[str], devices: Iterable[str]) -> None:
    """Allow this process and all it starts these paths only; newer kernels deny network and signals to others too."""
    abi = landlock_abi()
    if abi < 1:
        raise OSError("the kernel has no Landlock")
    rights = (1 << 13) - 1
    for version, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        rights |= right if abi >= version else 0
    network, scope = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", rights, network, scope)[:size]
    ruleset = _check(
        _libc.syscall(_SYS_LANDLOCK, attributes, ctypes.c_size_t(size), ctypes.c_uint(0)), "landlock_create_ruleset"
    )
    for paths, granted in (
        (read, _EXECUTE | _READ | _READ_DIR),
        (write, rights & ~(_MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV)),
        (devices, _WRITE | _READ | _IOCTL_DEV),
    ):
        for path in paths:
            _allow(ruleset, path, granted & rights)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    _check(_libc.syscall(_SYS_LANDLOCK + 2, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL_DEV
    rule = struct.pack("=Qi", rights, descriptor)
    _check(_libc.syscall(_SYS_LANDLOCK + 1, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
    os.close(descriptor)


def join_pages() -> None:
    """Put the private memory of this process on huge pages, where the kernel does that: a fork then copies far less."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, mode, _, _, _, *name = line.split(maxsplit=5)
        if "w" not in mode or "s" in mode or (name and name[0] != "[heap]"):
            continue
        start, end = (int(word, 16) for word in addresses.split("-"))
        for piece in range(-(-start // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
            _libc.madvise(ctypes.c_void_p(piece), ctypes.c_size_t(_HUGE), _MADV_COLLAPSE)
