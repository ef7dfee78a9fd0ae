"""What a child may use, and which levels of confinement there are."""

from __future__ import annotations

from dataclasses import asdict, dataclass

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
    frame_bytes: int = 32 << 20

    def document(self) -> dict[str, float]:
        """Return the limits as JSON values."""
        return asdict(self)
