"""Trains or loads the student's model and asks it, in the confined child. Nothing that it sends is a score.

Frames: {"begun"} comes before anything of the student's runs, {"line"} is what the script printed last, {"trained"}
says how the training ended and asks for the held-out inputs, experiments `outputs` carry raw outputs, {"done"} ends.
The inputs come only then, through a socket of their own, and what is left of the time is short: code that asks too
early has no time to learn from them.
"""

from __future__ import annotations

import importlib
import linecache
import os
import re
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from safetensors.numpy import load

from graders.execute.layout import unpacked
from graders.execute.shims import answer_imports
from graders.metrics.limits import CHUNK, MOST_CANDIDATES, MOST_OBJECTS, WEIGHTS
from graders.metrics.shell import Shell
from graders.metrics.stand_ins import install
from graders.model import Experiment, Failure
from graders.probes import wire
from graders.sandbox import frames

_MOST_BYTES = 256 << 20  # of a file of weights
_INPUTS_CAP = 512 << 20
_EVERY = 0.5  # seconds between two lines of progress
_MOST_LINES = 2000
_AGAIN = 2.0  # seconds after which training that went on is stopped once more
_PAUSE = 9  # times what a point of the curve took: a tenth of the training's time at most
_MOST_FILES = 20  # of weights that a script wrote
# What a machine without the student's GPU and folders makes a framework say, in errors of a kind that says no more.
_OURS = re.compile(r"Torch not compiled with CUDA|NVIDIA driver|No CUDA GPUs|Parent directory .* does not exist")


class BudgetOver(BaseException):
    """The time for training is over. No `except Exception` of a student's holds it."""


def serve(channel: socket.socket, order: Mapping[str, Any], blob: bytes) -> int:
    """Train or load what an order says, ask it, and send what it returned; return the exit status."""
    _, (inputs, *_), _, _ = socket.recv_fds(channel, 1, 1)
    work = os.path.join(os.getcwd(), "work")
    os.makedirs(work, exist_ok=True)
    os.chdir(work)
    sys.path.insert(0, work)
    given = dict(unpacked(order["files"], blob))
    weights = {name: given.pop(name) for name in order["weights"]}
    for name, content in given.items():
        Path(work, name).parent.mkdir(parents=True, exist_ok=True)
        Path(work, name).write_bytes(content)
    lab = importlib.import_module(order["lab"])
    lab.begin(order["seed"], order["share"], order["threads"], order["device"])
    sender = Sender(channel)
    answer_imports(lambda _: None)
    data = install(order["data"], work, order["links"])
    models = Models(order, lab, sender, data, work)
    ended = models.load(weights) if weights else models.train()
    sys.stdout.flush()  # what was printed is shown, and after the last frame there is no time for it
    sender.send({"trained": ended})
    asked = frames.receive(socket.socket(fileno=inputs), _INPUTS_CAP)
    if asked is not None:
        models.ask(load(asked[1]))
    sender.send({"done": True})
    return 0


