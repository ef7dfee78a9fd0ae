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
import signal
import socket
import sys
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import load

from graders.execute.layout import unpacked
from graders.metrics.limits import CHUNK, MOST_CANDIDATES, WEIGHTS
from graders.metrics.stand_ins import install
from graders.model import Experiment, Failure
from graders.probes import wire
from graders.sandbox import frames

_MOST_BYTES = 256 << 20  # of a file of weights
_INPUTS_CAP = 512 << 20
_EVERY = 0.5  # seconds between two lines of progress
_MOST_LINES = 2000
_AGAIN = 2.0  # seconds after which training that went on is stopped once more


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
    data = install(order["data"], work, order["links"])
    models = Models(order, lab, sender, data)
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

    def send(self, header: Mapping[str, Any], blob: bytes = b"") -> None:
        """Send one frame."""
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
        if text.strip() and self.left > 0 and now - self.last >= _EVERY:
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

    def __init__(self, order: Mapping[str, Any], lab: Any, sender: Sender, data: Any) -> None:
        self.order, self.lab, self.sender, self.data = order, lab, sender, data
        self.module = types.ModuleType("__main__")
        sys.argv = [order["file"]]  # a script may read its arguments: there are none
        self.module.__dict__.update(get_ipython=_Shell, __file__=os.path.join(os.getcwd(), order["file"]))
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
        return {place for place, _ in self.order["cells"]} | {os.path.join(os.getcwd(), name) for name in names}

    def _run(self) -> None:
        for place, source in self.order["cells"]:
            linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)  # autograph reads it
            exec(compile(source, place, "exec", dont_inherit=True), self.module.__dict__)

    def _sample(self) -> None:
        """Ask the models that are there for a few of the script's own test images: points of a curve."""
        now = time.monotonic()
        if now - self.sampled < self.order["every"]:
            return
        self.sampled = now
        for target in self.order["targets"]:
            for _, model in self.lab.found(self.module.__dict__, target)[:1]:
                self._outputs("curve", target, 0, "", model, self.data.sample)

    # Weights that were handed in -----------------------------------------------------------------------------------

    def load(self, weights: Mapping[str, bytes]) -> dict[str, Any]:
        """Build the models without training, and load files of weights into them; `how` is loaded or failed."""
        self.sender.send({"begun": True})
        started = time.monotonic()
        reasons = []
        for target in self.order["targets"]:
            for name, content in weights.items():
                try:
                    self.loaded.append((target["item"], name, self._built(target, content)))
                except Exception as error:
                    reasons.append(f"{name}: {type(error).__name__}: {wire.clip(str(error).partition(chr(10))[0])}")
        seconds = round(time.monotonic() - started, 1)
        if self.loaded:
            return {"how": "loaded", "seconds": seconds}
        failure = {"kind": "weights", "message": "; ".join(reasons)[:500], "where": ""}
        return {"how": "failed", "seconds": seconds, "failure": failure}

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
        if self.loaded:
            yield from [(name, model) for item, name, model in self.loaded if item == target["item"]]
            return
        objects = self.lab.found(self.module.__dict__, target)
        yield from [(f"{name}, as it was at the end", model) for name, model in objects[:2]]
        tried = len(objects[:2])
        for path in _files():
            if tried >= MOST_CANDIDATES or not objects:
                return
            try:
                model = self.lab.with_weights(self.lab.copied(objects[0][1]), path.read_bytes(), self.order["device"])
            except Exception:
                continue  # weights of another model
            tried += 1
            yield f"the weights that it saved in {path.name}", model

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


def _files() -> list[Path]:
    """Return the files of weights that a script wrote, the newest first."""
    found = [path for path in Path().rglob("*") if path.suffix in WEIGHTS and path.is_file() and not path.is_symlink()]
    small = [path for path in found if 0 < path.stat().st_size <= _MOST_BYTES]
    return sorted(small, key=lambda path: path.stat().st_mtime, reverse=True)[:20]


def _failure(error: BaseException, places: Sequence[str] | set[str]) -> Failure:
    from graders.probes.runner import failure_of

    try:
        return failure_of(error, places)
    except Exception:  # an exception of a student's own may refuse to be looked at
        return Failure(type(error).__name__, "", "")


class _Shell:
    """Answers the magics of a notebook: none is run here."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: print(f"not run here: {name}")
