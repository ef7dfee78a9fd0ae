"""Wrong solutions of handout D, each with the mistake and the criteria that it must lose."""

from graders.model import Mutant

Swap = tuple[str, str]


def wrong(item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: Swap) -> Mutant:
    """Return the mutant with these texts swapped."""
    return Mutant(f"{item}-{name}", item, mistake, loses, swaps)


# Question 1 -----------------------------------------------------------------------------------------------------------

A, B, C, D = "(32, 16, 64, 64)", "(32, 128, 3, 3)", "(32, 32, 65, 65)", "q1d = 448"
ANSWER = ("answer",)

ANSWERS = (
    wrong("Q1a", "unpadded", "forgets the padding", ANSWER, (A, "(32, 16, 62, 62)")),
    wrong("Q1a", "keeps-channels", "keeps the channels of the input", ANSWER, (A, "(32, 3, 64, 64)")),
    wrong("Q1a", "channels-last", "puts the channels last", ANSWER, (A, "(32, 64, 64, 16)")),
    wrong("Q1b", "keeps-size", "takes it for a convolution with padding", ANSWER, (B, "(32, 128, 1, 1)")),
    wrong("Q1b", "one-short", "adds the filter less one more", ANSWER, (B, "(32, 128, 2, 2)")),
    wrong("Q1c", "doubles", "doubles height and width", ANSWER, (C, "(32, 32, 62, 62)")),
    wrong("Q1c", "forward", "takes it for a convolution", ANSWER, (C, "(32, 32, 14, 14)")),
    wrong("Q1c", "input-channels", "keeps the channels of the input", ANSWER, (C, "'32x64x65x65'")),
    wrong("Q1d", "no-bias", "forgets the biases", ANSWER, (D, "q1d = 432")),
    wrong("Q1d", "one-bias", "counts one bias for all filters", ANSWER, (D, "q1d = 433")),
    wrong("Q1d", "one-channel", "takes the filters for flat ones", ANSWER, (D, "q1d = 160")),
    wrong("Q1d", "times-pixels", "counts the weights once for each pixel", ANSWER, (D, "q1d = 64 * 64 * 448")),
)

# Encoder --------------------------------------------------------------------------------------------------------------

FIRST = "nn.Linear(3 * img_size * img_size, z_dim),  # (N, 3*64*64) -> (N, z_dim)"
SECOND = "nn.Linear(z_dim, z_dim),  # (N, z_dim)"
NORM = "            nn.BatchNorm1d(z_dim),\n            nn.ReLU(),\n"
TANH = "nn.Tanh(),  # in (-1, 1)"
FLAT = "        flat = images.view(images.size(0), -1)  # (N, 3*img_size*img_size)\n"
CALL = "self.output_layer(self.hidden_layer(flat))"
VALUES = ("values", "training")