class Sender:
    """Sends frames, and what the script prints: the latest line now and then."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel, self.last, self.left = channel, 0.0, _MOST_LINES
        self.busy = False
        self.lock, self.process = threading.RLock(), os.getpid()

    def send(self, header: Mapping[str, Any], blob: bytes = b"") -> None:
        """Send one frame, from whichever thread."""
        with self.lock:
            self.busy = True
            try:
                frames.send(self.channel, header, blob)
            finally:
                self.busy = False

    def experiment(self, name: str, experiment: Experiment) -> None:
        """Send one experiment."""
        self.send(*wire.pack(name, experiment))

    def line(self, text: str) -> None:
        """Send a line of progress, unless the last was a moment ago."""
        now = time.monotonic()
        if text.strip() and self.left > 0 and self.process == os.getpid() and now - self.last >= _EVERY:
            self.last, self.left = now, self.left - 1
            self.send({"line": text.strip()[:200]})


class _Tee:
    """Standard output that tells of its lines."""

    def __init__(self, stream: Any, sender: Sender) -> None:
        self.stream, self.sender = stream, sender

    def write(self, text: str) -> int:
        self.sender.line(text)
        return int(self.stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Models:
    """The models of one order: objects by the item that they are asked for."""

    def __init__(self, order: Mapping[str, Any], lab: Any, sender: Sender, data: Any, work: str) -> None:
        self.order, self.lab, self.sender, self.data, self.work = order, lab, sender, data, work
        self.module = types.ModuleType("__main__")
        sys.argv = [order["file"]]  # a script may read its arguments: there are none
        if order["file"].endswith(".ipynb"):
            shell = Shell(self.module.__dict__)
            self.module.__dict__.update(get_ipython=lambda: shell, display=shell.display)
        self.module.__dict__["__file__"] = os.path.join(work, order["file"])
        sys.modules["__main__"] = self.module  # what a script pickles is found there again
        self.loaded: list[tuple[str, str, Any]] = []
        self.sampled = 0.0

    # The training ------------------------------------------------------------------------------------------------

    def train(self) -> dict[str, Any]:
        """Run the script within its budget; return how it ended: `how` is finished, budget or failed."""
        started = time.monotonic()
        self.lab.after_steps(self._sample)
        sys.stdout = _Tee(sys.stdout, self.sender)
        self.sender.send({"begun": True})
        signal.signal(signal.SIGALRM, self._stop)
        signal.setitimer(signal.ITIMER_REAL, self.order["budget"], _AGAIN)
        how, failure = "finished", None
        try:
            self._run()
        except BudgetOver:
            how = "budget"
        except SystemExit as leaving:
            how, failure = ("failed", _failure(leaving, self._places())) if leaving.code else (how, None)
        except BaseException as error:
            how, failure = "failed", _failure(error, self._places())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.lab.after_steps(None)
        seconds = round(time.monotonic() - started, 1)
        if seconds >= self.order["budget"]:
            how, failure = "budget", None
        return {"how": how, "seconds": seconds, **({"failure": vars(failure)} if failure else {})}

    def _stop(self, *_: Any) -> None:
        """End the training, but never within a frame that is being sent: the next signal comes in a moment."""
        if not self.sender.busy:
            raise BudgetOver

    def _places(self) -> set[str]:
        names = {name for name in self.order["files"] if name.endswith(".py")}
        return {place for place, _ in self.order["cells"]} | {os.path.join(self.work, name) for name in names}

    def _run(self) -> None:
        for place, source in self.order["cells"]:
            linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)  # autograph reads it
            exec(compile(source, place, "exec", dont_inherit=True), self.module.__dict__)

    def _sample(self) -> None:
        """Ask the models that are there for a few of the script's own test images: points of a curve."""
        now = time.monotonic()
        if now - self.sampled < self.order["every"]:
            return
        for target in self.order["targets"]:
            for _, model in islice(self._objects(target), 1):
                self._outputs("curve", target, 0, "", model, self.data.sample)
        self.sampled = now + (_PAUSE * (time.monotonic() - now) if self.order["every"] else 0.0)

    def _objects(self, target: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the models that are there with what they are called, the likeliest first."""
        found = [
            [(name or part["class"], model) for name, model in self.lab.found(self.module.__dict__, part)]
            for part in _parts(target)
        ]
        yield from map(self._joined, zip(*found, strict=False))

    def _joined(self, parts: Sequence[tuple[str, Any]]) -> tuple[str, Any]:
        """Return the parts of a model as one."""
        names, models = zip(*parts, strict=True)
        return " and ".join(dict.fromkeys(names)), models[0] if len(models) == 1 else self.lab.joined(models)

    # Weights that were handed in -----------------------------------------------------------------------------------

    def load(self, weights: Mapping[str, bytes]) -> dict[str, Any]:
        """Build the models without training, and load files of weights into them; `how` is loaded or failed."""
        self.sender.send({"begun": True})
        started = time.monotonic()
        reasons: list[str] = []
        for target in self.order["targets"]:
            fitting = [list(self._fitting(part, weights, reasons)) for part in _parts(target)]
            for parts in zip(*fitting, strict=False):
                self.loaded.append((target["item"], *self._joined(parts)))
        seconds = round(time.monotonic() - started, 1)
        if self.loaded:
            return {"how": "loaded", "seconds": seconds}
        failure = {"kind": "weights", "message": "; ".join(reasons)[:500], "where": ""}
        return {"how": "failed", "seconds": seconds, "failure": failure}

    def _fitting(
        self, part: Mapping[str, Any], weights: Mapping[str, bytes], reasons: list[str]
    ) -> Iterator[tuple[str, Any]]:
        """Yield a model of a class for each file that holds its weights; put down why others do not."""
        for name, content in weights.items():
            try:
                yield name, self._built(part, content)
            except Exception as error:
                reasons.append(f"{name}: {type(error).__name__}: {wire.clip(str(error).partition(chr(10))[0])}")

    def _built(self, target: Mapping[str, Any], content: bytes) -> Any:
        """Return a model with the weights of a file: built as the script builds it, else without arguments."""
        from graders.probes.runner import execute

        if not self.module.__dict__.get(target["class"]):
            self.module.__dict__.update(target["constants"])
            self.module.__dict__.update(execute(wire.order(target["order"], b"").slice, self.module.__dict__))
        problems: list[Exception] = []
        for call in (*target["calls"], f"{target['class']}()"):
            try:
                return self.lab.with_weights(eval(call, self.module.__dict__), content, self.order["device"])
            except Exception as error:
                problems.append(error)
        raise problems[0]  # the script's own way to build it says most

    # Asking --------------------------------------------------------------------------------------------------------

    def ask(self, arrays: Mapping[str, Any]) -> None:
        """Send the outputs of every candidate of every model."""
        for target in self.order["targets"]:
            for number, (name, model) in enumerate(self._candidates(target)):
                self._outputs("outputs", target, number, name, model, arrays)

    def _candidates(self, target: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        if self.order["weights"]:
            yield from [(name, model) for item, name, model in self.loaded if item == target["item"]]
            return
        objects = list(islice(self._objects(target), MOST_OBJECTS))
        yield from [(f"{name}, as it was at the end", model) for name, model in objects]
        saved = zip(*map(self._saved, _parts(target)), strict=False)
        for name, model in islice(map(self._joined, saved), MOST_CANDIDATES - len(objects)):
            yield f"the weights that it saved in {name}", model

    def _saved(self, part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield a copy of a model with the weights of each file that the script wrote for it."""
        for _, model in self.lab.found(self.module.__dict__, part)[:1]:
            for path in _files([self.work, *self.order["folders"]]):
                try:
                    yield (
                        path.name,
                        self.lab.with_weights(self.lab.copied(model), path.read_bytes(), self.order["device"]),
                    )
                except Exception:
                    continue  # weights of another model

    def _outputs(
        self, kind: str, target: Mapping[str, Any], number: int, name: str, model: Any, arrays: Mapping[str, Any]
    ) -> None:
        inputs, hints = arrays["inputs"], arrays["hints"]
        values = {"item": target["item"], "candidate": number, "name": name[:100]}
        for start in range(0, len(inputs), CHUNK):
            try:
                some = slice(start, start + CHUNK)
                outputs = self.lab.asked(target["score"], model, inputs[some], hints[some], self.data, self.order)
            except Exception as error:
                failure = _failure(error, self._places())
                self.sender.experiment(kind, Experiment({**values, "start": start}, failure=failure))
                return
            self.sender.experiment(kind, Experiment({**values, "start": start}, {"outputs": outputs}))


def _parts(target: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the classes that make a model together, each handing on to the next."""
    return [*target.get("before", ()), target]


def _files(folders: Sequence[str]) -> list[Path]:
    """Return the files of weights that a script wrote, the newest first."""
    found = [path for folder in folders for path in Path(folder).rglob("*") if path.suffix in (*WEIGHTS, ".pkl")]
    small = [
        path for path in found if not path.is_symlink() and path.is_file() and 0 < path.stat().st_size <= _MOST_BYTES
    ]
    return sorted(small, key=lambda path: path.stat().st_mtime, reverse=True)[:_MOST_FILES]


def _failure(error: BaseException, places: Sequence[str] | set[str]) -> Failure:
    from graders.probes.runner import failure_of

    try:
        failure = failure_of(error, places)
    except Exception:  # an exception of a student's own may refuse to be looked at
        return Failure(type(error).__name__, "", "")
    return replace(failure, kind="missing") if _OURS.search(failure.message) else failure
