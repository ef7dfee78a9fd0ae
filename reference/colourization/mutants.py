"""Wrong solutions of handout C: what is easily mistaken in its figure, and what a clever one writes for nothing.

Every mutant is the reference's own class with some text swapped, wherever it stands in that class.
"""

import ast
from pathlib import Path

from graders.model import Mutant

SOLUTION = Path(__file__).with_name("solution.py").read_text(encoding="utf-8")
DEFINITIONS = {
    node.name: ast.get_source_segment(SOLUTION, node) or ""
    for node in ast.parse(SOLUTION).body
    if isinstance(node, ast.ClassDef)
}
CLASSES = {"4.1": "PoolUpsampleNet", "5.1": "ConvTransposeNet", "6.1": "UNet"}


def wrong(item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str]) -> Mutant:
    """Return the mutant of an item's class in which every old text gives way to its new one, wherever it stands."""
    definition = DEFINITIONS[CLASSES[item]]
    for old, new in swaps:
        if old not in definition:
            raise ValueError(f"{item} {name}: not in {CLASSES[item]}: {old!r}")
        definition = definition.replace(old, new)
    return Mutant(f"{item}-{name}", item, mistake, loses, replaces={CLASSES[item]: definition})


def group(*layers: str) -> str:
    """Return layers as they stand in a group of the reference."""
    return ",\n            ".join(layers) + ",\n"


def reordered(before: tuple[str, ...], after: tuple[str, ...], *channels: str) -> tuple[tuple[str, str], ...]:
    """Return the swaps that put layers into another order; NORM stands for the batch norm of these channels."""
    norms = (f"nn.BatchNorm2d({number})" for number in channels)
    return tuple((group(*before).replace("NORM", norm), group(*after).replace("NORM", norm)) for norm in norms)


INNER = "nn.Conv2d(2 * num_filters, num_filters, kernel, padding=padding),\n"
TRANSPOSED_INNER = """nn.ConvTranspose2d(
                2 * num_filters, num_filters, kernel, stride=stride, padding=padding, output_padding=output_padding
            )"""
POOL, UPSAMPLE, NORM, RELU = "nn.MaxPool2d(2)", "nn.Upsample(scale_factor=2)", "NORM", "nn.ReLU()"
DOWN = ("num_filters", "2 * num_filters")
UP = ("num_filters", "num_colours")
LAST = "return self.last(x)"
LAST_LAYER = "self.last = nn.Conv2d(num_colours, num_colours, kernel, padding=padding)"
ORDER = ("values", "training", "gradients")
ALL = ("shape", "parameters", "layers", "values", "training", "gradients")

