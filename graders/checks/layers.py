"""Which layers a network executes, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graders.checks.outcomes import absent, outcome
from graders.model import Experiment, Json, Outcome

# How a convolution is padded is left open: by its argument or before it. The size of its output tells.
_COMPARED = ("transposed", "kernel", "stride", "dilation", "groups", "inputs", "outputs", "size")


def convolutions(name: str, mine: Experiment, theirs: Experiment, fields: Sequence[str] = _COMPARED) -> Outcome:
    """Check that the convolutions which are executed are the reference's, in their order, in these fields."""
    wanted: list[Mapping[str, Json]] = theirs.values["convolutions"]
    expected = f"{len(wanted)} convolutions, with the kernels, strides, channels and sizes of the specification"
    if failed := absent(name, mine, expected):
        return failed
    found: list[Mapping[str, Json]] = mine.values.get("convolutions", [])
    if len(found) != len(wanted):
        return outcome(name, False, expected, f"{len(found)} convolutions")
    for number, (one, other) in enumerate(zip(found, wanted, strict=True), start=1):
        if any(one[field] != other[field] for field in fields):
            return outcome(name, False, expected, f"convolution {number} is another one: {_words(one)}")
    return outcome(name, bool(wanted), expected, "as expected")


def _words(one: Mapping[str, Json]) -> str:
    """Return a convolution in words."""
    kernel, stride, size = ("x".join(map(str, one[key])) for key in ("kernel", "stride", "size"))
    kind = "transposed, " if one["transposed"] else ""
    return f"{kind}kernel {kernel}, stride {stride}, {one['inputs']} channels in, output of {size}"
