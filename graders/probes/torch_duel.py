"""What a training step of a generator and a discriminator does, in its order, whatever the two networks are made of.

Their outputs and the gradients of those are noted, so that a judge knows every loss from its gradient in closed form;
so are the updates: which network, and whether its gradients were those of this update alone. Imported where student
code runs, by `graders.probes.torch`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from graders.probes.draw import Draw
from graders.probes.torch_aside import batches_of, undone, wrapped
from graders.probes.torch_passes import Passes, current

CLASSES = 10
_ALIKE = 0.9  # the least correlation of an image with what it was made of
_SPREAD = 2.0  # standard deviation of what is added to logits, which hardly differ before training
_PASSING = ("View", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Select", "Cat", "Split", "Clone", "Alias", "Copy")
_FORMS = {"SigmoidBackward0": "sigmoid", "SoftmaxBackward0": "softmax", "LogSoftmaxBackward0": "log_softmax"}
NETWORKS = ("G", "D")


def duel(networks: Mapping[str, Any], namespace: dict[str, Any], step: Callable[[], Any], images: Any, labels: Any,
         size: int, draw: Draw) -> dict[str, Any]:  # fmt: skip
    """Take a training step; return what it did. The networks and optimizers of the namespace are left as they were.

    `networks` are the classes of generator and discriminator by "G" and "D"; `images` (N, 3, 32, 32) and `labels` (N,)
    are arrays, those that the step is called with; a whole batch has `size` of them.

    `rows`: one per image that the discriminator saw and backward pass that its outputs had a part in (-1: none), as
    columns pass, source (1 one of `images`, 0 generated, -1 neither), place there, label of the source (-1: unknown),
    score, gradient of the score. `classes` and `class gradients` (rows, 10): the class scores and their gradients.
    `passes`, `updates`, `dropped` and `left out`: see `torch_passes`. `forms`: what the scores and class scores are,
    "logits" or the name of an activation. `vectors` (n, latent): what was generated from; `alike`: how many vectors of
    one call are those of others. `returned`: the numbers that the step returned.
    """
    if any(nn.parameter.is_lazy(w) for m in namespace.values() if isinstance(m, nn.Module) for w in m.parameters()):
        step()  # weights of lazy modules have no shape before
    notes = _Notes(networks, images, labels, draw)
    with undone(namespace), batches_of(size, namespace), notes.watching():
        returned = step()
    return {**notes.seen(), "returned": _numbers(returned)}


@dataclass
class _Seen:
    """One call of the discriminator: its input, its outputs, and their gradients by backward pass."""

    images: Any
    score: Any
    classes: Any
    gradients: dict[tuple[int, str], Any] = field(default_factory=dict)

    def watch(self, name: str, output: Any) -> None:
        def note(gradient: Any) -> None:
            key = (current(), name)
            self.gradients[key] = self.gradients.get(key, 0) + gradient.detach().reshape(output.shape).double()

        if output.requires_grad:
            output.register_hook(note)


class _Notes:
    """All that is noted of one training step."""

    def __init__(self, networks: Mapping[str, Any], images: Any, labels: Any, draw: Draw) -> None:
        self.networks, self.draw = networks, draw
        self.images, self.labels = images, labels
        self.generated: list[tuple[Any, Any]] = []  # images and labels of each call of the generator
        self.vectors: list[Any] = []
        self.calls: list[_Seen] = []
        self.forms = {"score": "", "classes": ""}
        self.passes = Passes()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note all calls of the two networks and all updates."""
        generated, judged = wrapped(self.networks["G"], self._generated), wrapped(self.networks["D"], self._judged)
        with generated, judged, self.passes.watching():
            yield

    # Calls ------------------------------------------------------------------------------------------------------------

    def _generated(self, module: Any, inputs: tuple[Any, ...], result: Any) -> Any:
        self.passes.know("G", module)
        labels = [found for one in inputs if (found := _labels(one, len(result))) is not None]
        vectors = [one for one in inputs if isinstance(one, torch.Tensor) and one.is_floating_point()]
        self.generated.append((_array(result), labels[0] if labels else np.full(len(result), -1)))
        self.vectors += [_array(vectors[0]).reshape(len(result), -1)] if vectors else []
        return result

    def _judged(self, module: Any, inputs: tuple[Any, ...], result: Any) -> Any:
        self.passes.know("D", module)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result
        score, classes = result
        number = len(inputs[0])
        if score.numel() != number or classes.shape != (number, CLASSES):
            return result  # what is wrong with it the judge of the discriminator says
        score = self._spread("score", score)
        classes = self._spread("classes", classes)
        seen = _Seen(_array(inputs[0]), score, classes)
        self.calls.append(seen)
        seen.watch("score", score)
        seen.watch("classes", classes)
        return score, classes

    def _spread(self, name: str, output: Any) -> Any:
        """Return logits, or probabilities of a sigmoid, moved apart by numbers that were drawn; others as they are."""
        if output.grad_fn is None:  # nothing is learnt from this call
            return output
        form = _form_of(output)
        self.forms[name] = form if self.forms[name] in ("", form) else "different activations"
        drawn = self.draw.normal(f"spread {name} {len(self.calls)}", *output.shape)
        noise = torch.from_numpy(_SPREAD * drawn).to(output.device, output.dtype)
        if form == "sigmoid":
            return torch.sigmoid(torch.logit(output, eps=1e-6) + noise)
        return output + noise if form == "logits" else output

    # Evidence ---------------------------------------------------------------------------------------------------------

    def seen(self) -> dict[str, Any]:
        """Return the evidence of `duel`."""
        numbers = sorted({number for call in self.calls for number, _ in call.gradients})
        tables = [table for call in self.calls for table in self._tables(call, numbers)]
        rows, classes, gradients = zip(*tables, strict=True) if tables else ([], [], [])
        width = max((one.shape[1] for one in self.vectors), default=0)
        return {
            "rows": np.concatenate([np.zeros((0, 6)), *rows]),
            "classes": np.concatenate([np.zeros((0, CLASSES)), *classes]),
            "class gradients": np.concatenate([np.zeros((0, CLASSES)), *gradients]),
            "vectors": np.unique(np.concatenate([np.zeros((0, width)), *self.vectors]), axis=0),
            "alike": sum(len(one) - len(np.unique(one, axis=0)) for one in self.vectors),
            "passes": [self.passes.told(number) for number in numbers],
            "updates": self.passes.updates,
            "dropped": self.passes.dropped(),
            "left out": self.passes.left_out(),
            "forms": self.forms,
        }

    def _tables(self, call: _Seen, numbers: Sequence[int]) -> Iterator[tuple[Any, Any, Any]]:
        source = self._sources(call.images)  # (N, 3)
        score, classes = _array(call.score).reshape(len(source)), _array(call.classes)
        for number in sorted({number for number, _ in call.gradients}) or [-1]:
            pulled = call.gradients.get((number, "score"), torch.zeros(score.shape))
            of_classes = call.gradients.get((number, "classes"), torch.zeros(classes.shape))
            at = np.full((len(source), 1), numbers.index(number) if number in numbers else -1)
            columns = (at, source, score[:, None], _array(pulled).reshape(-1, 1))
            yield np.hstack(columns), classes, _array(of_classes)

    def _sources(self, images: Any) -> Any:
        """Return source, place and label of images that the discriminator saw, (N, 3)."""
        fakes = [one for one, _ in self.generated]
        labels = np.concatenate([self.labels, *(one for _, one in self.generated)])
        known = np.concatenate([_unit(self.images), *map(_unit, fakes)])
        alike = _unit(images) @ known.T  # (N, known)
        best = alike.argmax(axis=1)
        real = best < len(self.images)
        found = np.stack([real.astype(float), np.where(real, best, best - len(self.images)), labels[best]], axis=1)
        found[alike.max(axis=1) < _ALIKE] = -1
        return found


