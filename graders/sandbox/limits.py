"""What a child may use, and which levels of confinement there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from graders.errors import UsageError, did_you_mean

# From the strongest to none; the words that reports and `graders doctor` use.
LEVELS = ("full", "no-namespaces", "uid", "none")

LEVEL_MEANING = {
    "full": "namespaces, a root of its own, size-limited scratch, rlimits, Landlock, seccomp",
    "no-namespaces": "Landlock, seccomp, rlimits, subreaper; no namespaces",
    "uid": "a user id of its own, seccomp, rlimits; no Landlock, no namespaces",
    "none": "nothing but a process of its own: for code that you trust",
}


@dataclass(frozen=True)
class Limits:
    """Limits of one child and all that it starts.

    CPU time is the measure of a hang: a busy machine must not cost a student marks.
    """

    cpu_seconds: int = 30
    wall_seconds: float = 90.0
    memory_mb: int = 3072
    scratch_mb: int = 64
    scratch_files: int = 10_000
    processes: int = 128
    files: int = 512
    output_bytes: int = 16 << 10
    frame_bytes: int = 32 << 20  # of all frames together
    largest_frame: int = 64 << 20  # bytes: a frame is held in memory as a whole
    frames: int = 100  # a probe has about twenty experiments

    def document(self) -> dict[str, float]:
        """Return the limits as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Equipment:
    """What a child gets besides its order.

    `descriptors` are sent right after the order; `folders` are writable folders of its own root, which only the level
    "full" has; `given` are folders of this machine that it may read, at `given_at`, and not write; `unix_sockets` says
    whether it may make them: none that runs student code may.
    """

    descriptors: tuple[int, ...] = ()
    folders: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    unix_sockets: bool = False


NOTHING = Equipment()
_GIVEN = "/given"


def given_at(level: str, folders: Sequence[str]) -> list[str]:
    """Return where a child of a level finds folders that it is given: in a root of its own by number alone.

    >>> given_at("full", ["/home/ann/train"]), given_at("uid", ["/home/ann/train"])
    (['/given/0'], ['/home/ann/train'])
    """
    return [f"{_GIVEN}/{number}" if level == "full" else folder for number, folder in enumerate(folders)]


DEVICES = ("cpu", "cuda")
_GPU_FILES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*", "nvidia-modeset", "nvidia-caps/*")


def device_files(device: str, folder: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the files through which children reach a device: none for the CPU.

    Raises UsageError for an unknown device and for a GPU that is not there.
    """
    if device not in DEVICES:
        raise UsageError(f"--device {device}: no such device{did_you_mean(device, DEVICES)}")
    if device == "cpu":
        return ()
    found = tuple(sorted(str(path) for pattern in _GPU_FILES for path in folder.glob(pattern) if not path.is_dir()))
    if not found:
        raise UsageError(f"--device cuda: no GPU of NVIDIA's here, {folder} holds no nvidia*; grade with --device cpu")
    return found
