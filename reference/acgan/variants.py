"""Right solutions of handout E, Part 2, written differently: each must keep full marks."""

from graders.model import Variant

LOGITS = "adversarial_criterion = nn.BCEWithLogitsLoss()"
HEADS = "return self.adversarial(features), self.auxiliary(features)  # (N, 1), (N, num_classes)"
REAL_LOSS = "real_loss = adversarial_criterion(real_score, torch.ones_like(real_score))"
FAKE_LOSS = "fake_loss = adversarial_criterion(fake_score, torch.zeros_like(fake_score))"
LOSS_D = "loss_d = (real_loss + fake_loss) / 2 + auxiliary_criterion(real_class, y)"
LOSS_G = "loss_g = adversarial_criterion(fake_score, torch.ones_like(fake_score)) + auxiliary_criterion(fake_class, y)"
TO_PASS = "adversarial_criterion(fake_score, torch.ones_like(fake_score))"
RETURNED = "return loss_g.item(), loss_d.item(), acc_d.item()"
ACCURACY = "acc_d = (real_class.argmax(dim=1) == y).float().mean()"
DETACHED = "fake_score, _ = discriminator(fake.detach())"
LABELLED = "fake_score, fake_class = discriminator(fake.detach())"


def right(item: str, name: str, why: str, *swaps: tuple[str, str], **definitions: str) -> Variant:
    """Return the variant with these texts swapped and these definitions in place of the reference's."""
    return Variant(f"{item}-{name}", item, why, swaps, definitions)


GENERATOR = (
    right(
        "generator",
        "dcgan",
        "latent vectors may be single pixels with one-hot labels beside them, and images between -1 and 1",
        (
            "    z = torch.randn(x.size(0), latent_dim, device=device)",
            "    z = torch.randn(x.size(0), latent_dim, 1, 1, device=device)",
        ),
        Generator="""
class Generator(nn.Module):
    def __init__(self, nz=100, ngf=16, nc=3):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz + 10, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )
        self.apply(self.start)

    def start(self, m):
        if isinstance(m, nn.ConvTranspose2d):
            nn.init.normal_(m.weight, 0.0, 0.02)

    def forward(self, z, y):
        hot = nn.functional.one_hot(y, 10).to(z.dtype)[:, :, None, None]
        return self.main(torch.cat([z, hot], 1))
""",
    ),
    right(
        "generator",
        "bilinear",
        "images may be enlarged by interpolation, and labels multiply the latent vector",
        Generator="""
class Generator(nn.Module):
    def __init__(self, latent_dim=128, out_channels=3, num_classes=10):
        super(Generator, self).__init__()
        self.label_emb = nn.Embedding(num_classes, latent_dim)
        self.l1 = nn.Sequential(nn.Linear(latent_dim, 64 * 8 ** 2))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(64),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.Conv2d(64, 64, 3, stride=1, padding=1),
            nn.BatchNorm2d(64, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Dropout2d(0.2),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(64, 32, 3, stride=1, padding=1),
            nn.BatchNorm2d(32, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, out_channels, 3, stride=1, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, noise, labels):
        gen_input = torch.mul(self.label_emb(labels), noise)
        out = self.l1(gen_input)
        out = out.view(out.shape[0], 64, 8, 8)
        return self.conv_blocks(out)
""",
    ),
    right(
        "generator",
        "one-hot",
        "labels may be asked for as one-hot vectors, and the last activation may be part of forward",
        (
            "fake = generator(z, y)  # (N, 3, 32, 32)",
            "fake = generator(z, nn.functional.one_hot(y, num_classes).float())",
        ),
        ("denormalize(generator(random_z, random_y))", "denormalize(generator(random_z, torch.eye(10)[random_y]))"),
        Generator="""
class Generator(nn.Module):
    def __init__(self, latent_dim=64, out_channels=3):
        super().__init__()
        self.fc = nn.Linear(latent_dim + 10, 48 * 16)
        self.up1 = nn.ConvTranspose2d(48, 32, 2, stride=2)
        self.up2 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.up3 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.out = nn.Conv2d(8, out_channels, 3, padding="same")
        self.act = nn.functional.leaky_relu

    def forward(self, z, y):
        h = self.fc(torch.hstack((z, y))).reshape(-1, 48, 4, 4)
        for up in (self.up1, self.up2, self.up3):
            h = self.act(up(h), 0.1)
        return (torch.tanh(self.out(h)) + 1) / 2
""",
    ),
    right(
        "generator",
        "label-map",
        "a label may be a map of its own, pixels may be shuffled, and norms need no batch",
        ("latent_dim = 128", "latent_dim = 100"),
        Generator="""
class Generator(nn.Module):
    def __init__(self, latent_dim=100, out_channels=3, num_classes=10, img_size=32):
        super().__init__()
        self.maps = nn.Embedding(num_classes, 64)
        self.fc = nn.Sequential(nn.Linear(latent_dim, 31 * 64), nn.LeakyReLU())
        self.body = nn.Sequential(
            nn.Conv2d(32, 64, 3, padding=1),
            nn.PixelShuffle(2),
            nn.GroupNorm(4, 16),
            nn.LeakyReLU(),
            nn.ZeroPad2d(1),
            nn.Conv2d(16, 32, 3),
            nn.PixelShuffle(2),
            nn.InstanceNorm2d(8),
            nn.LeakyReLU(),
            nn.Conv2d(8, out_channels, 1),
        )

    def forward(self, z, y):
        maps = self.maps(y).view(-1, 1, 8, 8)
        x = self.fc(z).view(-1, 31, 8, 8)
        return self.body(torch.cat((x, maps), dim=1)).sigmoid()
""",
    ),
)

