"""Right solutions of handout C written differently: each must keep full marks."""

from graders.model import Variant

CLASSES = {"4.1": "PoolUpsampleNet", "5.1": "ConvTransposeNet", "6.1": "UNet"}


def right(item: str, name: str, why: str, definition: str) -> Variant:
    """Return the variant in which the item's class is defined as given."""
    return Variant(f"{item}-{name}", item, why, replaces={CLASSES[item]: definition})


POOLING = (
    right(
        "4.1",
        "flat",
        "layers may be attributes one by one, named and created in any order, and functions may take their place",
        """
class PoolUpsampleNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super(PoolUpsampleNet, self).__init__()
        padding = kernel // 2
        self.conv5 = nn.Conv2d(num_colours, num_colours, kernel_size=kernel, padding=padding)
        self.bn4 = nn.BatchNorm2d(num_colours)
        self.conv4 = nn.Conv2d(num_filters, num_colours, kernel_size=kernel, padding=padding)
        self.bn3 = nn.BatchNorm2d(num_filters)
        self.conv3 = nn.Conv2d(num_filters * 2, num_filters, kernel_size=kernel, padding=padding)
        self.bn2 = nn.BatchNorm2d(num_filters * 2)
        self.conv2 = nn.Conv2d(num_filters, num_filters * 2, kernel_size=kernel, padding=padding)
        self.bn1 = nn.BatchNorm2d(num_filters)
        self.conv1 = nn.Conv2d(num_in_channels, num_filters, kernel_size=kernel, padding=padding)

    def forward(self, x):
        x = torch.relu(self.bn1(nn.functional.max_pool2d(self.conv1(x), kernel_size=2)))
        x = torch.relu(self.bn2(nn.functional.max_pool2d(self.conv2(x), 2)))
        x = nn.functional.relu(self.bn3(nn.functional.interpolate(self.conv3(x), scale_factor=2)))
        x = nn.functional.relu(self.bn4(nn.functional.interpolate(self.conv4(x), scale_factor=2, mode="nearest")))
        return self.conv5(x)
""",
    ),
    right(
        "4.1",
        "upsample-last",
        "upsampling after batch norm and ReLU gives the same values",
        """
class PoolUpsampleNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        pad = kernel // 2
        self.net = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, kernel, padding=pad),
            nn.MaxPool2d(kernel_size=2),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(num_filters, 2 * num_filters, kernel, padding=pad),
            nn.MaxPool2d(kernel_size=2),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * num_filters, num_filters, kernel, padding=pad),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(num_filters, num_colours, kernel, padding=pad),
            nn.BatchNorm2d(num_colours),
            nn.Upsample(scale_factor=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(num_colours, num_colours, kernel, padding=pad),
        )

    def forward(self, x):
        return self.net(x)
""",
    ),
    right(
        "4.1",
        "other-arguments",
        "arguments may go by other names and stand in another order",
        """
class PoolUpsampleNet(nn.Module):
    def __init__(self, in_channels: int, kernel_size: int = 3, filters: int = 32, num_colors: int = 24):
        super().__init__()

        def block(inputs, outputs, resize):
            convolution = nn.Conv2d(inputs, outputs, kernel_size, padding="same")
            return nn.Sequential(convolution, resize, nn.BatchNorm2d(outputs), nn.ReLU())

        self.blocks = nn.ModuleList(
            [
                block(in_channels, filters, nn.MaxPool2d(2, 2)),
                block(filters, 2 * filters, nn.MaxPool2d(2, 2)),
                block(2 * filters, filters, nn.UpsamplingNearest2d(scale_factor=2)),
                block(filters, num_colors, nn.UpsamplingNearest2d(scale_factor=2)),
            ]
        )
        self.head = nn.Conv2d(num_colors, num_colors, kernel_size, padding="same")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return self.head(x)
""",
    ),
    right(
        "4.1",
        "lazy",
        "layers may find their input channels by themselves",
        """
class PoolUpsampleNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        padding = kernel // 2
        channels = {"a": num_filters, "b": 2 * num_filters, "c": num_filters, "d": num_colours}
        self.convolutions = nn.ModuleDict({k: nn.LazyConv2d(n, kernel, padding=padding) for k, n in channels.items()})
        self.norms = nn.ModuleDict({k: nn.BatchNorm2d(n) for k, n in channels.items()})
        self.resize = nn.ModuleDict(
            {k: nn.MaxPool2d(2) if k in "ab" else nn.Upsample(scale_factor=2) for k in channels}
        )
        self.out = nn.LazyConv2d(num_colours, kernel, padding=padding)
        self(torch.zeros(1, num_in_channels, 32, 32))

    def forward(self, x):
        for k in self.convolutions:
            x = self.norms[k](self.resize[k](self.convolutions[k](x))).relu()
        return self.out(x)
""",
    ),
    right(
        "4.1",
        "single-precision",
        "code may insist on float32, look at shapes and print",
        """
class PoolUpsampleNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        p = kernel // 2
        nf, nc = num_filters, num_colours
        self.conv1, self.bn1 = nn.Conv2d(num_in_channels, nf, kernel, padding=p), nn.BatchNorm2d(nf)
        self.conv2, self.bn2 = nn.Conv2d(nf, nf * 2, kernel, padding=p), nn.BatchNorm2d(nf * 2)
        self.conv3, self.bn3 = nn.Conv2d(nf * 2, nf, kernel, padding=p), nn.BatchNorm2d(nf)
        self.conv4, self.bn4 = nn.Conv2d(nf, nc, kernel, padding=p), nn.BatchNorm2d(nc)
        self.conv5 = nn.Conv2d(nc, nc, kernel, padding=p)
        self.pool, self.up, self.relu = nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.ReLU()

    def forward(self, x):
        x = x.float()
        assert x.dim() == 4
        print("input", x.shape)
        x = self.relu(self.bn1(self.pool(self.conv1(x))))
        x = self.relu(self.bn2(self.pool(self.conv2(x))))
        x = self.relu(self.bn3(self.up(self.conv3(x))))
        x = self.relu(self.bn4(self.up(self.conv4(x))))
        return self.conv5(x)
""",
    ),
    right(
        "4.1",
        "padded-before",
        "zeros may be put around an image before it is convolved",
        """
class PaddedConv2d(nn.Module):
    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        self.pad = nn.ZeroPad2d(kernel // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel)

    def forward(self, x):
        return self.conv(self.pad(x))


class PoolUpsampleNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        NIC, NF, NC = num_in_channels, num_filters, num_colours
        self.encoder = nn.Sequential(
            nn.Sequential(PaddedConv2d(NIC, NF, kernel), nn.MaxPool2d(2), nn.BatchNorm2d(NF), nn.ReLU()),
            nn.Sequential(PaddedConv2d(NF, 2 * NF, kernel), nn.MaxPool2d(2), nn.BatchNorm2d(2 * NF), nn.ReLU()),
        )
        self.decoder = nn.Sequential(
            nn.Sequential(PaddedConv2d(2 * NF, NF, kernel), nn.Upsample(scale_factor=2), nn.BatchNorm2d(NF), nn.ReLU()),
            nn.Sequential(PaddedConv2d(NF, NC, kernel), nn.Upsample(scale_factor=2), nn.BatchNorm2d(NC), nn.ReLU()),
        )
        self.classifier = PaddedConv2d(NC, NC, kernel)

    def forward(self, x):
        return self.classifier(self.decoder(self.encoder(x)))
""",
    ),
)

