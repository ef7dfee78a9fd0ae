"""Right solutions of handout D, written as other people write them: each must keep full marks."""

from graders.model import Variant

Swap = tuple[str, str]


def swapped(item: str, name: str, why: str, *swaps: Swap) -> Variant:
    """Return the variant with these texts swapped."""
    return Variant(f"{item}-{name}", item, why, swaps)


# Question 1 -----------------------------------------------------------------------------------------------------------

A, B, C, D = "q1a = (32, 16, 64, 64)", "q1b = (32, 128, 3, 3)", "q1c = (32, 32, 65, 65)", "q1d = 448"

ANSWERS = (
    swapped("Q1a", "list", "a list says the same", (A, "q1a = [32, 16, 64, 64]")),
    swapped("Q1a", "no-batch", "the number of images may be left out", (A, "q1a = (16, 64, 64)")),
    swapped(
        "Q1a",
        "worked-out",
        "the way to the answer may stand before it",
        (A, 'q1a = "(64+2-3)/1+1 = 64: (32, 16, 64, 64)"'),
    ),
    swapped("Q1b", "text", "a text says the same", (B, 'q1b = "N x 128 x 3 x 3"')),
    swapped("Q1b", "size", "torch's own word for it", (B, "import torch\nq1b = torch.Size([32, 128, 3, 3])")),
    swapped(
        "Q1c",
        "computed",
        "the formula may be left to Python",
        (C, "q1c = (32, 32, (31 - 1) * 2 + 5, (31 - 1) * 2 + 5)"),
    ),
    swapped(
        "Q1c",
        "asked",
        "a layer may be asked",
        (C, "import torch\nq1c = torch.nn.ConvTranspose2d(64, 32, 5, 2)(torch.zeros(32, 64, 31, 31)).shape"),
    ),
    swapped("Q1d", "computed", "the sum may be left to Python", (D, "q1d = 16 * 3 * 3 * 3 + 16")),
    swapped("Q1d", "text", "a text says the same", (D, 'q1d = "3*3*3*16 + 16 = 448 parameters"')),
    swapped("Q1d", "other-name", "the handout's own numbering", (D, "Q1d = 448.0")),
)

# Encoder --------------------------------------------------------------------------------------------------------------


def encoder(name: str, why: str, body: str) -> Variant:
    """Return the variant whose encoder is defined by this text."""
    return Variant(f"Q2a-{name}", "Q2a", why, (), {"Encoder": body})


POSITIVE = """class Positive(nn.Module):
    def forward(self, x):
        return torch.max(x, torch.zeros_like(x))


"""

