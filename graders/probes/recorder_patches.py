"""Attributes that a recorder replaces while it listens, and puts back. Standard library only."""

from __future__ import annotations

from typing import Any


class Patches:
    """What was replaced, in order."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any]] = []

    def replace(self, owner: Any, name: str, replacement: Any) -> None:
        """Set an attribute, to be taken back by `undo`."""
        self._replaced.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, replacement)

    def undo(self) -> None:
        """Put everything back."""
        while self._replaced:
            owner, name, original = self._replaced.pop()
            setattr(owner, name, original) if original is not None else delattr(owner, name)