DISCRIMINATOR = (
    right(
        "discriminator",
        "probability",
        "the score may come out of a sigmoid, with the loss for probabilities, and the class scores of log_softmax",
        (
            HEADS,
            "score = torch.sigmoid(self.adversarial(features)).view(-1)\n"
            "        return score, torch.log_softmax(self.auxiliary(features), dim=1)",
        ),
        (LOGITS, "adversarial_criterion = nn.BCELoss()"),
        ("auxiliary_criterion = nn.CrossEntropyLoss()", "auxiliary_criterion = nn.NLLLoss()"),
    ),
    right(
        "discriminator",
        "convolutional",
        "heads may be convolutions, with spectral norm and pooling",
        Discriminator="""
class Discriminator(nn.Module):
    def __init__(self, in_channels=3):
        super().__init__()
        sn = nn.utils.spectral_norm
        self.conv1 = sn(nn.Conv2d(in_channels, 16, 3, padding=1))
        self.conv2 = sn(nn.Conv2d(16, 32, 3, padding=1))
        self.pool = nn.MaxPool2d(2)
        self.adv = nn.Conv2d(32, 1, 8)
        self.aux = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))

    def forward(self, img):
        h = self.pool(torch.relu(self.conv1(img)))
        h = self.pool(nn.functional.leaky_relu(self.conv2(h), 0.2))
        validity = self.adv(h).squeeze()
        label = self.aux(h)
        return [validity, label]
""",
    ),
    right(
        "discriminator",
        "one-layer",
        "one layer may give all scores, and probabilities of the classes go with their logarithm",
        (LOSS_D, LOSS_D.replace("auxiliary_criterion(real_class, y)", "nn.functional.nll_loss(real_class.log(), y)")),
        (LOSS_G, LOSS_G.replace("auxiliary_criterion(fake_class, y)", "nn.functional.nll_loss(fake_class.log(), y)")),
        Discriminator="""
class Discriminator(nn.Module):
    def __init__(self, in_channels=3, num_classes=10, dropout=0.4):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, 16, 4, 4),
            nn.LeakyReLU(0.2, True),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(16 * 64, 1 + num_classes),
        )

    def forward(self, x):
        out = self.net(x)
        return out[:, :1], nn.functional.softmax(out[:, 1:], dim=-1)
""",
    ),
    right(
        "discriminator",
        "lazy",
        "layers that find out their sizes in the first call",
        ("self.adversarial = nn.Linear(512 * 4 * 4, 1)", "self.adversarial = nn.LazyLinear(1)"),
        ("self.auxiliary = nn.Linear(512 * 4 * 4, num_classes)", "self.auxiliary = nn.LazyLinear(num_classes)"),
    ),
)