ENCODER = (
    wrong(
        "Q2a",
        "norm-after-relu",
        "puts BatchNorm1d behind the ReLU",
        ("layers", *VALUES),
        (NORM, "            nn.ReLU(),\n            nn.BatchNorm1d(z_dim),\n"),
    ),
    wrong(
        "Q2a",
        "no-norm",
        "leaves BatchNorm1d out",
        ("layers", "parameters", *VALUES),
        (NORM, "            nn.ReLU(),\n"),
    ),
    wrong(
        "Q2a",
        "no-relu",
        "leaves the ReLU out, so that two linear layers become one",
        ("layers", *VALUES),
        (NORM, "            nn.BatchNorm1d(z_dim),\n"),
    ),
    wrong("Q2a", "no-tanh", "leaves the Tanh out", ("layers", "range", *VALUES), (TANH, "")),
    wrong("Q2a", "relu-output", "ends in a ReLU", ("layers", "range", *VALUES), (TANH, "nn.ReLU(),")),
    wrong("Q2a", "sigmoid-output", "ends in a Sigmoid", ("layers", "range", *VALUES), (TANH, "nn.Sigmoid(),")),
    wrong(
        "Q2a", "leaky-relu", "takes LeakyReLU for ReLU", ("layers", *VALUES), (NORM, NORM.replace("ReLU", "LeakyReLU"))
    ),
    wrong("Q2a", "relu6", "takes ReLU6 for ReLU", ("layers", "values"), (NORM, NORM.replace("ReLU", "ReLU6"))),
    wrong(
        "Q2a",
        "dropout",
        "adds Dropout, which changes the training alone",
        ("training",),
        (NORM, NORM + "            nn.Dropout(0.5),\n"),
    ),
    wrong(
        "Q2a",
        "hidden-2z",
        "gives the hidden layer 2 * z_dim units",
        ("parameters", *VALUES),
        (FIRST, "nn.Linear(3 * img_size * img_size, 2 * z_dim),"),
        ("nn.BatchNorm1d(z_dim)", "nn.BatchNorm1d(2 * z_dim)"),
        (SECOND, "nn.Linear(2 * z_dim, z_dim),"),
    ),
    wrong(
        "Q2a",
        "output-2z",
        "gives the output layer 2 * z_dim units, a mean and a variance",
        ("shape", "parameters", *VALUES),
        (SECOND, "nn.Linear(z_dim, 2 * z_dim),"),
    ),
    wrong(
        "Q2a",
        "no-bias",
        "leaves the bias of the first layer out",
        ("parameters",),
        (FIRST, FIRST.replace("z_dim),", "z_dim, bias=False),", 1)),
    ),
    wrong(
        "Q2a",
        "no-output-bias",
        "leaves the bias of the last layer out",
        ("parameters", *VALUES),
        (SECOND, "nn.Linear(z_dim, z_dim, bias=False),"),
    ),
    wrong(
        "Q2a",
        "not-flat",
        "does not flatten the images",
        ("shape", "layers", *VALUES),
        (FLAT, "        flat = images\n"),
    ),
    wrong(
        "Q2a",
        "grey",
        "takes one channel for three",
        ("shape", *VALUES),
        (FIRST, "nn.Linear(img_size * img_size, z_dim),"),
    ),
    wrong(
        "Q2a",
        "fixed-size",
        "has 128 units, whatever z_dim is",
        ("shape",),
        (FIRST, "nn.Linear(3 * img_size * img_size, 128),"),
        ("nn.BatchNorm1d(z_dim)", "nn.BatchNorm1d(128)"),
        (SECOND, "nn.Linear(128, 128),"),
    ),
    wrong(
        "Q2a",
        "default-size",
        "has 64 units in the hidden layer, whatever z_dim is",
        ("parameters", *VALUES),
        (FIRST, "nn.Linear(3 * img_size * img_size, 64),"),
        ("nn.BatchNorm1d(z_dim)", "nn.BatchNorm1d(64)"),
        (SECOND, "nn.Linear(64, z_dim),"),
    ),
    wrong(
        "Q2a",
        "three-layers",
        "has one hidden layer more",
        ("layers", "parameters", *VALUES),
        (NORM, NORM + "            nn.Linear(z_dim, z_dim),\n            nn.ReLU(),\n"),
    ),
    wrong(
        "Q2a",
        "norm-twice",
        "normalises in the output layer as well",
        ("layers", "parameters", *VALUES),
        (SECOND, SECOND.split("  #")[0] + "\n            nn.BatchNorm1d(z_dim),"),
    ),
    wrong(
        "Q2a",
        "no-affine",
        "takes the weights from BatchNorm1d",
        ("parameters",),
        ("nn.BatchNorm1d(z_dim)", "nn.BatchNorm1d(z_dim, affine=False)"),
    ),
    wrong(
        "Q2a",
        "instance-norm",
        "takes LayerNorm for BatchNorm1d",
        ("layers", *VALUES),
        ("nn.BatchNorm1d(z_dim)", "nn.LayerNorm(z_dim)"),
    ),
    wrong(
        "Q2a",
        "hidden-only",
        "leaves the output layer out in forward",
        ("layers", "range", *VALUES, "gradients"),
        (CALL, "self.hidden_layer(flat)"),
    ),
    wrong(
        "Q2a",
        "detached",
        "stops the gradient between the layers",
        ("gradients",),
        (CALL, "self.output_layer(self.hidden_layer(flat).detach())"),
    ),
    wrong(
        "Q2a",
        "in-numpy",
        "leaves PyTorch for the last step",
        ("gradients",),
        (CALL, "torch.from_numpy(self.output_layer(self.hidden_layer(flat)).detach().numpy())"),
    ),
    wrong(
        "Q2a",
        "residual",
        "adds the hidden layer to the output",
        VALUES,
        (CALL, "self.output_layer(self.hidden_layer(flat)) + self.hidden_layer(flat)"),
    ),
    wrong(
        "Q2a",
        "always-eval",
        "calls eval in forward, so that nothing is normalised by the batch",
        ("training",),
        (FLAT, "        self.eval()\n" + FLAT),
    ),
)

# Decoder --------------------------------------------------------------------------------------------------------------


def up(inputs: object, outputs: int, kernel: int, stride: int) -> str:
    """Return a transposed convolution as the reference writes it."""
    return f"nn.ConvTranspose2d({inputs}, {outputs}, kernel_size={kernel}, stride={stride})"


def conv(inputs: int, outputs: int) -> str:
    """Return a padded convolution as the reference writes it."""
    return f"nn.Conv2d({inputs}, {outputs}, kernel_size=3, stride=1, padding=1)"


