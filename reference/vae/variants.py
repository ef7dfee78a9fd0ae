"""Right solutions of handout E, Part 1, written differently: each must keep full marks on all items."""

from graders.model import Variant


def right(item, name, why, *swaps, **replaces):
    """Return the variant with some texts swapped and some definitions replaced."""
    return Variant(f"{item}-{name}", item, why, swaps=swaps, replaces=replaces)


STEP = "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
RETURN = "    return loss.item(), l2.item(), bce.item(), ssim.item(), kl.item()\n"
ENCODER = """
class Encoder(nn.Module):
    def __init__(self, latent_dim=128, in_channels=3):
        super(Encoder, self).__init__()

        def separable(inputs, outputs):
            return nn.Sequential(
                nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs), nn.Conv2d(inputs, outputs, 1), nn.LeakyReLU(0.2)
            )

        self.conv1, self.conv2, self.conv3 = separable(in_channels, 16), separable(16, 24), separable(24, 32)
        self.pool = nn.MaxPool2d(2, 2)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(32 * 8 * 8, 2 * latent_dim)

    def forward(self, x):
        x = self.pool(self.conv1(x))
        x = self.conv3(self.pool(self.conv2(x)))
        x = self.dropout(torch.flatten(x, start_dim=1))
        mu, log_var = self.fc(x).chunk(2, dim=1)
        return mu, log_var
"""
DECODER = """
class Decoder(nn.Module):
    def __init__(self, latent_dim=128, out_channels=3):
        super(Decoder, self).__init__()
        self.fc = nn.Linear(latent_dim, 32 * 8 * 8)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.conv1, self.conv2 = nn.Conv2d(32, 16, 3, padding=1), nn.Conv2d(16, out_channels, 3, padding=1)
        self.dropout = nn.Dropout2d(0.2)

    def forward(self, z):
        x = torch.relu(self.fc(z)).reshape(z.shape[0], 32, 8, 8)
        x = self.dropout(torch.relu(self.conv1(self.up(x))))
        return torch.sigmoid(self.conv2(self.up(x)))
"""
SHUFFLING = """
class Decoder(nn.Module):
    def __init__(self, latent_dim=128, out_channels=3):
        super().__init__()
        self.input = nn.Sequential(nn.Unflatten(1, (latent_dim, 1, 1)), nn.ConvTranspose2d(latent_dim, 64, 8))
        self.layers = nn.Sequential(
            nn.GELU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.PixelShuffle(2),
            nn.GELU(),
            nn.Conv2d(16, 4 * out_channels, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Hardtanh(0, 1),
        )

    def forward(self, z):
        return self.layers(self.input(z))
"""
METHODS = '''
class VAE(nn.Module):
    def __init__(self, latent_dim=128):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim=latent_dim)
        self.decoder = Decoder(latent_dim=latent_dim)

    def reparameterize(self, mu, log_var):
        """The template's method, with its slip."""
        std = torch.exp(0.5 * log_var)
        eps = torch.randn_like(std)
        z = eps * log_var + mu
        return z

    def forward(self, x, y):
        mu, log_var = self.encoder(x)
        z = self.reparameterize(mu, log_var)
        xg = self.decoder(z)
        return xg, mu, log_var, z

    def generate(self, n_samples):
        self.eval()
        with torch.no_grad():
            z = torch.randn((n_samples, self.latent_dim)).to(device)
            xg = self.decoder(z)
        return xg, None
'''
QUIET = """
class VAE(nn.Module):
    def __init__(self, z_dim=64):
        super().__init__()
        self.z_dim = z_dim
        self.encode = Encoder(z_dim)
        self.decode = Decoder(z_dim)
        self.standard = torch.distributions.Normal(torch.tensor(0.0), torch.tensor(1.0))

    def forward(self, x, y=None):
        mu, log_var = self.encode(x)
        if self.training:
            z = torch.distributions.Normal(mu, (0.5 * log_var).exp()).rsample()
        else:
            z = mu
        return [self.decode(z), mu, log_var, z]

    def generate(self, n_samples=16):
        return self.decode(self.standard.sample((n_samples, self.z_dim)).to(device)), None
"""
SPATIAL = '''
class VAE(nn.Module):
    """Codes that are maps."""

    def __init__(self, latent_dim=128):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1), nn.SiLU(), nn.Conv2d(24, 32, 3, stride=2, padding=1), nn.SiLU()
        )
        self.to_mu, self.to_log_var = nn.Conv2d(32, 8, 3, padding=1), nn.Conv2d(32, 8, 3, padding=1)
        self.head = nn.Sequential(
            nn.ConvTranspose2d(8, 16, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Sigmoid()
        )

    def forward(self, x, y):
        features = self.body(x)
        mu, log_var = self.to_mu(features), self.to_log_var(features)
        z = mu + torch.exp(log_var / 2) * torch.empty_like(mu).normal_()
        return self.head(z), mu, log_var, z

    def generate(self, n_samples):
        return self.head(torch.normal(0.0, 1.0, size=(n_samples, 8, 8, 8))), None
'''
ONE_HOT = """
class CVAE(nn.Module):
    def __init__(self, latent_dim=128, num_classes=10, img_size=32):
        super(CVAE, self).__init__()
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.encode = Encoder(latent_dim)
        self.decode = Decoder(latent_dim + num_classes)

    def one_hot(self, y):
        return torch.nn.functional.one_hot(y, self.num_classes).float()

    def forward(self, x, y):
        mu, log_var = self.encode(x)
        z = reparameterize(mu, log_var)
        xg = self.decode(torch.cat((z, self.one_hot(y)), 1))
        return xg, mu, log_var, z

    def generate(self, n_samples, y=None):
        if y is None:
            y = torch.from_numpy(np.random.randint(0, self.num_classes, size=n_samples))
        z = torch.randn(n_samples, self.latent_dim)
        xg = self.decode(torch.cat((z, self.one_hot(y)), 1))
        return xg, y
"""
MULTIPLIED = """
class CVAE(nn.Module):
    def __init__(self, latent_dim=128, num_classes=10, img_size=32):
        super().__init__()
        self.latent_dim, self.num_classes = latent_dim, num_classes
        self.embedding = nn.Embedding(num_classes, latent_dim)
        self.encode = Encoder(latent_dim)
        self.decode = Decoder(latent_dim)

    def forward(self, x, y):
        mu, log_var = self.encode(x)
        z = reparameterize(mu, log_var)
        return self.decode(z * self.embedding(y)), mu, log_var, z

    def generate(self, n_samples, y=None):
        if y is None:
            y = torch.randint(0, self.num_classes, (n_samples,))
        codes = torch.randn([n_samples, self.latent_dim])
        return self.decode(codes * self.embedding(y)), y
"""
DERIVED = """
class CVAE(VAE):
    def __init__(self, latent_dim=128, num_classes=10, img_size=32):
        super().__init__(latent_dim)
        self.num_classes = num_classes
        self.to_code = nn.Sequential(nn.Linear(num_classes, latent_dim), nn.ReLU(), nn.Linear(latent_dim, latent_dim))

    def code_of(self, y):
        return self.to_code(torch.eye(self.num_classes)[y])

    def forward(self, x, y):
        mu, log_var = self.encode(x)
        z = reparameterize(mu, log_var)
        return self.decode(z + self.code_of(y)), mu, log_var, z

    def generate(self, n_samples, y=None):
        y = torch.randint(0, 10, (n_samples,)) if y is None else y
        return self.decode(torch.randn(n_samples, self.latent_dim) + self.code_of(y)), y
"""
ALL_IN_ONE = """
def train_step(x, y):
    net.train()
    images, labels = x.to(device), y.to(device)
    reconstruction, mu, log_var, z = net.forward(images, labels)
    l2 = torch.nn.functional.mse_loss(reconstruction, images)
    bce = torch.nn.functional.binary_cross_entropy(reconstruction, images)
    similarity = SSIM(11)(images, reconstruction)
    kl = KLDiv_criterion(mu, log_var)
    loss = (l2 + (1 - similarity) + bce) + kl
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach(), l2.detach(), bce.detach(), similarity.detach(), kl.detach()
"""
BY_EPOCH = '''
def train_step(x, y):
    """The scalar of the epoch, which the training loop counts."""
    x, y = x.to(device), y.to(device)
    optimizer.zero_grad(set_to_none=False)
    xg, mu, log_var, _ = net(x, y)
    l2, bce, ssim = reconstruction_losses(x, xg)
    kl = KLDivLoss()(mu, log_var)
    loss = l2 + bce + ssim + max(kl_weight(epoch), epoch / 1000) * kl
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    return loss.item(), l2.item(), bce.item(), ssim.item(), kl.item()
'''
WITH_ARGUMENT = '''
def train_step(x, y, kl_weight):
    """The scalar comes with the batch."""
    x, y = x.to(device), y.to(device)
    net.train()
    xg, mu, log_var, _ = net(x, y)
    l2, bce, ssim = reconstruction_losses(x, xg)
    kl = kl_weight * (-0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)).mean()
    loss = l2 + bce + ssim + kl
    net.zero_grad()
    loss.backward()
    optimizer.step()
    return [float(loss), float(l2), float(bce), float(ssim), float(kl)]
'''
HANDED = '''
def train_step(model, optimizer, x, y):
    """Model and optimizer are handed over."""
    model.train()
    optimizer.zero_grad()
    xg, mu, log_var, _ = model(x, y)
    l2, bce, ssim = reconstruction_losses(x, xg)
    kl = KLDiv_criterion(mu, log_var)
    (l2 + bce + ssim + kl).backward()
    optimizer.step()
    return (l2 + bce + ssim + kl).item(), l2.item(), bce.item(), ssim.item(), kl.item()
'''
SCALED = """
scaler = torch.amp.GradScaler("cuda", enabled=torch.cuda.is_available())


def train_step(x, y):
    x, y = x.to(device), y.to(device)
    optimizer.zero_grad()
    with torch.autocast("cuda", enabled=torch.cuda.is_available()):
        xg, mu, log_var, z = net(x, y)
    l2, bce, ssim = reconstruction_losses(x, xg.float())
    kl = KLDiv_criterion(mu, log_var)
    loss = l2 + bce + ssim + kl
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return loss.item(), l2.item(), bce.item(), ssim.item(), kl.item()
"""
OWN_SSIM = '''
def reconstruction_losses(x, xg):
    """A window that stays within the images."""
    line = torch.exp(-((torch.arange(11.0, device=x.device) - 5) ** 2) / 4.5)
    line = (line / line.sum()).reshape(1, 1, 1, 11).repeat(3, 1, 1, 1)

    def blur(values):
        values = nn.functional.conv2d(values, line, groups=3)
        return nn.functional.conv2d(values, line.transpose(2, 3), groups=3)

    m1, m2 = blur(x), blur(xg)
    v1, v2, v12 = blur(x * x) - m1 * m1, blur(xg * xg) - m2 * m2, blur(x * xg) - m1 * m2
    similarity = ((2 * m1 * m2 + 1e-4) * (2 * v12 + 9e-4)) / ((m1**2 + m2**2 + 1e-4) * (v1 + v2 + 9e-4))
    return ((x - xg) ** 2).mean(), bce_criterion(xg, x), 1 - similarity.mean()
'''