POOLING = (
    wrong(
        "4.1",
        "norm-relu-pool",
        "pools at the end of a group, as most networks do",
        ORDER,
        *reordered((POOL, NORM, RELU), (NORM, RELU, POOL), *DOWN),
    ),
    wrong(
        "4.1",
        "norm-pool-relu",
        "pools after batch norm",
        ORDER,
        *reordered((POOL, NORM, RELU), (NORM, POOL, RELU), *DOWN),
    ),
    wrong(
        "4.1",
        "pool-relu-norm",
        "batch norm comes after the ReLU when pooling",
        ORDER,
        *reordered((POOL, NORM, RELU), (POOL, RELU, NORM), *DOWN),
    ),
    wrong(
        "4.1",
        "upsample-relu-norm",
        "batch norm comes after the ReLU when upsampling",
        ORDER,
        *reordered((UPSAMPLE, NORM, RELU), (UPSAMPLE, RELU, NORM), *UP),
    ),
    wrong(
        "4.1",
        "one-group-norm-relu-pool",
        "the order of the second group alone is wrong",
        ORDER,
        *reordered((POOL, NORM, RELU), (NORM, RELU, POOL), "2 * num_filters"),
    ),
    wrong(
        "4.1",
        "pool-first",
        "pools before the convolution",
        ("layers", "values"),
        (
            "nn.Conv2d(num_in_channels, num_filters, kernel, padding=padding),\n            nn.MaxPool2d(2)",
            "nn.MaxPool2d(2),\n            nn.Conv2d(num_in_channels, num_filters, kernel, padding=padding)",
        ),
    ),
    wrong(
        "4.1",
        "upsample-first",
        "upsamples before the convolution",
        ("layers", "values"),
        (
            "nn.Conv2d(num_filters, num_colours, kernel, padding=padding),\n            nn.Upsample(scale_factor=2)",
            "nn.Upsample(scale_factor=2),\n            nn.Conv2d(num_filters, num_colours, kernel, padding=padding)",
        ),
    ),
    wrong(
        "4.1",
        "no-norm",
        "leaves out batch norm",
        ("parameters", "values"),
        *((f"            nn.BatchNorm2d({number}),\n", "") for number in (*DOWN, "num_colours")),
    ),
    wrong(
        "4.1",
        "one-norm-missing",
        "leaves out the last batch norm",
        ("parameters", "values"),
        ("            nn.BatchNorm2d(num_colours),\n", ""),
    ),
    wrong(
        "4.1", "relu-at-the-end", "a ReLU after the last convolution", ORDER, (LAST, "return torch.relu(self.last(x))")
    ),
    wrong(
        "4.1",
        "softmax",
        "a softmax at the end, and the loss has one of its own",
        ORDER,
        (LAST, "return torch.softmax(self.last(x), dim=1)"),
    ),
    wrong(
        "4.1", "log-softmax", "a log-softmax at the end", ORDER, (LAST, "return torch.log_softmax(self.last(x), dim=1)")
    ),
    wrong(
        "4.1",
        "softmax-in-evaluation",
        "a softmax at the end of evaluation alone",
        ("values", "gradients"),
        (LAST, "return self.last(x) if self.training else self.last(x).softmax(1)"),
    ),
    wrong(
        "4.1",
        "fixed-colours",
        "writes 24 for the number of colours",
        ALL,
        ("num_colours", "24"),
        ("num_filters, 24, num_in_channels", "num_filters, num_colours, num_in_channels"),
    ),
    wrong(
        "4.1",
        "fixed-filters",
        "writes 32 for the number of filters",
        ("parameters", "layers", "values"),
        ("super().__init__()", "super().__init__()\n        num_filters = 32"),
    ),
    wrong(
        "4.1",
        "fixed-input",
        "writes 1 for the number of input channels",
        ALL,
        ("nn.Conv2d(num_in_channels,", "nn.Conv2d(1,"),
    ),
    wrong("4.1", "fixed-kernel", "writes 3 for the kernel size", ("kernel",), ("kernel, padding=", "3, padding=")),
    wrong(
        "4.1", "fixed-padding", "pads by 1 whatever the kernel", ("kernel",), ("padding = kernel // 2", "padding = 1")
    ),
    wrong("4.1", "no-padding", "pads nothing", ("shape", "layers", "values"), ("padding = kernel // 2", "padding = 0")),
    wrong(
        "4.1",
        "same-filters",
        "does not double the filters",
        ("parameters", "layers", "values"),
        ("2 * num_filters", "num_filters"),
    ),
    wrong("4.1", "mean-pool", "takes the mean of what is pooled", ORDER, ("nn.MaxPool2d(2)", "nn.AvgPool2d(2)")),
    wrong(
        "4.1",
        "wide-pool",
        "pools over 3x3 pixels with stride 2",
        ORDER,
        ("nn.MaxPool2d(2)", "nn.MaxPool2d(3, stride=2, padding=1)"),
    ),
    wrong(
        "4.1",
        "bilinear",
        "upsamples by interpolation",
        ORDER,
        ("scale_factor=2", 'scale_factor=2, mode="bilinear"'),
    ),
    wrong(
        "4.1",
        "strides",
        "strides in place of pooling, as in Section 5",
        ("layers", "values"),
        ("            nn.MaxPool2d(2),\n", ""),
        ("num_in_channels, num_filters, kernel,", "num_in_channels, num_filters, kernel, stride=2,"),
        ("num_filters, 2 * num_filters, kernel,", "num_filters, 2 * num_filters, kernel, stride=2,"),
    ),
    wrong(
        "4.1",
        "fixed-size",
        "upsamples to 16 and 32 pixels whatever the image",
        ("layers",),
        (
            f"{INNER}            nn.Upsample(scale_factor=2)",
            f"{INNER}            nn.Upsample(size=(16, 16))",
        ),
        ("nn.Upsample(scale_factor=2)", "nn.Upsample(size=(32, 32))"),
    ),
    wrong(
        "4.1",
        "last-is-1x1",
        "a last convolution of 1x1",
        ("parameters", "layers", "values"),
        (LAST_LAYER, "self.last = nn.Conv2d(num_colours, num_colours, 1)"),
    ),
    wrong(
        "4.1",
        "no-bias",
        "convolutions without bias",
        ("parameters",),
        ("padding=padding)", "padding=padding, bias=False)"),
    ),
    wrong(
        "4.1",
        "leaky",
        "a leaky ReLU in place of a ReLU",
        ORDER,
        ("nn.ReLU()", "nn.LeakyReLU(0.1)"),
    ),
    wrong(
        "4.1",
        "one-relu-missing",
        "leaves out the ReLU of the last group",
        ORDER,
        ("nn.BatchNorm2d(num_colours),\n            nn.ReLU(),\n", "nn.BatchNorm2d(num_colours),\n"),
    ),
    wrong(
        "4.1",
        "dropout",
        "adds dropout",
        ("training", "gradients"),
        ("nn.BatchNorm2d(num_colours),", "nn.BatchNorm2d(num_colours),\n            nn.Dropout(0.2),"),
    ),
    wrong(
        "4.1",
        "momentum",
        "another momentum for the running statistics",
        ("training",),
        ("nn.BatchNorm2d(num_filters)", "nn.BatchNorm2d(num_filters, momentum=0.9)"),
    ),
    wrong(
        "4.1",
        "epsilon",
        "another epsilon for batch norm",
        ("values",),
        ("nn.BatchNorm2d(num_filters)", "nn.BatchNorm2d(num_filters, eps=1e-2)"),
    ),
    wrong(
        "4.1",
        "no-affine",
        "batch norm without weights",
        ("parameters", "values"),
        ("nn.BatchNorm2d(num_filters)", "nn.BatchNorm2d(num_filters, affine=False)"),
    ),
    wrong(
        "4.1",
        "no-statistics",
        "batch norm that uses the batch in evaluation too",
        ("values", "training"),
        ("nn.BatchNorm2d(num_filters)", "nn.BatchNorm2d(num_filters, track_running_stats=False)"),
    ),
    wrong(
        "4.1",
        "layer-norm",
        "normalises each image by itself",
        ORDER,
        ("nn.BatchNorm2d(", "nn.GroupNorm(1, "),
    ),
    wrong(
        "4.1",
        "shared-norm",
        "uses one batch norm for two groups",
        ("parameters",),
        (
            "self.last = nn",
            "self.up1[2] = self.down1[2]\n        self.last = nn",
        ),
    ),
    wrong(
        "4.1",
        "untracked",
        "keeps the groups in a list, where no optimizer finds them",
        ("parameters",),
        (
            "        self.last = nn",
            "        self.groups = [self.down1, self.down2]\n        del self.down1, self.down2\n"
            "        self.last = nn",
        ),
        ("x = self.down1(x)", "x = self.groups[0](x)"),
        ("x = self.down2(x)", "x = self.groups[1](x)"),
    ),
    wrong("4.1", "detached", "cuts the graph", ("gradients",), ("x = self.up1(x)", "x = self.up1(x.detach())")),
    wrong(
        "4.1",
        "evaluation-always",
        "puts itself into evaluation mode",
        ("training",),
        ("x = self.down1(x)", "self.eval()\n        x = self.down1(x)"),
    ),
    wrong("4.1", "no-return", "forgets to return", ("shape", *ORDER), (LAST, "x = self.last(x)")),
    wrong(
        "4.1", "group-twice", "calls one group twice and forgets another", ALL, ("x = self.up2(x)", "x = self.up1(x)")
    ),
    wrong(
        "4.1",
        "frozen",
        "freezes the last convolution",
        ("parameters", "gradients"),
        (LAST_LAYER, LAST_LAYER + ".requires_grad_(False)"),
    ),
)

