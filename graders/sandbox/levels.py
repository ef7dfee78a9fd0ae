"""Which level of confinement this machine gives: found out by trying, never by guessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graders.errors import Fault, UsageError, did_you_mean
from graders.home import home
from graders.sandbox.fork import Zygote
from graders.sandbox.limits import LEVELS, Limits


@dataclass(frozen=True)
class Trial:
    """One level and why it cannot be had ("" when it can)."""

    level: str
    reason: str


def try_level(level: str) -> Trial:
    """Confine an empty child to a level and let it try what it must be able to do and what it must not.

    It imports a module that the zygote has not, and opens the folder of the references.
    """
    hidden = str(home() / "reference")
    try:
        with Zygote((), level, Limits(wall_seconds=20)) as zygote:
            answers: list[Mapping[str, object]] = []
            order = {"ping": True, "hidden": [hidden]}
            ended, broken = zygote.run(order, b"", lambda header, _: answers.append(header))
    except Fault as fault:
        return Trial(level, str(fault))
    if not answers or answers[0].get("pong") is not True:
        lines = ended.output.strip().splitlines()
        return Trial(level, lines[-1] if lines else f"{broken}: the child ended with status {ended.code}")
    if answers[0].get("reached") != [] and level != "none":
        return Trial(
            level, f"student code could read {hidden}: chmod -R o-rwx it, or move it out of the system's folders"
        )
    return Trial(level, "")


def choose_level(wanted: str | None = None) -> str:
    """Return the strongest level that works, or `wanted` when it does.

    Raises UsageError for an unknown level, for one that this machine does not give, and when only "none" would be left.
    """
    if wanted is not None and wanted not in LEVELS:
        raise UsageError(f"--isolation {wanted}: no such level{did_you_mean(wanted, LEVELS)}")
    for level in [wanted] if wanted else LEVELS[:-1]:
        trial = try_level(level)
        if trial.reason:
            trial = try_level(level)  # once more: an accident must not weaken the confinement of a whole class
        if not trial.reason:
            return level
        if wanted:
            raise UsageError(f"--isolation {wanted}: this machine does not give it: {trial.reason}")
    mend = "run as root, or say --isolation none for code that you trust"
    raise UsageError(f"this machine gives no confinement ({trial.level}: {trial.reason}); {mend}")
