"""Handout C: written answers that are numbers, where a student gives them as a function (Sections 3.2, 4.3 and 5.4).

What a convention leaves open is accepted in every reading; the handout's two versions contradict each other in 3.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.model import Experiment, Outcome

Numbers: TypeAlias = NDArray[np.float64]
_EXACT = 1e-9


def _numbers(answer: Any, length: int) -> Numbers:
    """Return the numbers that a student's function returned, in a list, a tuple or a dict."""
    found = [float(one) for one in (answer.values() if isinstance(answer, Mapping) else answer)]
    if len(found) != length:
        raise ValueError(f"{length} numbers are asked for, not {len(found)}")
    return np.array(found)


def _given(name: str, mine: Experiment, shape: tuple[int, ...]) -> Outcome | None:
    """Return a failed outcome where there are no numbers of that shape."""
    if failed := checks.absent(name, mine, "the number that the question asks for", "numbers"):
        return failed
    found = mine.arrays["numbers"]
    if found.shape != shape or not checks.finite(found):
        return checks.outcome(name, False, "the number that the question asks for", "something else")
    return None


# 3.2 ------------------------------------------------------------------------------------------------------------------

_NAMES = ("cnn_neurons", "cnn_parameters", "fcnn_neurons", "fcnn_parameters")
_INPUT = 32 * 32 * 3
_ONE_CHANNEL, _FIGURE, _FC = (1344, 1664), (49_344, 61_632), (4032, 4992)  # neurons without and with pooling
# One output channel, as the text says; the channels of the figure; layers that keep the shape of their input.
_READINGS = (
    (_ONE_CHANNEL, 45, _ONE_CHANNEL, 3_215_360),
    (_FIGURE, 21_024, _FIGURE, 235_667_456),
    (_FIGURE, 21_024, _FC, 10_063_872),
)


class ConvNetSizes:
    """The neurons and the parameters of both networks, in one reading of the figure and the text (Section 3.2)."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Ask for the four numbers."""
        return {"numbers": lambda: {"numbers": _numbers(student.build("3.2"), len(_NAMES))}}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge all four by the reading that fits best; one outcome per criterion."""
        judged = [[self._one(mine["numbers"], at, reading) for at in range(len(_NAMES))] for reading in _READINGS]
        yield from max(judged, key=lambda outcomes: sum(one.passed for one in outcomes))

    def _one(self, mine: Experiment, at: int, reading: tuple[Any, ...]) -> Outcome:
        if failed := _given(_NAMES[at], mine, (len(_NAMES),)):
            return failed
        wanted = reading[at] if isinstance(reading[at], tuple) else (reading[at],)
        more = [number + _INPUT for number in wanted] if "neurons" in _NAMES[at] else []
        found = float(mine.arrays["numbers"][at])
        return checks.outcome(_NAMES[at], found in (*wanted, *more), "the number in one of the readings", f"{found:g}")


# 4.3 ------------------------------------------------------------------------------------------------------------------

_SIZES = (32, 64)
_COUNTED = ("weights", "outputs", "connections")
_DRAWS = 3


class PoolUpsampleSizes:
    """The weights, outputs and connections of PoolUpsampleNet, also for images twice as high and wide (Section 4.3)."""

    arguments = ("nic", "nf", "nc", "size")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Evaluate the formulas for three networks and images of two sizes."""
        drawn = [tuple(int(one) for one in draw.integers(f"network {at}", 2, 60, 3)) for at in range(_DRAWS)]

        def asked(size: int) -> Any:
            answers = [student.build("4.3", None, {"size": size}, nic=a, nf=b, nc=c) for a, b, c in drawn]
            numbers = np.array([_numbers(answer, len(_COUNTED)) for answer in answers])
            return {"numbers": numbers, "networks": np.array(drawn)}

        return {f"size {size}": lambda size=size: asked(size) for size in _SIZES}  # type: ignore[misc]

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the formulas of every convention; one outcome per criterion."""
        for size, suffix in zip(_SIZES, ("", "_doubled"), strict=True):
            nic, nf, nc = theirs[f"size {size}"].arrays["networks"].astype(np.float64).T
            for at, counted in enumerate(_COUNTED):
                accepted = list(_ACCEPTED[counted](nic, nf, nc, size))
                yield _formula(counted + suffix, mine[f"size {size}"], at, accepted)


def _formula(name: str, mine: Experiment, at: int, accepted: list[Numbers]) -> Outcome:
    if failed := _given(name, mine, (_DRAWS, len(_COUNTED))):
        return failed
    found = mine.arrays["numbers"][:, at].astype(np.float64)
    passed = any(np.allclose(found, one, rtol=_EXACT, atol=0) for one in accepted)
    told = "such a formula" if passed else f"another one: {found[0]:g} for the first network"
    return checks.outcome(name, passed, "the formula of one of the conventions", told)


def _weights(nic: Numbers, nf: Numbers, nc: Numbers, _: int) -> Iterator[Numbers]:
    kernels = 9 * (nic * nf + 4 * nf**2 + nf * nc + nc**2)
    yield from (kernels, kernels + 2 * (4 * nf + nc))  # with batch norm


def _layers(nf: Numbers, nc: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Return the outputs of the two pooling and of the two upsampling layers."""
    half, quarter = (size / 2) ** 2, (size / 4) ** 2
    return nf * half + 2 * nf * quarter, nf * half + nc * size**2


