"""Answers the magics of a notebook that is trained, in the child: a file is written, a script run; the rest is said.

Those that only time their Python are gone by then: see `graders.execute.paths.timed`.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

from graders.notebook.cells import WRITING_MAGICS


class Shell:
    """What `get_ipython()` returns."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        """Write a cell that is a file."""
        words = shlex.split(line)
        if name not in WRITING_MAGICS or not words:
            print(f"not run here: %%{name}")
            return
        with Path(words[-1]).open("a" if "-a" in words[:-1] else "w", encoding="utf-8") as file:
            file.write(body)

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        """Run a script, or go to a folder."""
        words = shlex.split(line) if name in ("cd", "run") else []
        if not words:
            print(f"not run here: %{name} {line}")
        elif name == "cd":
            os.chdir(os.path.expanduser(words[0]))
        else:
            sys.argv = words
            with contextlib.suppress(SystemExit):
                self.namespace.update(runpy.run_path(words[0], run_name="__main__"))

    def getoutput(self, command: str, *_: Any) -> list[str]:
        """Return the lines that a command prints: none."""
        print(f"not run here: {command}")
        return []

    def display(self, *objects: Any, **_: Any) -> None:
        """Print what a notebook shows."""
        print(*objects)

    def __getattr__(self, name: str) -> Any:
        return lambda *words, **_: print(f"not run here: {' '.join(map(str, words)) or name}")