def _unit(images: Any) -> Any:
    """Return images as rows of mean 0 and length 1."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _labels(value: Any, number: int) -> Any:
    """Return labels (N,) of an argument of the generator, also of one-hot ones, None where it is none."""
    if not isinstance(value, torch.Tensor) or len(value) != number:
        return None
    if value.numel() == number and not value.is_floating_point():
        return _array(value).reshape(number)
    if value.shape == (number, CLASSES) and bool(((value == 0) | (value == 1)).all()):
        return _array(value).argmax(axis=1)
    return None


def _form_of(output: Any) -> str:
    """Return what the last operation of an output is, views and the like aside: an activation, or "logits"."""
    node = getattr(output, "grad_fn", None)
    while node is not None and node.name() not in _FORMS and any(word in node.name() for word in _PASSING):
        node = node.next_functions[0][0] if node.next_functions else None
    name = node.name() if node is not None else ""
    return _FORMS.get(name, "logits")


def _array(value: Any) -> Any:
    return value.detach().to("cpu", torch.float64).numpy()


def _numbers(returned: Any) -> Any:
    """Return what a step returned as numbers (n,), NaN for each that is none."""
    values = list(returned.values()) if isinstance(returned, dict) else returned
    several = isinstance(values, (tuple, list)) or (isinstance(values, (np.ndarray, torch.Tensor)) and values.ndim == 1)
    found = [_number(one) for one in (values if several else [values])]
    return np.array(found[:20])


def _number(value: Any) -> float:
    try:
        return float(value)
    except Exception:  # whatever it is, it is no number
        return float("nan")