def _outputs(nic: Numbers, nf: Numbers, nc: Numbers, size: int) -> Iterator[Numbers]:
    """Yield the outputs of the convolutions with any of the other kinds of layers, and those of the figure's groups."""
    pool, up = _layers(nf, nc, size)
    last = nc * size**2
    convolutions = nf * size**2 + 2 * nf * (size / 2) ** 2 + nf * (size / 4) ** 2 + nc * (size / 2) ** 2 + last
    yield pool + up + last
    yield from _with_any(convolutions, pool, up, pool + up, pool + up)


def _connections(nic: Numbers, nf: Numbers, nc: Numbers, size: int) -> Iterator[Numbers]:
    """Yield the connections of the convolutions, to the padding or not, with any of the other kinds of layers."""
    pool, up = _layers(nf, nc, size)
    channels = ((nic * nf, 1), (2 * nf**2, 2), (2 * nf**2, 4), (nf * nc, 2), (nc**2, 1))
    for border in (0, 2):  # a row of n pixels is seen 3n times, or 3n - 2 times without the padding
        seen = sum((pairs * (3 * size / part - border) ** 2 for pairs, part in channels), np.zeros(1))
        yield from _with_any(seen, 4 * pool, up, pool + up, pool + up)


def _with_any(base: Numbers, *parts: Numbers) -> Iterator[Numbers]:
    """Yield a base with each choice of parts: pooling, upsampling, batch norm, ReLU."""
    for chosen in itertools.product((0, 1), repeat=len(parts)):
        yield base + sum((take * part for take, part in zip(chosen, parts, strict=True)), np.zeros(1))


_ACCEPTED = {"weights": _weights, "outputs": _outputs, "connections": _connections}


# 5.4 ------------------------------------------------------------------------------------------------------------------


class Paddings:
    """The paddings with which kernels of size 4 and 5 keep the shapes of Figure 1b (Section 5.4)."""

    arguments = ("kernel",)

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Ask for three numbers for each kernel."""

        def asked(kernel: int) -> Any:
            return {"numbers": _numbers(student.build("5.4", kernel=kernel), 3)}

        return {f"kernel_{kernel}": lambda kernel=kernel: asked(kernel) for kernel in (4, 5)}  # type: ignore[misc]

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference: only one choice keeps the shapes; one outcome per criterion."""
        for name in ("kernel_4", "kernel_5"):
            yield _given(name, mine[name], (3,)) or checks.outcome(
                name,
                np.array_equal(mine[name].arrays["numbers"], theirs[name].arrays["numbers"]),
                "the padding of the convolutions, and padding and output_padding of the transposed ones",
                ", ".join(f"{number:g}" for number in mine[name].arrays["numbers"]),
            )
