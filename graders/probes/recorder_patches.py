"""Attributes that a recorder replaces while it listens, and puts back. Standard library only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Replace = Callable[[Any, str, Any], None]
Original = Callable[..., Any]


class Patches:
    """What was replaced, and how it is put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def replace(self, owner: Any, name: str, replacement: Any) -> None:
        """Set an attribute, to be taken back by `undo`."""
        own = vars(owner).get(name)
        back = (
            functools.partial(setattr, owner, name, own) if own is not None else functools.partial(delattr, owner, name)
        )
        self.later(back)
        setattr(owner, name, replacement)

    def later(self, undo: Callable[[], Any]) -> None:
        """Have something called by `undo`."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back, the last replaced first."""
        while self._undo:
            self._undo.pop()()


def around(recorder: Any, hook: Callable[..., Any], original: Original) -> Original:
    """Return a method that calls `hook(recorder, original, owner, ...)` in place of `original(owner, ...)`."""

    @functools.wraps(original)
    def method(owner: Any, *args: Any, **kwargs: Any) -> Any:
        return hook(recorder, original, owner, *args, **kwargs)

    return method
