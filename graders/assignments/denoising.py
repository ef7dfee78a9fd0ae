"""Handout D, a denoising auto-encoder: what each item is tested by. The docstring of a grader is what the item checks.

A probe contains no expected value; a judge sees evidence only. The size of the code is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graders import checks
from graders.assignments import Experiments, Registry, Seen
from graders.assignments import denoising_answers as answers
from graders.assignments import denoising_record as record
from graders.model import Experiment, Json, Outcome

GRADERS = Registry("torch")
LATENT, SIZE = 128, 64  # of the check script
_SIZES = (5, 6, 7)  # of codes for the encoder, whose weights travel
_CODES = (12, 16, 20)

GRADERS.item("Q1a")(answers.SizeAfterConvolution)
GRADERS.item("Q1b")(answers.SizeAfterTransposed)
GRADERS.item("Q1c")(answers.SizeAfterStride)
GRADERS.item("Q1d")(answers.ParametersOfConvolution)
GRADERS.item("Q3a")(record.CheckScript)
GRADERS.item("Q3b")(record.Training)


# Question 2 (a) -------------------------------------------------------------------------------------------------------

_WIDE = 8.0  # times the pixels: far enough to see the ends of an activation
# What PyTorch executes for one layer, in words.
_LAYERS = {
    **dict.fromkeys(("addmm", "mm", "bmm", "baddbmm", "linear", "matmul", "convolution"), "Linear"),
    **dict.fromkeys(("relu", "clamp", "clamp_min", "threshold"), "ReLU"),
    "tanh": "Tanh",
}


@GRADERS.item("Q2a")
class Encoder:
    """A perceptron of two layers: Linear, BatchNorm1d, ReLU; Linear, Tanh; both with z_dim units (Section 2 (a))."""

    arguments = ("z_dim", "img_size")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a small encoder in both modes and on a wide range of pixels; count the parameters of the real one."""
        size = draw.choose("size", _SIZES)
        x = draw.normal("x", 4, 3, SIZE, SIZE)

        def encoder(z_dim: int = size) -> Any:
            return student.build("Q2a", {"img_size": SIZE}, z_dim=z_dim)

        def real() -> dict[str, Any]:
            layer = encoder(LATENT)
            return {**_flat(lab.evaluated(layer, x[:2])), **lab.count(layer)}

        return {
            "main": lambda: _of_weights(_flat(lab.measure(encoder(), x, draw))),
            "executed": lambda: {"names": [one["name"] for one in lab.operations(encoder(), x)["operations"]]},
            "wide": lambda: _flat(lab.outputs(encoder(), _WIDE * x, draw.seed)),
            "real size": real,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        main, wide = (mine["main"], theirs["main"]), (mine["wide"], theirs["wide"])
        values = checks.all_of("values", checks.close("values", *main), checks.close("values", *wide))
        training = checks.close("training", *main, "outputs in training")
        real = (mine["real size"], theirs["real size"])
        yield checks.all_of("shape", checks.shape("shape", *main), checks.shape("shape", *real))
        yield _layers(mine["executed"], theirs["executed"], values.passed and training.passed)
        yield checks.parameters("parameters", main, real)
        yield values
        yield training
        yield _in_range(mine["wide"])
        yield _gradients(*main, equal=values.passed and training.passed)


def _gradients(mine: Experiment, theirs: Experiment, equal: bool) -> Outcome:
    """Compare the gradients of equal values in both modes; of other values, see only whether there are any."""
    modes = ((mine, theirs), (_training(mine), _training(theirs)))
    if equal:
        return checks.all_of("gradients", *(checks.gradients("gradients", *mode) for mode in modes))
    expected = "a gradient for every weight"
    if failed := checks.absent("gradients", mine, expected):
        return failed
    lost = max(one.values["unreached"] for one, _ in modes)
    known = bool(mine.values["shapes"])
    actual = f"{lost} weights without one" if known else "no weights"
    return checks.outcome("gradients", known and lost == 0, expected, actual if lost or not known else "as expected")


def _training(measured: Experiment) -> Experiment:
    """Return what was measured in training mode, under the names that the same has in evaluation mode."""
    word = "training "
    arrays = {key.removeprefix(word): one for key, one in measured.arrays.items() if key.startswith(word)}
    values = {key.removeprefix(word): one for key, one in measured.values.items() if key.startswith(word)}
    return Experiment(values, arrays, measured.failure)


def _flat(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return measurements with the outputs as (N, z), also where they are (N, z, 1, 1)."""
    keys = [key for key in found if key.endswith("outputs") or key.startswith("outputs")]
    flat = {key: found[key].reshape(found[key].shape[:2]) for key in keys if found[key].shape[2:] == (1, 1)}
    return {**found, **flat}


def _of_weights(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return measurements without the gradient of the images, which nothing needs."""
    return {key: one for key, one in found.items() if not key.endswith("gradient of the input")}


def _layers(mine: Experiment, theirs: Experiment, equal: bool) -> Outcome:
    """Compare what is executed, in its order; what gives equal values in both modes has the same layers in effect."""
    wanted = _words(theirs.values["names"])
    expected = " → ".join(wanted)
    if failed := checks.absent("layers", mine, expected):
        return failed
    found = _words(mine.values["names"])
    return checks.outcome("layers", equal or found == wanted, expected, " → ".join(found[:20]) or "no layer")


def _words(names: Sequence[str]) -> list[str]:
    words = ["BatchNorm" if "batch_norm" in name else _LAYERS.get(name, "") for name in names]
    return [word for word in words if word]


def _in_range(mine: Experiment) -> Outcome:
    """Check that codes lie between -1 and 1, and come near to both for images far from zero."""
    expected = "codes between -1 and 1, near both for inputs far from zero"
    if failed := checks.absent("range", mine, expected, "outputs"):
        return failed
    outputs = mine.arrays["outputs"]
    if not checks.finite(outputs):
        return checks.outcome("range", False, expected, "values that are not finite (NaN or infinity)")
    low, high = float(outputs.min()), float(outputs.max())
    return checks.outcome("range", -1 <= low < -0.5 and 0.5 < high <= 1, expected, f"from {low:.3g} to {high:.3g}")


# Question 2 (b) -------------------------------------------------------------------------------------------------------

_SCALE = 20.0  # of the codes: what they give stands out against the biases


@GRADERS.item("Q2b")
class Decoder:
    """Five layers of a transposed and a regular convolution, from (z_dim, 1, 1) to (3, 64, 64) (Section 2 (b))."""

    arguments = ("z_dim", "img_size")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Run a small decoder; list the convolutions of the real one and look between them."""
        size = draw.choose("size", _CODES)

        def decoder(z_dim: int = size) -> Any:
            return student.build("Q2b", {"img_size": SIZE}, z_dim=z_dim)

        def real() -> dict[str, Any]:
            layer = decoder(LATENT)
            executed = lab.operations(layer, draw.normal("real codes", 1, LATENT, 1, 1))
            return {**_executed(executed), **lab.count(layer)}

        def linked() -> dict[str, Any]:
            layer, codes = decoder(LATENT), _SCALE * draw.normal("real codes", 1, LATENT, 1, 1)
            lab.evaluated(layer, codes)
            lab.set_weights(layer, draw.seed)
            found: dict[str, Any] = lab.chain(layer, codes, draw)
            return found

        return {
            "small": lambda: lab.outputs(decoder(), draw.normal("codes", 2, size, 1, 1), draw.seed),
            "real size": real,
            "links": linked,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        real, links = (mine["real size"], theirs["real size"]), mine["links"]
        yield checks.shape("shape", mine["small"], theirs["small"])
        yield _same_convolutions("transposed", *real, transposed=True)
        yield _same_convolutions("convolutions", *real, transposed=False)
        yield _same_sizes(*real)
        yield _in_order(*real, links)
        yield _weights(*real)
        yield _nonlinear(links, theirs["links"])
        yield _output(mine["real size"], links)
        yield _reached(links)


_FIELDS = ("inputs", "outputs", "kernel", "stride", "dilation", "groups", "padding", "output_padding")


def _executed(found: Mapping[str, Any]) -> dict[str, Json]:
    """Return the convolutions; `padded` tells of an operation right before one that pads. `after` are those behind."""
    names = [str(one["name"]) for one in found["operations"]]
    padded = [one["at"] > 0 and "pad" in names[one["at"] - 1] for one in found["convolutions"]]
    convolutions = [{**one, "padded": pad} for one, pad in zip(found["convolutions"], padded, strict=True)]
    return {"convolutions": convolutions, "after": names[convolutions[-1]["at"] + 1 :] if convolutions else names}


def _same_convolutions(name: str, mine: Experiment, theirs: Experiment, transposed: bool) -> Outcome:
    kind = "transposed" if transposed else "regular"
    wanted = [one for one in theirs.values["convolutions"] if one["transposed"] is transposed]
    expected = f"the {len(wanted)} {kind} convolutions of the table, in its order"
    if failed := checks.absent(name, mine, expected):
        return failed
    found = [one for one in mine.values["convolutions"] if one["transposed"] is transposed]
    for at, (one, other) in enumerate(zip(found, wanted, strict=False), start=1):
        if wrong := _differences(one, other):
            return checks.outcome(name, False, expected, f"in layer {at} {', '.join(wrong)}")
    actual = "as in the table" if len(found) == len(wanted) else f"{len(found)} {kind} convolutions"
    return checks.outcome(name, len(found) == len(wanted), expected, actual)


def _differences(mine: Mapping[str, Json], theirs: Mapping[str, Json]) -> list[str]:
    """Return what of a convolution is not as in the table; padding by an operation of its own shows in the sizes."""
    fields = [field for field in _FIELDS if field != "padding" or not mine["padded"]]
    return [f"{field} {mine[field]}".replace("_", " ") for field in fields if mine[field] != theirs[field]]


def _same_sizes(mine: Experiment, theirs: Experiment) -> Outcome:
    wanted = [one["size"] for one in theirs.values["convolutions"]]
    expected = f"after the layers {', '.join(f'{size[2]}x{size[3]}' for size in wanted[1::2])}"
    if failed := checks.absent("sizes", mine, expected):
        return failed
    found = [one["size"] for one in mine.values["convolutions"] if not one["transposed"]]
    shown = ", ".join("x".join(map(str, size[2:])) for size in found[:10])
    right = [size[2:] for size in found] == [size[2:] for size in wanted[1::2]]
    return checks.outcome("sizes", right, expected, shown or "no regular convolution")


def _in_order(mine: Experiment, theirs: Experiment, links: Experiment) -> Outcome:
    expected = "transposed and regular convolutions by turns, each working on what the one before gives"
    if failed := checks.absent("order", mine, expected) or checks.absent("order", links, expected):
        return failed
    kinds, wanted = ([one["transposed"] for one in side.values["convolutions"]] for side in (mine, theirs))
    if kinds != wanted:
        words = " ".join("transposed" if kind else "regular" for kind in kinds[:12])
        return checks.outcome("order", False, expected, words or "no convolution")
    for at in range(1, len(wanted)):
        if not _link(links, str(at - 1), checks.pointwise):
            actual = f"more than normalisation and activation between convolutions {at} and {at + 1}"
            return checks.outcome("order", False, expected, actual)
    return checks.outcome("order", bool(wanted), expected, "as expected")


def _link(links: Experiment, name: str, check: Any) -> bool:
    """Return whether a check holds for both ends of a link; not where one is missing or no numbers."""
    ends = [links.arrays.get(f"{end} {name}") for end in ("before", "after")]
    if any(one is None or one.dtype.kind != "f" for one in ends):
        return False
    return bool(check(*(one.astype(float) for one in ends if one is not None)))


def _weights(mine: Experiment, theirs: Experiment) -> Outcome:
    """Compare the kernels; each convolution needs a bias, or the shift of a normalisation, as well."""
    kernels = [shape for shape in theirs.values["shapes"] if len(shape) > 1]
    channels = sorted(one["outputs"] for one in theirs.values["convolutions"])
    expected = f"{len(kernels)} kernels of the table's sizes, and as many biases"
    if failed := checks.absent("parameters", mine, expected):
        return failed
    shapes = mine.values["shapes"]
    found = [shape for shape in shapes if len(shape) > 1]
    if found != kernels:
        other = ", of other sizes" if len(found) == len(kernels) else ""
        return checks.outcome("parameters", False, expected, f"{len(found)} kernels{other}")
    vectors = [shape[0] for shape in shapes if len(shape) == 1]
    lacking = [number for number in set(channels) if vectors.count(number) < channels.count(number)]
    actual = f"too few biases for {lacking[0]} filters" if lacking else "as expected"
    return checks.outcome("parameters", not lacking, expected, actual)


def _nonlinear(mine: Experiment, theirs: Experiment) -> Outcome:
    expected = "an activation between the convolutions"
    if failed := checks.absent("nonlinear", mine, expected):
        return failed
    found = [at for at in range(theirs.values["convolutions"] - 1) if _link(mine, str(at), checks.bent)]
    return checks.outcome("nonlinear", bool(found), expected, f"{len(found)} activations" if found else "none")


def _output(mine: Experiment, links: Experiment) -> Outcome:
    expected = "the last convolution's values, or a bounded activation of them"
    if failed := checks.absent("output", mine, expected) or checks.absent("output", links, expected):
        return failed
    if norms := [name for name in mine.values["after"] if "norm" in name]:
        return checks.outcome("output", False, expected, f"a normalisation after the last convolution ({norms[0]})")
    if not _link(links, "last", checks.pointwise):
        return checks.outcome("output", False, expected, "more than an activation after the last convolution")
    cut = _link(links, "last", checks.rectified)
    return checks.outcome("output", not cut, expected, "no negative value is let through" if cut else "as expected")


def _reached(links: Experiment) -> Outcome:
    expected = "a gradient for every weight"
    if failed := checks.absent("gradients", links, expected):
        return failed
    lost, number = links.values["unreached"], links.values["parameters"]
    actual = f"{lost} weights without one" if lost else "as expected" if number else "no weights"
    return checks.outcome("gradients", lost == 0 and number > 0, expected, actual)
