"""Handout C: the training items, judged by what the notebook did when it ran (Sections 4.2, 5.2 and 6.2).

No probe: the evidence are the records of `graders.probes.torch_recorder`, of the student's run and of the reference's.
The criteria are those of the saved results; either kind of evidence may show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graders.assignments import Experiments, Findings, Seen
from graders.assignments.colourization_record import EPOCHS
from graders.assignments.run_calls import Array, Recorded, cells_of, cut_short, ending, faults, number, records
from graders.checks import outcome
from graders.errors import Unseen
from graders.model import Outcome
from graders.probes import binding

BATCH, KERNEL = 100, "3x3"  # Section 5.2 and 6.2
NETWORKS = {"PoolUpsampleNet": "poolup", "ConvTransposeNet": "convtrans", "UNet": "unet"}  # how their names begin
# What a notebook may lack here and have elsewhere: files, modules, a network, a GPU.
_OF_THE_PLACE = ("FileNotFoundError", "ModuleNotFoundError", "ImportError", "URLError", "HTTPError", "OSError")
_OF_THE_PLACE_TOO = ("CUDA", "NVIDIA", "cuda")
_LISTS = ("sizes", "modes", "trained", "tested", "watched")


@dataclass(frozen=True)
class Trained:
    """What one optimizer did in all cells, or all that trained one model, in order."""

    parts: tuple[Recorded, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Where its records stand in the run."""
        return tuple(part.at for part in self.parts)

    @property
    def last(self) -> Recorded:
        """The last of its records."""
        return self.parts[-1]

    @property
    def models(self) -> list[dict[str, Any]]:
        """What is told of its model and of what is wrapped around it."""
        return [one for one in self.last.rows("models") if isinstance(one, dict)]

    def networks(self) -> set[str]:
        """Return which of the networks its models may be, by their names."""
        plain = [binding.plain(str(one.get("class"))) for one in self.models]
        return {name for name, begin in NETWORKS.items() if any(one.startswith(begin) for one in plain)}

    def model(self, network: str) -> dict[str, Any]:
        """Return what is told of the model of that network."""
        begin = NETWORKS[network]
        return next(one for one in self.models if binding.plain(str(one.get("class"))).startswith(begin))

    @cached_property
    def losses(self) -> Array:
        """The losses of all steps (steps,)."""
        found = [one.arrays["losses"].ravel() for one in self.parts if "losses" in one.arrays]
        return np.concatenate([one for one in found if one.dtype.kind == "f"] or [np.zeros(0)])

    def numbers(self, key: str) -> Array:
        """Return one of the lists of whole numbers (n,)."""
        return np.concatenate([one.numbers(key) for one in self.parts])

    def held_out(self, key: str) -> Array:
        """Return the images of a list that it was not trained on, each once."""
        return np.setdiff1d(self.numbers(key), self.numbers("trained"))

    def epochs(self, images: int) -> float:
        """Return how often it saw the images for training, of which there are so many at most."""
        trained = self.numbers("trained")
        return trained.size / max(1, min(len(np.unique(trained)), images))