STEP = (
    right(
        "train_step",
        "in-one",
        "real and generated images may go through the discriminator together, whose targets are smoothed",
        train_step="""
def train_step(images, labels):
    n = images.shape[0]
    images, labels = images.to(device), labels.to(device).long()
    noise = torch.randn((n, latent_dim)).to(device)
    with torch.no_grad():
        fake = generator(noise, labels)
    optimizer_d.zero_grad(set_to_none=False)
    score, classes = discriminator(torch.cat((images, fake)))
    target = torch.cat((torch.full((n, 1), 0.9), torch.full((n, 1), 0.1))).to(device)
    loss_d = adversarial_criterion(score, target) + auxiliary_criterion(classes, torch.cat((labels, labels)))
    loss_d.backward()
    torch.nn.utils.clip_grad_norm_(discriminator.parameters(), 0.01)
    optimizer_d.step()
    acc = 100 * (classes.argmax(1) == torch.cat((labels, labels))).sum() / (2 * n)

    optimizer_g.zero_grad(set_to_none=False)
    noise = torch.randn((n, latent_dim)).to(device)
    score, classes = discriminator(generator(noise, labels))
    loss_g = adversarial_criterion(score, torch.ones(n, 1).to(device)) + auxiliary_criterion(classes, labels)
    loss_g.backward()
    optimizer_g.step()
    return loss_g, loss_d, acc
""",
    ),
    right(
        "train_step",
        "generator-first",
        "the generator may come first, with labels that are drawn, and losses may go back one by one",
        train_step="""
def train_step(x, y):
    valid = torch.ones(len(x), 1, requires_grad=False)
    fake = torch.zeros(len(x), 1, requires_grad=False)
    optimizer_g.zero_grad()
    z = torch.from_numpy(np.random.normal(0, 1, (len(x), latent_dim))).float()
    gen_labels = torch.randint(0, num_classes, (len(x),))
    gen_imgs = generator(z, gen_labels)
    validity, pred_label = discriminator(gen_imgs)
    g_loss = 0.5 * (adversarial_criterion(validity, valid) + auxiliary_criterion(pred_label, gen_labels))
    g_loss.backward()
    optimizer_g.step()

    optimizer_d.zero_grad()
    real_pred, real_aux = discriminator(x)
    d_real_loss = (adversarial_criterion(real_pred, valid) + auxiliary_criterion(real_aux, y)) / 2
    d_real_loss.backward()
    fake_pred, fake_aux = discriminator(gen_imgs.detach())
    d_fake_loss = (adversarial_criterion(fake_pred, fake) + auxiliary_criterion(fake_aux, gen_labels)) / 2
    d_fake_loss.backward()
    optimizer_d.step()

    pred = np.concatenate([real_aux.data.cpu().numpy(), fake_aux.data.cpu().numpy()], axis=0)
    gt = np.concatenate([y.data.cpu().numpy(), gen_labels.data.cpu().numpy()], axis=0)
    d_acc = np.mean(np.argmax(pred, axis=1) == gt)
    return g_loss.item(), (d_real_loss + d_fake_loss).item(), d_acc
""",
    ),
    right(
        "train_step",
        "least-squares",
        "the score may have a loss of least squares",
        (LOGITS, "adversarial_criterion = nn.MSELoss()"),
    ),
    right(
        "train_step",
        "hinge",
        "the score may have a hinge",
        (REAL_LOSS, "real_loss = torch.relu(1 - real_score).mean()"),
        (FAKE_LOSS, "fake_loss = torch.relu(1 + fake_score).mean()"),
        (TO_PASS, "-fake_score.mean()"),
    ),
    right(
        "train_step",
        "drawn-targets",
        "targets may be drawn from a range, and labels of the classes smoothed",
        (REAL_LOSS, REAL_LOSS.replace("torch.ones_like(real_score)", "0.8 + 0.4 * torch.rand_like(real_score)")),
        (FAKE_LOSS, FAKE_LOSS.replace("torch.zeros_like(fake_score)", "0.2 * torch.rand_like(fake_score)")),
        ("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(label_smoothing=0.1)"),
    ),
    right(
        "train_step",
        "minimax",
        "the generator may have the loss of the paper",
        (TO_PASS, "-adversarial_criterion(fake_score, torch.zeros_like(fake_score))"),
    ),
    right(
        "train_step",
        "not-detached",
        "what is left in the generator is set to zero before its own update; the discriminator may be trained twice",
        (DETACHED, "fake_score, _ = discriminator(fake)"),
        (
            "    optimizer_g.zero_grad()\n",
            """    loss_d = auxiliary_criterion(discriminator(x)[1], y)
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    optimizer_g.zero_grad()
    fake = generator(z, y)
""",
        ),
    ),
    right(
        "train_step",
        "frozen",
        "the discriminator may be frozen for the generator's update, and gradients zeroed by the networks at the end",
        ("    optimizer_d.zero_grad()\n", ""),
        ("    optimizer_g.zero_grad()\n", "    discriminator.requires_grad_(False)\n"),
        (
            "    optimizer_g.step()\n",
            "    optimizer_g.step()\n    discriminator.requires_grad_(True)\n"
            "    generator.zero_grad()\n    discriminator.zero_grad()\n",
        ),
    ),
    right(
        "train_step",
        "cuda",
        "the code may ask for a GPU by name",
        ('torch.device("cuda" if torch.cuda.is_available() else "cpu")', '"cuda:0"'),
        ("generator = Generator(latent_dim).to(device)", "generator = Generator(latent_dim).cuda()"),
        ("    x, y = x.to(device), y.to(device)\n", "    x, y = x.cuda(), y.cuda(non_blocking=True)\n"),
    ),
    right(
        "train_step",
        "other-accuracy",
        "the batch may be counted in other ways, the accuracy be that of the discrimination, and a dict be returned",
        (
            "z = torch.randn(x.size(0), latent_dim, device=device)  # (N, latent_dim)",
            "z = torch.empty(y.numel(), latent_dim).normal_().to(device)",
        ),
        (
            ACCURACY,
            "acc_d = (real_score > 0).float().mean()",
        ),
        (RETURNED, 'return {"g": loss_g.item(), "d": loss_d.item(), "acc": acc_d.item()}'),
    ),
    right(
        "train_step",
        "classes-of-fakes",
        "the auxiliary classifier may learn on generated images as well, with any weight",
        (DETACHED, LABELLED),
        (LOSS_D, LOSS_D + " + 0.1 * auxiliary_criterion(fake_class, y)"),
        ("+ auxiliary_criterion(fake_class, y)\n    loss_g", "+ 0.3 * auxiliary_criterion(fake_class, y)\n    loss_g"),
    ),
    right(
        "train_step",
        "updates-last",
        "both networks are updated when both losses were passed back",
        (
            "    loss_d.backward()\n    optimizer_d.step()\n\n",
            "\n",
        ),
        (
            "    loss_g.backward()\n    optimizer_g.step()\n",
            "    loss_g.backward()\n    optimizer_d.zero_grad()\n    loss_d.backward()\n"
            "    optimizer_g.step()\n    optimizer_d.step()\n",
        ),
    ),
    right(
        "train_step",
        "array",
        "the numbers come back as an array",
        (RETURNED, "return np.array([loss_g.item(), loss_d.item(), acc_d.item()])"),
    ),
)