FLAT = """
class ConvTransposeNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels{more}):
        super().__init__()
        self.conv1 = nn.Conv2d(num_in_channels, num_filters, kernel, stride=2, padding={pad})
        self.bn1 = nn.BatchNorm2d(num_filters)
        self.conv2 = nn.Conv2d(num_filters, num_filters * 2, kernel, stride=2, padding={pad})
        self.bn2 = nn.BatchNorm2d(num_filters * 2)
        self.deconv1 = nn.ConvTranspose2d(
            num_filters * 2, num_filters, kernel, stride=2, padding={pad}, output_padding=1, dilation={dilation}
        )
        self.bn3 = nn.BatchNorm2d(num_filters)
        self.deconv2 = nn.ConvTranspose2d(
            num_filters, num_colours, kernel, stride=2, padding={pad}, output_padding=1, dilation={dilation}
        )
        self.bn4 = nn.BatchNorm2d(num_colours)
        self.conv3 = nn.Conv2d(num_colours, num_colours, kernel, padding={pad})
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.relu(self.bn3(self.deconv1(x)))
        x = self.relu(self.bn4(self.deconv2(x)))
        return self.conv3(x)
"""

TRANSPOSED = (
    right(
        "5.1",
        "padding-1",
        "the text of the handout sets padding to 1",
        FLAT.format(more="", pad="1", dilation="1"),
    ),
    right(
        "5.1",
        "dilation-argument",
        "the handout names an argument dilation",
        FLAT.format(more=", dilation=1", pad="kernel // 2", dilation="dilation"),
    ),
    right(
        "5.1",
        "dilation-second",
        "the handout names the arguments in another order",
        FLAT.format(more="", pad="kernel // 2", dilation="dilation").replace(
            "kernel, num_filters, num_colours, num_in_channels):",
            "kernel, dilation, num_in_channels, num_filters, num_colours):",
        ),
    ),
    right(
        "5.1",
        "any-arguments",
        "a network may take further arguments",
        FLAT.format(more=", *args, **kwargs", pad="kernel // 2", dilation="1"),
    ),
    right(
        "5.1",
        "weights-by-hand",
        "weights may be parameters, and functions convolve",
        """
class ConvTransposeNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.padding = kernel // 2
        sizes = [
            (num_filters, num_in_channels),
            (2 * num_filters, num_filters),
            (2 * num_filters, num_filters),
            (num_filters, num_colours),
            (num_colours, num_colours),
        ]
        outputs = [num_filters, 2 * num_filters, num_filters, num_colours, num_colours]
        self.kernels = nn.ParameterList([nn.Parameter(0.05 * torch.randn(*s, kernel, kernel)) for s in sizes])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(n)) for n in outputs])
        self.norms = nn.ModuleList([nn.BatchNorm2d(n) for n in outputs[:4]])

    def forward(self, x):
        for i in range(4):
            w, b = self.kernels[i], self.biases[i]
            if i < 2:
                x = nn.functional.conv2d(x, w, b, stride=2, padding=self.padding)
            else:
                x = nn.functional.conv_transpose2d(x, w, b, stride=2, padding=self.padding, output_padding=1)
            x = self.norms[i](x).clamp(min=0)
        return nn.functional.conv2d(x, self.kernels[4], self.biases[4], padding=self.padding)
""",
    ),
    right(
        "5.1",
        "output-size",
        "a transposed convolution may be told the size of its output",
        FLAT.format(more="", pad="kernel // 2", dilation="1")
        .replace(", output_padding=1", "")
        .replace("self.deconv1(x)", "self.deconv1(x, output_size=(2 * x.shape[2], 2 * x.shape[3]))")
        .replace("self.deconv2(x)", "self.deconv2(x, output_size=[2 * s for s in x.shape[-2:]])"),
    ),
)

