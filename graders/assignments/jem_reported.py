"""Handout B, C3 and C9: what a training step returned and what it did with the optimizer."""

from __future__ import annotations

from graders import checks
from graders.assignments import jem_linear as linear
from graders.model import Experiment, Outcome


def loss_is(name: str, mine: Experiment, wanted: float | None) -> Outcome:
    """Check that a step returned a dictionary whose loss is one number, the wanted one."""
    expected = "a dictionary that maps 'loss' to the loss of this step, a single number"
    if failed := checks.absent(name, mine, expected):
        return failed
    loss = mine.arrays.get("loss")
    if loss is None:
        returned = mine.values.get("returned")
        said = "a dictionary without 'loss'" if returned == "dict" else f"an object of type {returned}"
        return checks.outcome(name, False, expected, said)
    if loss.size != 1 or not checks.finite(loss) or wanted is None:
        return checks.outcome(name, False, expected, f"a loss of shape {loss.shape}, or one that is not finite")
    found = float(loss.reshape(()))
    passed = abs(found - wanted) <= 1e-3 * max(1.0, abs(wanted))
    return checks.outcome(name, passed, expected, "as expected" if passed else f"another number, {found:.4g}")


def updated(name: str, mine: Experiment) -> Outcome:
    """Check that the optimizer got a gradient for each trainable variable, once."""
    expected = "one update of all trainable variables, by the optimizer"
    if failed := checks.absent(name, mine, expected):
        return failed
    updates = mine.values.get("updates")
    if not isinstance(updates, list) or not all(isinstance(update, list) for update in updates):
        return checks.outcome(name, False, expected, "updates that cannot be read")
    if len(updates) != 1:
        return checks.outcome(name, False, expected, f"{len(updates)} updates")
    reached = linear.weight_gradients(mine) is not None
    passed = sorted(map(str, updates[0])) == ["bias", "kernel"] and reached
    other = "an update of other variables, or without a gradient for each"
    return checks.outcome(name, passed, expected, "as expected" if passed else other)
