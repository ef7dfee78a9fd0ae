"""What an attack may reach if it is not stopped: files, sockets, a process; each shows when it was reached."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.home import home
from graders.kit import Kit, read_kit
from graders.probes import wire

# What the sibling looks like in /proc, and what runs of the command line carry in their environment.
MARKER = f"GRADERS_TEST_{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Surroundings:
    """The words for the attacks' code, and what must stay as it is."""

    fill: Mapping[str, str]
    secrets: Mapping[str, str]  # must not be found in anything that a run writes
    secret: Path
    outside: Path
    home: Path  # a copy of the checkout's data whose reference and rubric hold secrets
    listening: Mapping[str, socket.socket]
    sibling: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    def connected(self) -> list[str]:
        """Return the kinds of sockets that something was sent or connected to."""
        found = []
        for kind, one in self.listening.items():
            with contextlib.suppress(BlockingIOError):
                one.recv(100) if one.type == socket.SOCK_DGRAM else one.accept()[0].close()
                found.append(kind)
        return found


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[Surroundings]:
    """Make everything that must not be reached, below a folder."""
    words = {
        name: f"{name}-{secrets.token_hex(8)}" for name in ("file", "reference", "rubric", "environment", "honest")
    }
    secret, outside = folder / "secret.txt", folder / "outside"
    secret.write_text(words["file"])
    outside.mkdir()
    copy = _home(folder / "home", words)
    listening = {
        "tcp": _listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": _listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "unix": _listen(socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        "abstract": _listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{words['file']}"),
    }
    sibling = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], stdin=subprocess.DEVNULL)
    fill = {
        "SECRET": str(secret),
        "OUTSIDE": str(outside),
        "REFERENCE": str(copy / "reference" / "pixelcnn" / "solution.py"),
        "RUBRIC": str(copy / "rubrics" / "pixelcnn.toml"),
        "SUBMISSION": str(folder / "class" / "honest-adams.ipynb"),
        "SIBLING": str(sibling.pid),
        "TCP": str(listening["tcp"].getsockname()[1]),
        "UDP": str(listening["udp"].getsockname()[1]),
        "UNIX": str(folder / "socket"),
        "ABSTRACT": words["file"],
        **_kit_words(read_kit(home() / "student_template" / "pixelcnn" / "pixelcnn.kit")),
    }
    environment = {"GRADERS_HOME": str(copy), "GRADERS_CANARY": words["environment"], "GRADERS_MARKER": MARKER}
    try:
        yield Surroundings(fill, words, secret, outside, copy, listening, sibling, environment)
    finally:
        sibling.kill()
        sibling.wait()
        for one in listening.values():
            one.close()


def _listen(family: int, kind: int, address: object) -> socket.socket:
    one = socket.socket(family, kind)
    one.bind(address)  # type: ignore[arg-type]
    if kind == socket.SOCK_STREAM:
        one.listen()
    one.setblocking(False)
    return one


def _home(copy: Path, words: Mapping[str, str]) -> Path:
    for name in ("reference", "rubrics", "student_template"):
        shutil.copytree(home() / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, word in (("reference/pixelcnn/solution.py", "reference"), ("rubrics/pixelcnn.toml", "rubric")):
        with (copy / name).open("a") as file:
            file.write(f"\n# {words[word]}\n")
    return copy


def _kit_words(kit: Kit) -> dict[str, str]:
    """Return code that sends the public kit's evidence of an item, and one of its outputs."""
    outputs = kit.evidence["C5"].experiments["main"].arrays["outputs"]
    words = {f"KIT_{item}": _replayed(kit, item) for item in ("C1", "C2", "C3")}
    return {**words, "KIT_OUTPUT": str(outputs.round(4).tolist()), "KIT_SHAPE": str((*outputs.shape[:3], 5))}


def _replayed(kit: Kit, item: str) -> str:
    frames = []
    for name, one in kit.evidence[item].experiments.items():
        header, blob = wire.pack(name, one)
        if len(blob) < 30_000:  # a cell has a largest size
            frames.append([header, base64.b64encode(blob).decode()])
    packed = base64.b64encode(zlib.compress(json.dumps(frames).encode(), 9)).decode()
    return (
        "import base64, zlib\n"
        f'for header, blob in json.loads(zlib.decompress(base64.b64decode("{packed}"))):\n'
        "    send(header, base64.b64decode(blob))"
    )