UP1, UP2, UP3, UP4, UP5 = (
    up("z_dim", 128, 7, 1),
    up(128, 64, 3, 2),
    up(64, 64, 3, 2),
    up(64, 32, 3, 2),
    up(32, 32, 2, 1),
)
CONV1, CONV4 = conv(128, 128), conv(32, 32)
LAST = "nn.Conv2d(32, 3, kernel_size=1, stride=1)"
END = "nn.Tanh(),  # images are in [-1, 1]"
LAYER3_NORM = "  # (N, 64, 31, 31)\n            nn.BatchNorm2d("
LAYER3_CONV = "),\n            nn.ReLU(),\n            nn.Conv2d("
LAYER3 = "        hidden = self.layer3(hidden)  # (N, 64, 31, 31)\n"


def more(layer: str, text: str) -> Swap:
    """Return the swap that adds an argument to a layer."""
    return (layer, layer[:-1] + text + ")")


SWAPPED = (
    wrong(
        "Q2b", "up-padded", "pads a transposed convolution", ("transposed", "sizes", "shape"), more(UP2, ", padding=1")
    ),
    wrong(
        "Q2b",
        "output-padding",
        "pads and makes up for it by output_padding",
        ("transposed", "sizes"),
        more(UP3, ", padding=1, output_padding=1"),
    ),
    wrong(
        "Q2b",
        "first-kernel",
        "takes a 4x4 filter first, as DCGAN does",
        ("transposed", "sizes", "parameters"),
        (UP1, up("z_dim", 128, 4, 1)),
    ),
    wrong("Q2b", "no-stride", "forgets the stride of layer 2", ("transposed", "sizes"), (UP2, up(128, 64, 3, 1))),
    wrong(
        "Q2b",
        "doubling",
        "takes a 4x4 filter and padding 1, which doubles",
        ("transposed", "sizes", "parameters"),
        (UP2, more(up(128, 64, 4, 2), ", padding=1")[1]),
    ),
    wrong(
        "Q2b",
        "last-kernel",
        "takes a 3x3 filter in layer 5",
        ("transposed", "sizes", "shape"),
        (UP5, up(32, 32, 3, 1)),
    ),
    wrong("Q2b", "last-stride", "takes stride 2 in layer 5", ("transposed", "sizes"), (UP5, up(32, 32, 2, 2))),
    wrong(
        "Q2b",
        "few-filters",
        "has 32 filters where the table has 64",
        ("transposed", "convolutions", "parameters"),
        (UP3, up(64, 32, 3, 2)),
        (f"{LAYER3_NORM}64{LAYER3_CONV}64, 64", f"{LAYER3_NORM}32{LAYER3_CONV}32, 64"),
    ),
    wrong(
        "Q2b",
        "conv-unpadded",
        "forgets the padding of a convolution",
        ("convolutions", "sizes", "shape"),
        (CONV1, "nn.Conv2d(128, 128, kernel_size=3, stride=1)"),
    ),
    wrong(
        "Q2b",
        "last-padded",
        "pads the last convolution too",
        ("convolutions", "sizes", "shape"),
        more(LAST, ", padding=1"),
    ),
    wrong("Q2b", "last-3x3", "takes a padded 3x3 filter at last", ("convolutions", "parameters"), (LAST, conv(32, 3))),
    wrong(
        "Q2b",
        "grey",
        "gives one channel",
        ("shape", "convolutions", "parameters"),
        (LAST, LAST.replace("(32, 3,", "(32, 1,")),
    ),
    wrong(
        "Q2b", "norm-output", "normalises the image", ("output",), (END, "nn.BatchNorm2d(3),\n            nn.Tanh(),")
    ),
    wrong("Q2b", "relu-output", "ends in a ReLU", ("output",), (END, "nn.ReLU(),")),
    wrong("Q2b", "softmax-output", "ends in a softmax over the colours", ("output",), (END, "nn.Softmax(dim=1),")),
    wrong("Q2b", "layer-skipped", "forgets layer 3 in forward", ("order", "sizes", "shape", "gradients"), (LAYER3, "")),
    wrong(
        "Q2b",
        "flat-codes",
        "flattens the codes, which no convolution takes",
        ("shape", "transposed", "convolutions"),
        ("self.layer1(codes)", "self.layer1(codes.view(codes.size(0), -1))"),
    ),
)

# The same five layers from the table, and a forward of their own.
DEFINITION = """
class Decoder(nn.Module):
    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        table = [(z_dim, 128, 7, 1, 128, 3, 1), (128, 64, 3, 2, 64, 3, 1), (64, 64, 3, 2, 64, 3, 1),
                 (64, 32, 3, 2, 32, 3, 1), (32, 32, 2, 1, 3, 1, 0)]
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, k, s) for a, b, k, s, _, _, _ in table)
        self.convs = nn.ModuleList(nn.Conv2d(b, c, k, padding=p) for _, b, _, _, c, k, p in table)
        {more}

    def forward(self, x):
        for at, (up, conv) in enumerate(zip(self.ups, self.convs)):
            {layer}
        return {last}
"""
LAYER, END_OF_ALL = "x = conv(torch.relu(up(x)))", "torch.tanh(x)"


