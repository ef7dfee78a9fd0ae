"""Answers, in the child, what a notebook asks of Colab and of the network: a line in place of the deed, and a note."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

_SUDO = r"(?:sudo\s+(?:-\S+\s+)*)?"
_INSTALLS = re.compile(
    rf"^{_SUDO}(?:\S*python[\d.]*\s+-m\s+pip|pip[\d.]*|uv|apt|apt-get|aptitude|dpkg|conda|mamba|add-apt-repository)\b"
)
_DOWNLOADS = re.compile(rf"^{_SUDO}(?:wget|curl|gdown|kaggle|aria2c|git\s+clone|gsutil|rclone|megadl)\b")
_UNPACKS = re.compile(rf"^{_SUDO}(?:unzip|tar|7z|7za|unrar|gunzip)\b")
_COMMANDS = re.compile(r"&&|\|\||[;|\n]")
_FRAMEWORKS = ("tensorflow", "keras", "torch", "numpy", "matplotlib")
_INSTALLING_MAGICS = ("pip", "conda", "mamba", "micromamba", "uv")
Note = Callable[[str], None]


def install(shell: Any, note: Note) -> None:
    """Put the answers in place, in the shell and among the modules."""

    def tell(text: str) -> None:
        print(text)
        note(text)

    shell.system = shell.system_piped = shell.system_raw = lambda command: _system(shell, command, tell)
    shell.getoutput = lambda command, split=True, depth=0: _output(shell, command, split, tell)
    for name in _INSTALLING_MAGICS:
        shell.register_magic_function(_magic(name, tell), "line", name)
    answer_imports(tell)
    shell.user_ns |= {"exit": sys.exit, "quit": sys.exit}  # the kernel stays: what follows may be graded


# Commands -------------------------------------------------------------------------------------------------------------


def _magic(name: str, tell: Note) -> Callable[[str], None]:
    return lambda line: tell(f"not run here: %{name} {line}; {installed()}")


def _system(shell: Any, command: str, tell: Note) -> None:
    """Run a command of the notebook's and print what it prints, as it comes."""
    command = shell.var_expand(command, depth=1)
    shell.user_ns["_exit_code"] = 0
    if refusal := refused(command):
        tell(refusal)
        return
    with _started(command) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
    shell.user_ns["_exit_code"] = process.returncode


def _output(shell: Any, command: str, split: bool, tell: Note) -> Any:
    from IPython.utils.text import LSString, SList

    command = shell.var_expand(command, depth=1)
    if refusal := refused(command):
        tell(refusal)
        text = ""
    else:
        text, _ = _started(command).communicate()
    return SList(text.splitlines()) if split else LSString(text)


def _started(command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def refused(command: str) -> str:
    """Return the line that answers a command which is not run here, "" for one that is.

    >>> refused("ls -l && wget https://example.org/pa2.zip")
    'not run here: ls -l && wget https://example.org/pa2.zip; there is no network'
    >>> refused("mkdir -p tar")
    ''
    """
    for part in _COMMANDS.split(command):
        words = part.strip()
        for pattern, answer in ((_INSTALLS, installed), (_DOWNLOADS, _no_network), (_UNPACKS, _unpacked)):
            if pattern.match(words):
                return f"not run here: {command.strip()}; {answer()}"
    return ""


def installed() -> str:
    """Return which frameworks there are, as far as they are imported."""
    versions = {name: getattr(sys.modules.get(name), "__version__", "") for name in _FRAMEWORKS}
    return "what is installed is " + ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _no_network() -> str:
    return "there is no network"


def _unpacked() -> str:
    return "the data are unpacked already"


# Modules --------------------------------------------------------------------------------------------------------------


def answer_imports(tell: Note) -> None:
    """Answer imports of Colab's modules, and of tqdm's for notebooks; and self-checks."""
    sys.modules |= _colab(tell)
    sys.meta_path.insert(0, _PlainTqdms())
    sys.modules["graders"].check = _unchecked  # type: ignore[attr-defined] # it has no kit here


class _Colab(types.ModuleType):
    """A module of Colab's whose every function says that it was not run."""

    def __init__(self, name: str, tell: Note) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def answer(*arguments: Any, **named: Any) -> dict[str, Any]:
            self._tell(f"not run here: {self.__name__}.{name}({', '.join(map(repr, arguments))[:200]})")
            return {}

        return answer


def _colab(tell: Note) -> dict[str, types.ModuleType]:
    """Return google.colab and what notebooks import of it; the mounting of a drive makes the folder."""
    top = _Colab("google.colab", tell)
    found: dict[str, types.ModuleType] = {"google.colab": top}
    for name in ("auth", "data_table", "drive", "files", "output", "patches", "runtime", "userdata", "widgets"):
        found[f"google.colab.{name}"] = module = _Colab(f"google.colab.{name}", tell)
        setattr(top, name, module)
    found["google.colab.drive"].mount = _mounting(tell)  # type: ignore[attr-defined] # made here
    found["google.colab.patches"].cv2_imshow = _cv2_imshow  # type: ignore[attr-defined] # as above
    google = importlib.import_module("google") if importlib.util.find_spec("google") else types.ModuleType("google")
    google.colab = top  # type: ignore[attr-defined] # as above
    return {"google": google, **found}


def _unchecked(item: str, assignment: str | None = None) -> None:
    """Answer a self-check: its kit is not here, and what is graded stands in the report."""
    print(f"not run here: graders.check({item!r}); the report says what is right")


def _mounting(tell: Note) -> Callable[..., None]:
    def mount(mountpoint: str = "/content/drive", *_: Any, **__: Any) -> None:
        with contextlib.suppress(OSError):
            os.makedirs(os.path.join(mountpoint, "MyDrive"), exist_ok=True)
        tell(f"not run here: drive.mount({mountpoint!r})")

    return mount


def _cv2_imshow(image: Any) -> None:
    from IPython.display import display
    from PIL import Image

    array = image[..., ::-1] if getattr(image, "ndim", 0) == 3 else image
    display(Image.fromarray(array.clip(0, 255).astype("uint8")))


class _PlainTqdms(MetaPathFinder, Loader):
    """Imports tqdm's modules for notebooks as those of the terminal, whose bars are text."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in ("tqdm.notebook", "tqdm.autonotebook") else None

    def exec_module(self, module: types.ModuleType) -> None:
        from tqdm import std

        module.tqdm = module.tqdm_notebook = std.tqdm  # type: ignore[attr-defined] # made here
        module.trange = module.tnrange = std.trange  # type: ignore[attr-defined] # as above