ENCODERS = (
    encoder(
        "functional",
        "activations may be functions",
        """
class Encoder(nn.Module):
    def __init__(self, z_dim=64, img_size=64):
        super(Encoder, self).__init__()
        self.fc1 = nn.Linear(img_size ** 2 * 3, z_dim)
        self.bn = nn.BatchNorm1d(z_dim)
        self.fc2 = nn.Linear(z_dim, z_dim)

    def forward(self, x):
        x = torch.flatten(x, start_dim=1)
        return torch.tanh(self.fc2(nn.functional.relu(self.bn(self.fc1(x)), inplace=True)))
""",
    ),
    encoder(
        "flatten-layer",
        "flattening may be a layer, the size of the images fixed",
        """
class Encoder(nn.Sequential):
    def __init__(self, latent_dim=64, image_size=64):
        hidden = [nn.Flatten(), nn.Linear(12288, latent_dim), nn.BatchNorm1d(latent_dim), nn.ReLU(inplace=True)]
        super().__init__(*hidden, nn.Linear(latent_dim, latent_dim), nn.Tanh())
""",
    ),
    encoder(
        "four-axes",
        "the handout's text says z_dim x 1 x 1",
        """
class Encoder(nn.Module):
    def __init__(self, z_dim, img_size):
        super().__init__()
        self.z_dim = z_dim
        self.hidden_layer = nn.Sequential(nn.Linear(3 * img_size * img_size, z_dim), nn.BatchNorm1d(z_dim), nn.ReLU())
        self.output_layer = nn.Sequential(nn.Linear(z_dim, z_dim), nn.Tanh())

    def forward(self, images):
        hidden = self.hidden_layer(images.reshape(len(images), -1))
        return self.output_layer(hidden).view(-1, self.z_dim, 1, 1)
""",
    ),
    encoder(
        "lists",
        "layers may be in lists of modules, gone through in forward",
        """
class Encoder(nn.Module):
    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        self.hidden_layer = nn.ModuleList([nn.Linear(3 * img_size * img_size, z_dim), nn.BatchNorm1d(z_dim), nn.ReLU()])
        self.output_layer = nn.ModuleList([nn.Linear(z_dim, z_dim), nn.Tanh()])

    def forward(self, x):
        x = x.view(x.shape[0], -1)
        for layer in [*self.hidden_layer, *self.output_layer]:
            x = layer(x)
        return x
""",
    ),
    encoder(
        "old",
        "PyTorch of 2018: initial weights by hand, Variable",
        """
from torch.autograd import Variable
import torch.nn.init as init

def weights_init(m):
    if isinstance(m, nn.Linear):
        init.xavier_uniform_(m.weight.data)
        m.bias.data.fill_(0)

class Encoder(nn.Module):
    def __init__(self, z_dim=64, img_size=64):
        super(Encoder, self).__init__()
        self.output_layer = nn.Sequential(nn.Linear(z_dim, z_dim), nn.Tanh())
        self.hidden_layer = nn.Sequential(nn.Linear(12288, z_dim), nn.BatchNorm1d(z_dim), nn.ReLU(True))
        self.apply(weights_init)

    def forward(self, img):
        img = Variable(img).contiguous().view(img.size()[0], -1)
        return self.output_layer.forward(self.hidden_layer.forward(img))
""",
    ),
    swapped(
        "Q2a",
        "lazy",
        "the number of pixels may be found out at the first call",
        ("nn.Linear(3 * img_size * img_size, z_dim)", "nn.LazyLinear(z_dim)"),
    ),
    swapped(
        "Q2a",
        "max",
        "a ReLU may be written as a maximum",
        (
            "            nn.ReLU(),\n        )\n        self.output_layer",
            "            Positive(),\n        )\n        self.output_layer",
        ),
        (
            "class Encoder(nn.Module):",
            POSITIVE + "class Encoder(nn.Module):",
        ),
    ),
)

# Decoder --------------------------------------------------------------------------------------------------------------

# The five layers from the table, and what is done with them.
DEFINITION = """
class Decoder(nn.Module):
    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        table = [(z_dim, 128, 7, 1, 128, 3, 1), (128, 64, 3, 2, 64, 3, 1), (64, 64, 3, 2, 64, 3, 1),
                 (64, 32, 3, 2, 32, 3, 1), (32, 32, 2, 1, 3, 1, 0)]
        layers = []
        for at, (inputs, up, kernel, stride, outputs, size, padding) in enumerate(table):
            last = at == 4
            layers.append(nn.Sequential({layer}))
        self.layer1, self.layer2, self.layer3, self.layer4, self.layer5 = layers
        {more}

    def forward(self, x):
        x = self.layer5(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return {last}
"""
UP, CONV = "nn.ConvTranspose2d(inputs, up, kernel, stride)", "nn.Conv2d(up, outputs, size, padding=padding)"
END = "nn.Identity() if last else nn.ReLU()"
PLAIN = f"{UP}, nn.ReLU(), {CONV}, {END}"


def decoder(name: str, why: str, layer: str = PLAIN, last: str = "torch.tanh(x)", more: str = "pass") -> Variant:
    """Return the variant whose decoder has such layers, such an end, and what is done once it is built."""
    return Variant(f"Q2b-{name}", "Q2b", why, (), {"Decoder": DEFINITION.format(layer=layer, last=last, more=more)})