U_NET = """
class UNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels{more}):
        super().__init__()
        pad = {pad}
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, kernel, 2, pad), nn.BatchNorm2d(num_filters), nn.ReLU()
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, num_filters * 2, kernel, 2, pad), nn.BatchNorm2d(num_filters * 2), nn.ReLU()
        )
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(num_filters * 2, num_filters, kernel, 2, pad, 1), nn.BatchNorm2d(num_filters), nn.ReLU()
        )
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(num_filters + num_filters, num_colours, kernel, 2, pad, 1),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.final = nn.Conv2d(num_in_channels + num_colours, num_colours, kernel, padding=pad)

    def forward(self, x):
        out1 = self.down1(x)
        out2 = self.down2(out1)
        out3 = self.up1(out2)
        out4 = self.up2({middle})
        return self.final({last})
"""

SKIPS = (
    right(
        "6.1",
        "image-first",
        "both skip connections may come first",
        U_NET.format(more="", pad="kernel // 2", middle="torch.cat((out1, out3), 1)", last="torch.cat((x, out4), 1)"),
    ),
    right(
        "6.1",
        "one-first",
        "each skip connection may have an order of its own",
        U_NET.format(
            more="", pad="kernel // 2", middle="torch.cat([out1, out3], -3)", last="torch.concat([out4, x], axis=1)"
        ),
    ),
    right(
        "6.1",
        "the-other-first",
        "each skip connection may have an order of its own",
        U_NET.format(more="", pad="kernel // 2", middle="torch.cat([out3, out1], 1)", last="torch.hstack([x, out4])"),
    ),
    right(
        "6.1",
        "padding-1",
        "with the padding of 1 that the text sets, kernels other than 3 do not fit together",
        U_NET.format(
            more=", dilation=1", pad="1", middle="torch.cat([out3, out1], dim=1)", last="torch.cat([out4, x], dim=1)"
        ),
    ),
    right(
        "6.1",
        "derived",
        "the network may be derived from ConvTransposeNet",
        """
class UNet(ConvTransposeNet):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__(kernel, num_filters, num_colours, num_in_channels)
        self.up2[0] = nn.ConvTranspose2d(
            2 * num_filters, num_colours, kernel, stride=2, padding=kernel // 2, output_padding=1
        )
        self.last = nn.Conv2d(num_colours + num_in_channels, num_colours, kernel, padding=kernel // 2)

    def forward(self, x):
        a = self.down1(x)
        b = self.up1(self.down2(a))
        return self.last(torch.cat([self.up2(torch.cat([b, a], 1)), x], 1))
""",
    ),
    right(
        "6.1",
        "blocks",
        "groups may be modules of their own, and skips may be kept in a list",
        """
class Block(nn.Module):
    def __init__(self, convolution, channels):
        super().__init__()
        self.convolution, self.norm = convolution, nn.BatchNorm2d(channels)

    def forward(self, x):
        return nn.functional.relu(self.norm(self.convolution(x)))


class UNet(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        how = {"stride": 2, "padding": kernel // 2}
        nf, nc, nic = num_filters, num_colours, num_in_channels
        self.downs = nn.ModuleList(
            [Block(nn.Conv2d(nic, nf, kernel, **how), nf), Block(nn.Conv2d(nf, nf * 2, kernel, **how), nf * 2)]
        )
        self.ups = nn.ModuleList(
            [
                Block(nn.ConvTranspose2d(nf * 2, nf, kernel, output_padding=1, **how), nf),
                Block(nn.ConvTranspose2d(nf * 2, nc, kernel, output_padding=1, **how), nc),
            ]
        )
        self.head = nn.Conv2d(nc + nic, nc, kernel, padding=kernel // 2)

    def forward(self, x):
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        for up, skip in zip(self.ups, reversed(skips)):
            x = torch.cat([up(x), skip], dim=1)
        return self.head(x)
""",
    ),
)

VARIANTS = (*POOLING, *TRANSPOSED, *SKIPS)