TRANSPOSED = (
    wrong(
        "5.1",
        "no-output-padding",
        "leaves output_padding at 0",
        ("shape", "layers", "values"),
        ("output_padding = 2, kernel // 2, 1", "output_padding = 2, kernel // 2, 0"),
    ),
    wrong(
        "5.1",
        "padded-output",
        "no output_padding, and zeros at the right and at the bottom instead",
        ("layers", "values"),
        ("output_padding = 2, kernel // 2, 1", "output_padding = 2, kernel // 2, 0"),
        ("x = self.up1(x)", "x = nn.functional.pad(self.up1(x), (0, 1, 0, 1))"),
        ("x = self.up2(x)", "x = nn.functional.pad(self.up2(x), (0, 1, 0, 1))"),
    ),
    wrong(
        "5.1",
        "pooled",
        "keeps the pooling of Section 4 in place of the strides",
        ("layers", "values"),
        (
            "num_in_channels, num_filters, kernel, stride=stride, padding=padding),",
            "num_in_channels, num_filters, kernel, padding=padding),\n            nn.MaxPool2d(2),",
        ),
        (
            "2 * num_filters, kernel, stride=stride, padding=padding),",
            "2 * num_filters, kernel, padding=padding),\n            nn.MaxPool2d(2),",
        ),
    ),
    wrong(
        "5.1",
        "upsampled",
        "keeps the upsampling of Section 4 in place of transposed convolutions",
        ("parameters", "layers", "values"),
        (
            TRANSPOSED_INNER,
            f"{INNER}            nn.Upsample(scale_factor=2)",
        ),
    ),
    wrong(
        "5.1",
        "stride-missing",
        "the second convolution has no stride",
        ("shape", "layers", "values"),
        ("2 * num_filters, kernel, stride=stride", "2 * num_filters, kernel, stride=1"),
    ),
    wrong(
        "5.1",
        "last-transposed",
        "the last convolution is a transposed one",
        ("layers", "values"),
        ("nn.Conv2d(num_colours, num_colours", "nn.ConvTranspose2d(num_colours, num_colours"),
    ),
    wrong(
        "5.1",
        "dilated",
        "dilates the transposed convolutions by 2 and pads for it",
        ("layers", "values"),
        ("padding=padding, output_padding", "padding=padding + 1, dilation=2, output_padding"),
    ),
    wrong(
        "5.1",
        "no-norm",
        "leaves out batch norm",
        ("parameters", "values"),
        *((f"            nn.BatchNorm2d({number}),\n", "") for number in (*DOWN, "num_colours")),
    ),
    wrong(
        "5.1",
        "relu-norm",
        "batch norm comes after the ReLU",
        ORDER,
        *reordered((NORM, RELU), (RELU, NORM), *DOWN, "num_colours"),
    ),
    wrong(
        "5.1",
        "same-filters",
        "does not double the filters",
        ("parameters", "layers", "values"),
        ("2 * num_filters", "num_filters"),
    ),
    wrong(
        "5.1",
        "no-bias",
        "convolutions without bias",
        ("parameters",),
        ("padding=padding)", "padding=padding, bias=False)"),
    ),
    wrong(
        "5.1",
        "fixed-kernel",
        "writes 3 for the kernel size",
        ("kernel",),
        ("kernel, stride=", "3, stride="),
        ("kernel, padding=", "3, padding="),
    ),
    wrong("5.1", "sigmoid", "a sigmoid at the end", ORDER, (LAST, "return torch.sigmoid(self.last(x))")),
    wrong(
        "5.1",
        "reflected",
        "pads by reflection",
        ORDER,
        ("stride=stride, padding=padding),", 'stride=stride, padding=padding, padding_mode="reflect"),'),
    ),
    wrong(
        "5.1",
        "one-relu-missing",
        "leaves out the ReLU of the last group",
        ORDER,
        ("nn.BatchNorm2d(num_colours),\n            nn.ReLU(),\n", "nn.BatchNorm2d(num_colours),\n"),
    ),
    wrong(
        "5.1",
        "pool-net",
        "hands in the network of Section 4 under another name",
        ("parameters", "layers", "values"),
        (
            DEFINITIONS["ConvTransposeNet"],
            DEFINITIONS["PoolUpsampleNet"].replace("PoolUpsampleNet", "ConvTransposeNet"),
        ),
    ),
    wrong(
        "5.1",
        "fixed-input",
        "writes 1 for the number of input channels",
        ALL,
        ("nn.Conv2d(num_in_channels,", "nn.Conv2d(1,"),
    ),
)