class Run:
    """All trainings of one run of a notebook."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.calls = list(records(seen, ("training", "plots")))
        self.steps = [call for call in self.calls if call.method == "training" and call.number("steps") >= 1]
        self.end, _ = ending(seen)
        by_optimizer = self._joined(lambda call: [call.number("optimizer")])
        by_model = self._joined(lambda call: [number(one.get("model")) for one in Trained((call,)).models])
        self.trained = list({one.places: one for one in (*by_optimizer, *by_model)}.values())

    def _joined(self, keys_of: Any) -> list[Trained]:
        found: dict[float, list[Recorded]] = {}
        for call in (call for call in self.calls if call.method == "training"):
            for key in keys_of(call):
                found.setdefault(key, []).append(call)
        return [Trained(tuple(parts)) for parts in found.values() if any(part in self.steps for part in parts)]

    def of(self, network: str) -> list[Trained]:
        """Return the trainings of a network."""
        return [one for one in self.trained if network in one.networks()]

    def images(self, network: str) -> int:
        """Return how many different images a network was trained on."""
        return max((len(np.unique(one.numbers("trained"))) for one in self.of(network)), default=0)

    def drawn(self, training: Trained, kind: str) -> int:
        """Return how often something was drawn from the cells of a training on, up to the next one that trains."""
        own = [part.cell for part in training.parts if part in self.steps]
        later = [call.cell for call in self.steps if call.cell > own[-1]]
        plots = [call for call in self.calls if call.method == "plots" and own[0] <= call.cell < min([*later, np.inf])]
        return int(sum(max(0, number(call.table("drawn").get(kind, 0))) for call in plots))

    def overlooked(self, network: str) -> str:
        """Return why a training may have taken place that the records do not tell, "" if they tell all."""
        if number(self.end.get("dropped")) > 0:
            return "the notebook trained more often than is recorded"
        if why := cut_short(self._seen):
            return why
        if self.of(network):
            return ""
        if number(self.end.get("unfollowed")) > 0:
            return "weights change, and no step of an optimizer is seen"
        if strangers := {str(model.get("class")) for one in self.trained if not one.networks() for model in one.models}:
            return f"{', '.join(sorted(strangers)[:3])} is trained, which may be it"
        return self._lacking()

    def _lacking(self) -> str:
        """Return which cell did not find what it may have found elsewhere, "" for none."""
        for cell in cells_of(self._seen):
            kind, message = str(cell.get("kind")), str(cell.get("message"))
            if kind in _OF_THE_PLACE or any(word in message for word in _OF_THE_PLACE_TOO):
                return f"cell {cell.get('cell')} did not find here what it may have found elsewhere: {kind}: {message}"
        return ""


class RanTraining:
    """What the three trainings share when the notebook is run: losses, images, epochs, what is drawn."""

    arguments: tuple[str, ...] = ()

    def __init__(self, network: str, curve: bool) -> None:
        self.network, self.curve = network, curve

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return nothing: the whole notebook runs, and the recorder listens."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best training of the network; what was not seen, or by our fault, costs nobody a mark."""
        run, images = Run(mine), Run(theirs).images(self.network)
        if not images:
            raise RuntimeError(f"the run of the reference shows no training of {self.network}")
        judged = [list(self.outcomes(run, one, images)) for one in run.of(self.network) or (None,)]
        best = max(judged, key=lambda outcomes: sum(one.passed for one in outcomes))
        if not all(one.passed for one in best):
            if wrong := faults(run.end):
                raise RuntimeError(f"the recorder failed: {wrong[0]}")
            if why := run.overlooked(self.network):
                seen = ", ".join(f"{one.name}: {one.actual}" for one in best if one.passed)
                raise Unseen(f"{why}{'; seen: ' if seen else ''}{seen}")
        yield from best

    def outcomes(self, run: Run, training: Trained | None, images: int) -> Iterator[Outcome]:
        """Yield one outcome per criterion, for a training or for none."""
        yield self._log(training, images)
        yield self._falling(training)
        if not self.curve:
            shown = run.drawn(training, "imshow") if training else 0
            yield outcome("images", shown > 0, "coloured images drawn below the training", f"{shown} drawn")
            return
        yield self._epochs(training, images)
        shown = run.drawn(training, "plot") if training else 0
        yield outcome("curve", shown > 0, "a plot of the training curve below the training", f"{shown} drawn")

    def _log(self, training: Trained | None, images: int) -> Outcome:
        expected = f"{self.network}, trained with a finite loss in every step, and a validation that trains nothing"
        if training is None:
            return outcome("log", False, expected, "no training of it")
        lost = int((~np.isfinite(training.losses)).sum())
        wrong = f"{lost} steps without a finite loss" if lost else odd(training, images)
        if (training.losses < 0).any():
            wrong = f"a loss of {training.losses.min():.4g}, which no cross-entropy is"
        good = not wrong and len(training.losses) > 1 and training.numbers("trained").size > 0
        return outcome("log", good, expected, wrong or told(training, images))

    def _falling(self, training: Trained | None) -> Outcome:
        expected = "a loss that falls, with an optimizer that has all weights of the network"
        if training is None:
            return outcome("falling", False, expected, "no training of it")
        model, losses = training.model(self.network), training.losses
        given, parameters, changed = (number(model.get(key)) for key in ("given", "parameters", "changed"))
        if not given == parameters > 0 or not changed > 0:
            found = f"the optimizer has {given:g} of {parameters:g} weights and biases, {changed:g} of which change"
            return outcome("falling", False, expected, found)
        first, last = ends(losses)
        return outcome(
            "falling", len(losses) > 1 and last < first, expected, f"{first:.4g} at first, {last:.4g} at last"
        )

    def _epochs(self, training: Trained | None, images: int) -> Outcome:
        expected = f"{EPOCHS} epochs, batches of {BATCH}, kernels of {KERNEL}"
        if training is None:
            return outcome("epochs", False, expected, "no training of it")
        epochs, kernels = round(training.epochs(images)), training.model(self.network).get("kernels")
        kernels = [str(one) for one in kernels] if isinstance(kernels, list) else []
        batch = int(training.numbers("sizes").max(initial=0))
        found = f"{epochs} epochs, batches of {batch}, kernels of {', '.join(kernels) or 'no size'}"
        good = epochs >= EPOCHS and batch == BATCH and KERNEL in kernels
        return outcome("epochs", good, expected, found)


