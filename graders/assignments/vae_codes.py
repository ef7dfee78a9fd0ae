"""Handout E, Part 1, Section 1: how latent codes are drawn (reparameterization)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import vae_networks as networks
from graders.checks import distributions
from graders.checks.arrays import difference
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_SMALL = 1e-3  # of the largest gradient
_BATCH = 32
_BY_SLIP = "eps * log_var + mu, as in the template that was handed out; exp(0.5 * log_var) is the standard deviation"


class Codes:
    """Codes are drawn anew from N(mu, exp(log_var)), and gradients reach both (reparameterization)."""

    arguments = networks.ARGUMENTS

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Draw the codes of one batch three times in training mode."""
        tools, build = lab.torch_autoencoders, networks.network(student, lab, draw, "codes")
        x, y = networks.images(draw, "x", _BATCH), networks.labels(draw, "y", _BATCH)

        def projection(*shape: int) -> Array:
            return np.asarray(draw.normal("projection", *shape))

        return {name: lambda: tools.codes(build(), x, y, projection) for name in ("first", "second", "third")}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Divide what was added to the mean by the standard deviation; it must be noise that is new everywhere."""
        draws = [_Drawn(mine[name]) for name in ("first", "second", "third")]
        wrong = not any(one.problem for one in draws) and all(one.finding(one.noise) for one in draws)
        slips = wrong and not all(one.finding(one.noise_by_slip) for one in draws)
        yield _normal(draws, slips)
        yield _fresh(draws, slips)
        yield checks.all_of("gradients", *(one.gradients(slips) for one in draws))


class _Drawn:
    """One draw of codes; `problem` is why nothing can be told of it."""

    def __init__(self, mine: Experiment) -> None:
        arrays = [
            mine.arrays.get(key, np.zeros(0)) for key in ("mu", "log_var", "z", "projection", "of mu", "of log_var")
        ]
        failed = checks.absent("", mine, "", "mu", "log_var", "z", "projection")
        sound = not failed and len({one.shape for one in arrays}) == 1 and arrays[0].ndim == 2
        self.problem = (
            failed.actual if failed else "" if sound and all(map(checks.finite, arrays)) else "no finite codes"
        )
        zero = [np.zeros((1, 1))] * 6
        wide = [one.astype(np.float64) for one in (zero if self.problem else arrays)]
        self.mu, self.log_var, self.z, self.projection, self.of_mu, self.of_log_var = wide
        self.image = mine.arrays.get("image", np.zeros(0))
        self.reached = not self.problem and mine.values.get("reached") is True

    @property
    def noise(self) -> Array:
        """What was added to the mean, in standard deviations."""
        return np.asarray((self.z - self.mu) / np.exp(0.5 * self.log_var.clip(-40, 40)))

    @property
    def noise_by_slip(self) -> Array:
        """The same where log-variances took the place of standard deviations."""
        return np.asarray((self.z - self.mu) / np.where(self.log_var == 0, 1.0, self.log_var))

    def finding(self, noise: Array) -> str:
        """Return what speaks against standard normal noise, whatever the log-variance is."""
        rows = np.stack([np.log(np.abs(noise) + 1e-12).ravel(), self.log_var.ravel()])
        related = distributions.unrelated(rows) if np.any(np.ptp(self.log_var)) else ""
        return distributions.gaussian(noise, 0.0, 1.0) or (related and f"a size that goes with log_var: {related}")

    def gradients(self, slips: bool) -> Outcome:
        """Check that the gradient of the codes is 1 for the mean, and half of what was added for the log-variance."""
        expected = "gradients that reach mean and log-variance through the codes"
        if self.problem or not self.reached:
            return checks.outcome("gradients", False, expected, self.problem or "none reach both of them")
        added = self.z - self.mu
        factor = added / np.where(self.log_var == 0, 1.0, self.log_var) if slips else 0.5 * added
        off = max(
            difference(self.of_mu, self.projection), difference(self.of_log_var, self.projection * factor, least=1e-6)
        )
        passed = off <= _SMALL
        return checks.outcome("gradients", passed, expected, "as expected" if passed else f"they differ by {off:.0%}")


def _normal(draws: Sequence[_Drawn], slips: bool) -> Outcome:
    expected = "codes from the normal distribution of that mean and log-variance"
    if problem := next((one.problem for one in draws if one.problem), ""):
        return checks.outcome("distribution", False, expected, problem)
    if any(np.array_equal(one.mu, one.log_var) for one in draws):
        return checks.outcome("distribution", False, expected, "mean and log-variance are the same numbers")
    found = distributions.drawn("distribution", expected, [one.finding(one.noise) for one in draws])
    return checks.outcome("distribution", True, expected, _BY_SLIP) if slips else found


def _fresh(draws: Sequence[_Drawn], slips: bool) -> Outcome:
    """Check that no image's noise is that of another, or that of the same image at another time."""
    expected = "noise that is drawn anew for every value of every call"
    if problem := next((one.problem for one in draws if one.problem), ""):
        return checks.outcome("fresh", False, expected, problem)
    noises = [one.noise_by_slip if slips else one.noise for one in draws]
    if len({one.shape for one in noises}) > 1:
        return checks.outcome("fresh", False, expected, "codes of other sizes in another call")
    if any(np.array_equal(draws[0].image, one.image) for one in draws[1:]):
        return checks.outcome("fresh", False, expected, "the reconstruction is the same whatever codes are drawn")
    pairs = [np.concatenate([noises[0], one]) for one in noises[1:]]
    return distributions.drawn("fresh", expected, [distributions.unrelated(one) for one in pairs])