def active(activation: str) -> str:
    """Return a layer with that activation."""
    return PLAIN.replace("nn.ReLU()", activation)


DECODERS = (
    decoder("no-norm", "the table asks for no normalisation"),
    decoder("leaky", "any activation will do", active("nn.LeakyReLU(0.2, inplace=True)")),
    decoder("elu", "any activation will do", active("nn.ELU()")),
    decoder("gelu", "any activation will do, one that goes down and up too", active("nn.GELU()")),
    decoder("prelu", "any activation will do, one with a weight too", active("nn.PReLU()")),
    decoder("tanh", "any activation will do", active("nn.Tanh()")),
    decoder("once-a-layer", "an activation may stand at the end of each layer alone", f"{UP}, {CONV}, {END}"),
    decoder("no-end", "nothing may follow the last convolution", last="x"),
    decoder("sigmoid", "a Sigmoid may end it", last="torch.sigmoid(x)"),
    decoder("scaled-sigmoid", "a Sigmoid may be brought to the range of the images", last="2 * torch.sigmoid(x) - 1"),
    decoder("hardtanh", "the image may be cut off at -1 and 1", last="x.clamp(-1, 1)"),
    decoder(
        "norm-after-ups",
        "a normalisation may follow the transposed convolutions alone",
        f"{UP}, nn.BatchNorm2d(up), nn.ReLU(), {CONV}, {END}",
    ),
    decoder(
        "norm-after-relu",
        "the order of normalisation and activation is left open",
        f"{UP}, nn.ReLU(), nn.BatchNorm2d(up), {CONV}, {END}",
    ),
    decoder("instance-norm", "any normalisation will do", f"{UP}, nn.InstanceNorm2d(up), nn.ReLU(), {CONV}, {END}"),
    decoder("group-norm", "any normalisation will do", f"{UP}, nn.GroupNorm(4, up), nn.ReLU(), {CONV}, {END}"),
    decoder(
        "bias-in-norm",
        "a normalisation makes up for a bias",
        f"nn.ConvTranspose2d(inputs, up, kernel, stride, bias=False), nn.BatchNorm2d(up), nn.ReLU(), {CONV}, {END}",
    ),
    decoder(
        "same", "padding may be called 'same'", f"{UP}, nn.ReLU(), nn.Conv2d(up, outputs, size, padding='same'), {END}"
    ),
    decoder(
        "pad-layer",
        "padding may be a layer of its own",
        f"{UP}, nn.ReLU(), nn.ZeroPad2d(padding), nn.Conv2d(up, outputs, size), {END}",
    ),
    decoder(
        "dropout",
        "what drops units in training only is none of the decoder's layers",
        f"{UP}, nn.ReLU(), nn.Dropout2d(0.1), {CONV}, {END}",
    ),
    decoder(
        "initialised",
        "initial weights may be set by hand",
        more="self.apply(lambda m: nn.init.normal_(m.weight, 0.0, 0.02) if hasattr(m, 'weight') else None)",
    ),
)

BUILT = DEFINITION.format(layer=PLAIN, more="self.z_dim = z_dim", last="torch.tanh(x)")
CALLED = BUILT.replace("self.layer1(x)", "self.layer1.forward(x)")
RESHAPED = BUILT.replace("def forward(self, x):", "def forward(self, x):\n        x = x.view(-1, self.z_dim, 1, 1)")

WHOLE = (
    Variant("Q2b-forward", "Q2b", "a layer's forward may be called, which no hook sees", (), {"Decoder": CALLED}),
    Variant("Q2b-reshaped", "Q2b", "codes may be brought to four axes first", (), {"Decoder": RESHAPED}),
)

VARIANTS = (*ANSWERS, *ENCODERS, *DECODERS, *WHOLE)