IMAGE = "torch.cat([y, x], dim=1)"
FIRST = "torch.cat([y, first], dim=1)"
SKIPS = (
    wrong(
        "6.1",
        "image-added",
        "adds the image in place of concatenating it",
        ("parameters", "layers", "values"),
        (IMAGE, "y + x.mean(1, keepdim=True)"),
        ("num_colours + num_in_channels, num_colours", "num_colours, num_colours"),
    ),
    wrong(
        "6.1",
        "first-added",
        "adds the first group's output in place of concatenating it",
        ("parameters", "layers", "values"),
        (FIRST, "y + first"),
        ("2 * num_filters, num_colours, kernel", "num_filters, num_colours, kernel"),
    ),
    wrong(
        "6.1",
        "no-image",
        "the last convolution does not see the image",
        ("parameters", "layers", "values"),
        (IMAGE, "y"),
        ("num_colours + num_in_channels, num_colours", "num_colours, num_colours"),
    ),
    wrong(
        "6.1",
        "no-first",
        "there is no skip connection in the middle",
        ("parameters", "layers", "values"),
        (FIRST, "y"),
        ("2 * num_filters, num_colours, kernel", "num_filters, num_colours, kernel"),
    ),
    wrong(
        "6.1",
        "no-skips",
        "is the network of Section 5",
        ("parameters", "layers", "values"),
        (DEFINITIONS["UNet"], "class UNet(ConvTransposeNet):\n    pass"),
    ),
    wrong(
        "6.1",
        "before-relu",
        "passes on what comes before the ReLU",
        ORDER,
        (
            "            nn.BatchNorm2d(num_filters),\n            nn.ReLU(),\n        )\n        self.down2",
            "            nn.BatchNorm2d(num_filters),\n        )\n        self.down2",
        ),
        ("y = self.down2(first)", "y = self.down2(torch.relu(first))"),
    ),
    wrong("6.1", "batch-axis", "concatenates along the batch", ALL, ("dim=1", "dim=0")),
    wrong("6.1", "default-axis", "forgets the axis of torch.cat", ALL, (", dim=1", "")),
    wrong(
        "6.1",
        "itself-twice",
        "concatenates the output of the last group with itself",
        ("values", "gradients"),
        (FIRST, "torch.cat([y, y], dim=1)"),
    ),
    wrong(
        "6.1",
        "zeros",
        "concatenates zeros of the size of the image",
        ("values",),
        (IMAGE, "torch.cat([y, torch.zeros_like(x)], dim=1)"),
    ),
    wrong(
        "6.1",
        "first-skip-detached",
        "cuts the graph of the skip connection",
        ("gradients",),
        (FIRST, "torch.cat([y, first.detach()], dim=1)"),
    ),
    wrong(
        "6.1",
        "one-channel",
        "counts on an image of one channel",
        ALL,
        ("num_colours + num_in_channels", "num_colours + 1"),
    ),
    wrong(
        "6.1",
        "mean-image",
        "passes on the mean of the image's channels",
        ("values",),
        (IMAGE, "torch.cat([y, x.mean(1, keepdim=True).expand_as(x)], dim=1)"),
    ),
    wrong(
        "6.1",
        "swapped-skips",
        "upsamples the image's skip to nowhere: pools the image into the middle",
        ("parameters", "layers", "values"),
        (FIRST, "torch.cat([y, nn.functional.avg_pool2d(x, 2)], dim=1)"),
        ("2 * num_filters, num_colours, kernel", "num_filters + num_in_channels, num_colours, kernel"),
    ),
    wrong(
        "6.1",
        "relu-norm",
        "batch norm comes after the ReLU",
        ORDER,
        *reordered((NORM, RELU), (RELU, NORM), *DOWN, "num_colours"),
    ),
    wrong(
        "6.1",
        "fixed-kernel",
        "writes 3 for the kernel size",
        ("kernel",),
        ("kernel, stride=", "3, stride="),
        ("kernel, padding=", "3, padding="),
    ),
    wrong(
        "6.1",
        "softmax",
        "a softmax at the end",
        ORDER,
        (f"return self.last({IMAGE})", f"return self.last({IMAGE}).softmax(dim=1)"),
    ),
)

MUTANTS = (*POOLING, *TRANSPOSED, *SKIPS)