DENORMALIZE = (
    right(
        "denormalize",
        "cut-off",
        "levels may be cut off",
        denormalize="""
def denormalize(x):
    x = x.cpu().detach().numpy() * 255
    return np.transpose(x, (0, 2, 3, 1)).astype("uint8")
""",
    ),
    right(
        "denormalize",
        "not-turned",
        "images may be turned elsewhere",
        denormalize="""
def denormalize(x):
    return (255 * x).clamp(0, 255).to(torch.uint8).cpu().numpy()
""",
    ),
    right(
        "denormalize",
        "from-minus-one",
        "images may come out of a tanh",
        denormalize="""
def denormalize(x):
    x = (x + 1) / 2
    return (x.permute(0, 2, 3, 1).numpy() * 255.0).astype(np.uint8)
""",
    ),
    right(
        "denormalize",
        "one-by-one",
        "images may be turned one by one",
        denormalize="""
def denormalize(images):
    out = []
    for image in images:
        out.append(np.moveaxis(np.rint(image.numpy() * 255).astype(np.uint8), 0, -1))
    return np.array(out)
""",
    ),
)

SAMPLED = "random_z = torch.randn(20, latent_dim, device=device)"
SAMPLES = (
    right(
        "samples",
        "numpy",
        "numbers may be drawn by NumPy",
        (SAMPLED, "random_z = torch.tensor(np.random.normal(0, 1, (20, latent_dim)), dtype=torch.float32)"),
    ),
    right(
        "samples",
        "pixels",
        "latent vectors may be single pixels",
        (SAMPLED, "random_z = torch.randn(20, latent_dim, 1, 1)"),
    ),
    right(
        "samples",
        "distribution",
        "a distribution may draw",
        (SAMPLED, "random_z = torch.distributions.Normal(0.0, 1.0).sample((20, latent_dim)).to(device)"),
    ),
)

VARIANTS = (*GENERATOR, *DISCRIMINATOR, *STEP, *DENORMALIZE, *SAMPLES)