VARIANTS = (
    right(
        "vae",
        "separable",
        "depthwise separable convolutions, pooling and dropout; one layer gives both halves",
        Encoder=ENCODER,
    ),
    right("vae", "bilinear", "bilinear interpolation and convolutions", Decoder=DECODER),
    right("vae", "both", "another encoder and another decoder", Encoder=ENCODER, Decoder=DECODER),
    right("vae", "shuffled", "pixel shuffle, and a clamp that keeps to [0, 1]", Decoder=SHUFFLING),
    right(
        "vae",
        "channels",
        "a constructor that asks for channels as well",
        (
            "    def __init__(self, latent_dim=128):\n        super().__init__()\n"
            "        self.latent_dim = latent_dim\n        self.encode = Encoder(latent_dim)\n",
            "    def __init__(self, in_channels, latent_dim):\n        super().__init__()\n"
            "        self.latent_dim = latent_dim\n        self.encode = Encoder(latent_dim, in_channels)\n",
        ),
        ("else VAE(latent_dim)).to(device)", "else VAE(3, latent_dim)).to(device)"),
    ),
    right("vae", "methods", "the template's method and names, with the template's slip", VAE=METHODS),
    right("codes", "quiet", "a distribution's rsample, no noise in evaluation, another size, lists", VAE=QUIET),
    right("codes", "spatial", "codes that are maps", VAE=SPATIAL),
    right(
        "codes",
        "in-place",
        "noise that is drawn in place",
        ("    eps = torch.randn_like(std)\n", "    eps = std.new_empty(std.shape).normal_(mean=0, std=1)\n"),
    ),
    right("cvae", "one-hot", "one-hot vectors for the decoder alone; labels of NumPy", CVAE=ONE_HOT),
    right("cvae", "multiplied", "codes times an embedding", CVAE=MULTIPLIED),
    right("cvae", "derived", "derived from VAE, with a perceptron of the class", CVAE=DERIVED),
    right(
        "cvae",
        "conditional",
        "the script as it is left after the CVAE was trained",
        ("conditional = False", "conditional = True"),
    ),
    right(
        "losses",
        "functions",
        "functions for losses; SSIM itself and tensors returned; gradients cleared at the end",
        train_step=ALL_IN_ONE,
    ),
    right("losses", "own-ssim", "a window that stays within the images", reconstruction_losses=OWN_SSIM),
    right(
        "losses",
        "argument-order",
        "SSIM and squares are symmetric",
        ("l2_criterion(xg, x)", "l2_criterion(x, xg)"),
        ("ssim_criterion(xg, x)", "ssim_criterion(x, xg)"),
    ),
    right("train_step", "by-epoch", "a scalar by the epoch, which is a global; clipped gradients", train_step=BY_EPOCH),
    right("train_step", "argument", "the scalar is an argument; a divergence of its own", train_step=WITH_ARGUMENT),
    right("train_step", "handed", "model and optimizer are arguments", train_step=HANDED),
    right("train_step", "scaled", "mixed precision", train_step=SCALED),
    right(
        "train_step",
        "other-optimizer",
        "another optimizer, and the weights cleared by the model",
        ("optim.Adam(net.parameters(), lr=learning_rate)", "optim.RMSprop(list(net.parameters()), lr=learning_rate)"),
        (STEP, "    net.zero_grad()\n    loss.backward()\n    optimizer.step()\n"),
    ),
    right(
        "annealing",
        "from-zero",
        "epochs that are counted from 0, a line in place of a curve",
        (
            "    return 0.0001 ** ((num_epochs - epoch) / (num_epochs - warm - small))\n",
            "    return min(1.0, 0.0001 + (epoch - warm - small) / (num_epochs - 1 - warm - small))\n",
        ),
        ("    if epoch <= warm:\n        return 0.0\n", "    if epoch < 1:\n        return 0.0\n"),
    ),
    right(
        "annealing",
        "list",
        "a list of one factor for each epoch",
        kl_weight="kl_weights = np.concatenate([[0.0] * 5, [0.0001] * 5, np.linspace(0.0001, 1.0, num_epochs - 10)])\n",
    ),
    right(
        "annealing",
        "almost",
        "a line that would reach 1 in the epoch behind the last one, counted from 0",
        kl_weight="""
def kl_weight(epoch):
    if epoch < 10:
        return 0.0
    return 0.0001 if epoch < 20 else max(0.0001, (epoch - 20) / (num_epochs - 20))
""",
    ),
    right(
        "denormalize",
        "numpy",
        "everything in NumPy, without rounding",
        denormalize="""
def denormalize(images):
    return (images.cpu().detach().numpy().transpose(0, 2, 3, 1) * 255.0).astype("uint8")
""",
    ),
    right(
        "denormalize", "cut-off", "cuts off instead of rounding", ("np.rint(images.clip(0, 1) * 255)", "(images * 255)")
    ),
    right(
        "denormalize",
        "torch",
        "everything in PyTorch until the end",
        denormalize="""
def denormalize(x):
    x = torch.clamp(x.clone().mul(255).add(0.5), 0, 255).to("cpu", torch.uint8)
    return np.transpose(x.detach().numpy(), (0, 2, 3, 1))
""",
    ),
    right(
        "generate",
        "normal",
        "torch.normal, and nothing but images",
        (
            "        z = torch.randn(n_samples, self.latent_dim, device=next(self.parameters()).device)\n"
            "        return self.decode(z), None\n",
            "        z = torch.zeros(n_samples, self.latent_dim)\n        z = torch.normal(z, torch.ones_like(z))\n"
            "        return self.decode(z.to(device))\n",
        ),
    ),
    right(
        "generate",
        "numpy",
        "NumPy draws, in evaluation mode and without a graph",
        (
            "        z = torch.randn(n_samples, self.latent_dim, device=next(self.parameters()).device)\n"
            "        return self.decode(z), None\n",
            "        self.eval()\n        z = np.random.normal(0, 1, (n_samples, self.latent_dim))\n"
            "        with torch.no_grad():\n"
            "            return self.decode(torch.tensor(z, dtype=torch.float32).to(device)), None\n",
        ),
    ),
    right(
        "generate",
        "distribution",
        "a distribution draws, on a device that is named",
        (
            "        z = torch.randn(n_samples, self.latent_dim, device=next(self.parameters()).device)\n"
            "        return self.decode(z), None\n",
            "        z = torch.distributions.Normal(0.0, 1.0).sample((n_samples, self.latent_dim)).to('cuda')\n"
            "        return self.decode(z), None\n",
        ),
    ),
    right(
        "generate_class",
        "numpy",
        "labels and codes of NumPy",
        (
            "torch.randint(self.num_classes, (n_samples,), device=where) if y is None",
            "torch.from_numpy(np.random.choice(10, n_samples)).to(where) if y is None",
        ),
        (
            "        z = torch.randn(n_samples, self.latent_dim, device=where)\n",
            "        z = torch.from_numpy(np.random.randn(n_samples, self.latent_dim)).float().to(where)\n",
        ),
    ),
    right(
        "generate_class",
        "list",
        "labels may be drawn one by one",
        (
            "torch.randint(self.num_classes, (n_samples,), device=where) if y is None",
            "torch.tensor([int(torch.randint(0, 10, ())) for _ in range(n_samples)]).to(where) if y is None",
        ),
    ),
    right(
        "generate_class",
        "in-turn",
        "all classes in turn",
        (
            "torch.randint(self.num_classes, (n_samples,), device=where) if y is None",
            "torch.arange(n_samples, device=where) % self.num_classes if y is None",
        ),
    ),
    right(
        "vae",
        "lazy",
        "layers that find out their sizes in the first call",
        ("self.mu = nn.Linear(256 * 4 * 4, latent_dim)", "self.mu = nn.LazyLinear(latent_dim)"),
        ("self.log_var = nn.Linear(256 * 4 * 4, latent_dim)", "self.log_var = nn.LazyLinear(latent_dim)"),
    ),
    right(
        "cvae",
        "one-hot-outside",
        "the training turns labels into one-hot vectors",
        (
            "        channel = self.label_map(y).view(-1, 1, self.img_size, self.img_size)  # (B, 1, 32, 32)\n",
            "        channel = (y @ self.label_map.weight).view(-1, 1, self.img_size, self.img_size)\n",
        ),
        (
            "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), mu, log_var, z\n",
            "        return self.decode(torch.cat([z, y @ self.label_code.weight], dim=1)), mu, log_var, z\n",
        ),
        (
            "    xg, mu, log_var, _ = net(x, y)\n",
            "    xg, mu, log_var, _ = net(x, nn.functional.one_hot(y, num_classes).float())\n",
        ),
    ),
    right(
        "train_step",
        "defaults",
        "network and optimizer are defaults of parameters",
        ("def train_step(x, y):", "def train_step(x, y, net=net, optimizer=optimizer):"),
    ),
    right(
        "train_step",
        "in-maps",
        "codes may be maps of single pixels, of which the divergence sums up all axes",
        (
            "self.mu(features), self.log_var(features)",
            "self.mu(features)[..., None, None], self.log_var(features)[..., None, None]",
        ),
        ("hidden = self.project(z)", "hidden = self.project(z.flatten(1))"),
        ("log_var - 1, dim=1)", "log_var - 1, dim=(1, 2, 3))"),
        (
            "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), mu, log_var, z\n",
            "        return self.decode(torch.cat([z.flatten(1), self.label_code(y)], dim=1)), mu, log_var, z\n",
        ),
    ),
    right(
        "losses",
        "weights-of-one",
        "weights of the losses, all of them 1",
        (
            "ssim_criterion = SSIM(window_size=11)\n",
            "ssim_criterion = SSIM(window_size=11)\nbce_weight, ssim_weight = 1.0, 1.0\n",
        ),
        ("    loss = l2 + bce + ssim + kl\n", "    loss = l2 + bce_weight * bce + ssim_weight * ssim + kl\n"),
    ),
    right(
        "train_step",
        "array",
        "the numbers come back as an array",
        (RETURN, RETURN.replace("return ", "return np.array([").rstrip() + "])\n"),
    ),
)