def ends(losses: Array) -> tuple[float, float]:
    """Return the loss at first, of the first step or in the mean of a tenth, and the mean of the last tenth.

    NaN of none. Where a rate is too high the loss may leap after the first step, and fall from there.
    """
    tenth = max(1, len(losses) // 10)
    return (min(losses[0], losses[:tenth].mean()), losses[-tenth:].mean()) if len(losses) else (np.nan, np.nan)


def told(training: Trained, images: int) -> str:
    """Return what a training did, in words."""
    first, last = ends(training.losses)
    held = len(training.held_out("tested"))
    validated = f"validated on {held} other images" if held else "not validated"
    return (
        f"{len(training.losses)} steps, {round(training.epochs(images))} epochs, loss {first:.4g} at first and "
        f"{last:.4g} at last, {validated}"
    )


def odd(training: Trained, images: int) -> str:
    """Return what is wrong with the modes and the images of a training, "" for nothing."""
    trained, modes = training.numbers("trained"), training.numbers("modes")
    if modes.size and not modes.any():
        return "its steps are made in evaluation mode"
    if len(training.held_out("watched")) and not len(training.held_out("tested")):
        return "its validation is made in training mode, so that batch norm learns from it"
    looked = training.numbers("tested").size + training.numbers("watched").size
    held = len(training.held_out("tested"))
    if looked and not held and len(np.unique(trained)) > images > 0:
        return "it trains on the images of its validation"
    return ""


def findings(seen: Seen, code: Mapping[int, str]) -> Findings:
    """Return what a run showed of each training, and what is wrong with its modes and images."""
    run = Run(seen)
    said, wrong = [], []
    for one in run.trained:
        name = " or ".join(sorted(one.networks())) or ", ".join(str(model.get("class")) for model in one.models[:2])
        where = f"cell {one.parts[0].cell}: {name or 'a model'}"
        images = len(np.unique(one.numbers("trained")))
        said.append(f"{where}: {told(one, images)}")
        wrong += [f"{where}: {what}" for what in (odd(one, 0),) if what]
    return Findings(_first(said), _first(wrong))


def _first(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))[:20]