def rewritten(
    name: str, mistake: str, loses: tuple[str, ...], layer: str = LAYER, last: str = END_OF_ALL, more: str = "pass"
) -> Mutant:
    """Return the mutant whose decoder is defined anew: what it does with each layer, at last, and once built."""
    definition = DEFINITION.format(layer=layer, last=last, more=more)
    return Mutant(f"Q2b-{name}", "Q2b", mistake, loses, (), {"Decoder": definition})


REWRITTEN = (
    rewritten("linear", "has no activation at all", ("nonlinear",), "x = conv(up(x))", "x"),
    rewritten("tanh-only", "has an activation at the end alone", ("nonlinear",), "x = conv(up(x))"),
    rewritten(
        "norm-only",
        "normalises and has no activation",
        ("nonlinear",),
        "x = conv(self.norms[at](up(x)))",
        "x",
        "self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in (128, 64, 64, 32, 32))",
    ),
    rewritten(
        "skip",
        "adds the input of each convolution to its output",
        ("order",),
        "x = torch.relu(up(x)); x = torch.relu(conv(x) + x) if at < 4 else conv(x)",
    ),
    rewritten(
        "smoothed",
        "smooths between the layers",
        ("order",),
        "x = conv(nn.functional.avg_pool2d(torch.relu(up(x)), 3, 1, 1))",
    ),
    rewritten(
        "noisy",
        "adds noise between the layers",
        ("order",),
        "x = up(x); x = conv(torch.relu(x + torch.randn_like(x)))",
    ),
    rewritten(
        "mirrored",
        "turns the image around between the layers",
        ("order",),
        "x = conv(torch.relu(up(x)).flip(3))",
    ),
    rewritten(
        "all-ups-first",
        "has all transposed convolutions before the regular ones",
        ("order",),
        "x = torch.relu(up(x))",
        "self.convs[4](torch.relu(self.convs[3](x)))",
        "pass",
    ),
    rewritten(
        "shared",
        "uses one convolution for two layers",
        ("parameters",),
        "x = (self.convs[1] if at == 2 else conv)(torch.relu(up(x)))",
        more="self.convs[2] = nn.Identity()",
    ),
    rewritten(
        "no-bias",
        "leaves all biases out, without a normalisation",
        ("parameters",),
        more="[setattr(one, 'bias', None) for one in (*self.ups, *self.convs)]",
    ),
    rewritten("frozen", "freezes the transposed convolutions", ("gradients",), more="self.ups.requires_grad_(False)"),
    rewritten(
        "detached",
        "cuts the gradient off before the last layer",
        ("gradients",),
        "x = conv(torch.relu(up(x.detach() if at == 4 else x)))",
    ),
    rewritten(
        "upsample",
        "upsamples and convolves in place of a transposed convolution",
        ("transposed",),
        "x = self.change(nn.functional.interpolate(x, size=15)) if at == 1 else up(x); x = conv(torch.relu(x))",
        more="self.change = nn.Conv2d(128, 64, 3, padding=1); self.ups[1] = nn.Identity()",
    ),
    rewritten(
        "grouped",
        "convolves each channel apart",
        ("convolutions", "parameters"),
        more="self.convs[0] = nn.Conv2d(128, 128, 3, padding=1, groups=128)",
    ),
    rewritten(
        "dilated",
        "dilates a convolution",
        ("convolutions",),
        more="self.convs[2] = nn.Conv2d(64, 64, 3, padding=2, dilation=2)",
    ),
    rewritten(
        "fixed-size",
        "takes codes of 128 numbers, whatever z_dim is",
        ("shape",),
        more="self.ups[0] = nn.ConvTranspose2d(128, 128, 7)",
    ),
    rewritten(
        "resized",
        "makes the image coarser at last",
        ("output",),
        last="nn.functional.interpolate(torch.tanh(x)[:, :, ::2, ::2], size=64)",
    ),
    rewritten(
        "plain-list",
        "keeps the layers in plain lists, where no optimizer finds them",
        ("parameters",),
        more="a, b = list(self.ups), list(self.convs); del self.ups, self.convs; self.ups, self.convs = a, b",
    ),
    rewritten(
        "extra-layer",
        "has one convolution more at last",
        ("convolutions", "order", "parameters"),
        last="torch.tanh(self.extra(torch.relu(x)))",
        more="self.extra = nn.Conv2d(3, 3, 3, padding=1)",
    ),
)

MUTANTS = (*ANSWERS, *ENCODER, *SWAPPED, *REWRITTEN)
