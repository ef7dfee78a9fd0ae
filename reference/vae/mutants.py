"""Wrong solutions of handout E, Part 1: what its formulas and its skeleton lead to, and what a clever one writes.

Every mutant is the reference with some text swapped. The first nine items are all judged on each of them.
"""

from graders.model import Mutant

ENCODE = "        mu, log_var = self.encode(x)\n        z = reparameterize(mu, log_var)\n"
FORWARD = f"{ENCODE}        return self.decode(z), mu, log_var, z\n"
FEATURES = "        return self.mu(features), self.log_var(features)  # (B, latent_dim) each\n"
LAST = "            nn.Conv2d(64, out_channels, kernel_size=3, padding=1),  # (B, out_channels, 32, 32)\n"
DOWN = (
    "            nn.Conv2d(in_channels, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 16, 16)\n",
    "            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),  # (B, 128, 8, 8)\n",
    "            nn.Conv2d(128, 256, kernel_size=4, stride=2, padding=1),  # (B, 256, 4, 4)\n",
)
UP = (
    "            nn.ConvTranspose2d(256, 128, kernel_size=4, stride=2, padding=1),  # (B, 128, 8, 8)\n",
    "            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 16, 16)\n",
    "            nn.ConvTranspose2d(64, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 32, 32)\n",
)
DRAWN = "    std = torch.exp(0.5 * log_var)\n    eps = torch.randn_like(std)\n    return mu + eps * std\n"
CODES = "        z = torch.randn(n_samples, self.latent_dim, device=next(self.parameters()).device)\n"
CLASS_CODES = "        z = torch.randn(n_samples, self.latent_dim, device=where)\n"
CLASS_FORWARD = "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), mu, log_var, z\n"
LABELS = "        y = torch.randint(self.num_classes, (n_samples,), device=where) if y is None else y.to(where)\n"
LOSSES = "    return l2_criterion(xg, x), bce_criterion(xg, x), 1 - ssim_criterion(xg, x)\n"
SUM = "    loss = l2 + bce + ssim + kl\n"
STEP = "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
RETURN = "    return loss.item(), l2.item(), bce.item(), ssim.item(), kl.item()\n"
KL = "    kl = KLDiv_criterion(mu, log_var)\n"
ANNEALED = "    return 0.0001 ** ((num_epochs - epoch) / (num_epochs - warm - small))\n"
BYTES = "    return np.rint(images.clip(0, 1) * 255).astype(np.uint8)\n"
CHANNELS_LAST = "x.detach().cpu().permute(0, 2, 3, 1).numpy()  # (N, H, W, 3)"


def wrong(item, name, mistake, loses, *swaps, also=()):
    """Return the mutant in which each old text gives way to its new one."""
    return Mutant(f"{item}-{name}", item, mistake, loses, swaps=swaps, also=also)


def both(item, name, mistake, loses, *swaps):
    """Return the mutant of an encoder or a decoder that both networks are made of."""
    return wrong(item, name, mistake, loses, *swaps, also=("cvae",))


ARCHITECTURE = (
    both(
        "vae",
        "no-sigmoid",
        "nothing brings the reconstruction into [0, 1]",
        ("range",),
        (f"{LAST}            nn.Sigmoid(),\n", LAST),
    ),
    both("vae", "tanh", "a Tanh at the end, for images in [-1, 1]", ("range",), ("nn.Sigmoid()", "nn.Tanh()")),
    both(
        "vae", "relu-at-the-end", "a ReLU at the end leaves no upper bound", ("range",), ("nn.Sigmoid()", "nn.ReLU()")
    ),
    both(
        "vae",
        "two-convolutions",
        "encodes with two convolutions",
        ("convolutions",),
        (f"{DOWN[1]}            nn.BatchNorm2d(128),\n", "            nn.MaxPool2d(2),\n"),
        (DOWN[2], "            nn.Conv2d(64, 256, kernel_size=4, stride=2, padding=1),\n"),
    ),
    both(
        "vae",
        "perceptron",
        "encodes with linear layers",
        ("convolutions", "downsampling"),
        (
            "        features = self.features(x)  # (B, 4096)\n",
            "        features = torch.relu(self.first(x.flatten(1)))\n",
        ),
        (
            "        self.mu = nn.Linear(256 * 4 * 4, latent_dim)\n",
            "        self.first = nn.Linear(in_channels * 1024, 4096)\n        self.mu = nn.Linear(4096, latent_dim)\n",
        ),
    ),
    both(
        "vae",
        "one-down",
        "one layer alone makes the maps smaller",
        ("downsampling",),
        (DOWN[0], "            nn.Conv2d(in_channels, 64, kernel_size=3, padding=1),\n"),
        (DOWN[1], "            nn.Conv2d(64, 128, kernel_size=3, padding=1),\n"),
        (DOWN[2], "            nn.Conv2d(128, 256, kernel_size=8, stride=8),\n"),
    ),
    both(
        "vae",
        "down-by-cropping",
        "the maps get smaller because nothing is padded",
        ("downsampling",),
        (DOWN[0], "            nn.Conv2d(in_channels, 8, kernel_size=3),\n"),
        ("            nn.BatchNorm2d(64),\n            nn.ReLU(),\n" + DOWN[1], "            nn.ReLU(),\n" + DOWN[1]),
        (DOWN[1], "            nn.Conv2d(8, 8, kernel_size=3),\n"),
        ("            nn.BatchNorm2d(128),\n            nn.ReLU(),\n" + DOWN[2], "            nn.ReLU(),\n" + DOWN[2]),
        (DOWN[2], "            nn.Conv2d(8, 256, kernel_size=7, stride=7),\n"),
    ),
    both(
        "vae",
        "one-up",
        "one layer alone makes the maps larger",
        ("upsampling",),
        (UP[0], "            nn.Conv2d(256, 128, kernel_size=3, padding=1),\n"),
        (UP[1], "            nn.Conv2d(128, 64, kernel_size=3, padding=1),\n"),
        (UP[2], "            nn.ConvTranspose2d(64, 64, kernel_size=8, stride=8),\n"),
    ),
    both(
        "vae",
        "no-up",
        "a linear layer gives the full size at once",
        ("upsampling",),
        ("self.project = nn.Linear(latent_dim, 256 * 4 * 4)", "self.project = nn.Linear(latent_dim, 8 * 32 * 32)"),
        ("view(-1, 256, 4, 4)", "view(-1, 8, 32, 32)"),
        (UP[0], "            nn.Conv2d(8, 128, kernel_size=3, padding=1),\n"),
        (UP[1], "            nn.Conv2d(128, 64, kernel_size=3, padding=1),\n"),
        (UP[2], "            nn.Conv2d(64, 64, kernel_size=3, padding=1),\n"),
    ),
    both(
        "vae",
        "small-images",
        "reconstructs half the size",
        ("shape",),
        (UP[2], "            nn.Conv2d(64, 64, kernel_size=3, padding=1),\n"),
    ),
    wrong(
        "vae",
        "skip-of-the-image",
        "adds the image to what is decoded, as a U-Net does",
        ("skips",),
        (FORWARD, f"{ENCODE}        return 0.5 * self.decode(z) + 0.5 * x.sigmoid(), mu, log_var, z\n"),
    ),
    wrong(
        "vae",
        "skip-without-gradient",
        "adds the image without its graph",
        ("skips",),
        (FORWARD, f"{ENCODE}        return 0.5 * self.decode(z) + 0.5 * x.detach().sigmoid(), mu, log_var, z\n"),
    ),
    wrong(
        "vae",
        "skip-of-features",
        "the decoder also gets the features of the encoder",
        ("skips",),
        (
            FORWARD,
            f"{ENCODE}        features = self.encode.features(x).mean(dim=1).view(-1, 1, 1, 1)\n"
            "        return torch.sigmoid(self.decode(z) + features), mu, log_var, z\n",
        ),
    ),
    wrong(
        "vae",
        "plain",
        "decodes something else than the codes, so that these do nothing",
        ("skips",),
        (FORWARD, f"{ENCODE}        return self.decode(torch.ones_like(z)), mu, log_var, z\n"),
        also=("codes",),
    ),
    wrong(
        "vae",
        "order",
        "returns the codes in the place of the reconstruction",
        ("shape",),
        (FORWARD, f"{ENCODE}        return z, mu, log_var, self.decode(z)\n"),
        also=("codes",),
    ),
    both(
        "vae",
        "convolutions-without-effect",
        "encodes with linear layers, and executes convolutions of which nothing is left",
        ("convolutions", "downsampling"),
        (
            FEATURES,
            "        flat = x.mean(dim=1).flatten(1)  # (B, 1024)\n"
            "        features = torch.cat([flat, flat, flat, flat], dim=1) + 0 * features\n" + FEATURES,
        ),
    ),
    both(
        "vae",
        "up-and-down",
        "enlarges the same maps twice and makes them smaller in between",
        ("upsampling",),
        ("self.project = nn.Linear(latent_dim, 256 * 4 * 4)", "self.project = nn.Linear(latent_dim, 8 * 32 * 32)"),
        ("view(-1, 256, 4, 4)", "view(-1, 8, 32, 32)"),
        (UP[0], "            nn.ConvTranspose2d(8, 128, 2, stride=2),\n            nn.AvgPool2d(2),\n"),
        (UP[1], "            nn.ConvTranspose2d(128, 64, 2, stride=2),\n            nn.AvgPool2d(2),\n"),
        (UP[2], "            nn.Conv2d(64, 64, 3, padding=1),\n"),
    ),
    both(
        "vae",
        "up-without-effect",
        "a linear layer gives the full size; what is enlarged is thrown away",
        ("upsampling",),
        ("self.project = nn.Linear(latent_dim, 256 * 4 * 4)", "self.project = nn.Linear(latent_dim, 3 * 32 * 32)"),
        (
            "        return self.layers(hidden)  # (B, out_channels, 32, 32)\n",
            "        self.layers(hidden)\n        return torch.sigmoid(self.project(z)).view(-1, 3, 32, 32)\n",
        ),
        ("view(-1, 256, 4, 4)", "repeat(1, 2)[:, :4096].reshape(-1, 256, 4, 4)"),
    ),
    both(
        "vae",
        "two-paths-down",
        "two convolutions side by side make the maps smaller, once",
        ("downsampling",),
        (DOWN[0], DOWN[0].replace("kernel_size=4, stride=2, padding=1", "kernel_size=3, padding=1")),
        (DOWN[1], DOWN[1].replace("kernel_size=4, stride=2, padding=1", "kernel_size=3, padding=1")),
        (DOWN[2], DOWN[2].replace("kernel_size=4, stride=2, padding=1", "kernel_size=8, stride=8")),
        (
            "        features = self.features(x)  # (B, 4096)\n",
            "        side = nn.functional.max_pool2d(x, 8).mean(dim=(1, 2, 3))[:, None]  # (B, 1)\n"
            "        features = self.features(x) + side\n",
        ),
    ),
)

CODES_DRAWN = (
    wrong(
        "codes",
        "variance",
        "the variance in place of the standard deviation",
        ("distribution",),
        ("torch.exp(0.5 * log_var)", "torch.exp(log_var)"),
    ),
    wrong("codes", "uniform", "uniform noise", ("distribution",), ("torch.randn_like(std)", "torch.rand_like(std)")),
    wrong(
        "codes",
        "uniform-around-zero",
        "uniform noise around zero of the right deviation",
        ("distribution",),
        ("torch.randn_like(std)", "3.4641 * (torch.rand_like(std) - 0.5)"),
    ),
    wrong(
        "codes",
        "one-for-the-batch",
        "one noise for all images of a batch",
        ("fresh",),
        ("torch.randn_like(std)", "torch.randn_like(std[:1])"),
    ),
    wrong(
        "codes",
        "one-for-the-code",
        "one noise for all values of a code",
        ("distribution",),
        ("torch.randn_like(std)", "torch.randn_like(std[:, :1])"),
    ),
    wrong(
        "codes",
        "same-every-time",
        "a seed makes the noise the same in every call",
        ("fresh",),
        ("    eps = torch.randn_like(std)\n", "    torch.manual_seed(0)\n    eps = torch.randn_like(std)\n"),
    ),
    wrong(
        "codes",
        "no-noise",
        "the mean is the code",
        ("distribution", "fresh"),
        ("return mu + eps * std", "return mu + 0 * std"),
    ),
    wrong(
        "codes",
        "no-gradient",
        "draws without a graph",
        ("gradients",),
        ("    std = torch.exp(0.5 * log_var)\n", "    std = torch.exp(0.5 * log_var).detach()\n"),
    ),
    wrong(
        "codes",
        "sampled",
        "a sample of a distribution, which no gradient passes",
        ("gradients",),
        (DRAWN, "    return torch.distributions.Normal(mu, torch.exp(0.5 * log_var)).sample()\n"),
    ),
    wrong(
        "codes",
        "sign",
        "a minus in the exponent",
        ("distribution",),
        ("torch.exp(0.5 * log_var)", "torch.exp(-0.5 * log_var)"),
    ),
    wrong(
        "codes",
        "quarter",
        "half of a half in the exponent",
        ("distribution",),
        ("torch.exp(0.5 * log_var)", "torch.exp(0.25 * log_var)"),
    ),
    wrong(
        "codes",
        "mean-decoded",
        "draws codes, and decodes the mean",
        ("fresh",),
        (FORWARD, f"{ENCODE}        return self.decode(mu), mu, log_var, z\n"),
    ),
    wrong(
        "codes",
        "one-head",
        "mean and log-variance come out of the same layer",
        ("distribution",),
        (FEATURES, "        return self.mu(features), self.mu(features)\n"),
    ),
    wrong(
        "codes",
        "normal-without-gradient",
        "torch.normal, which no gradient passes",
        ("gradients",),
        (DRAWN, "    return torch.normal(mu, torch.exp(0.5 * log_var))\n"),
    ),
)

CONDITIONED = (
    wrong(
        "cvae",
        "encoder-alone",
        "the class goes to the encoder alone",
        ("condition",),
        (CLASS_FORWARD, "        return self.decode(torch.cat([z, 0 * z], dim=1)), mu, log_var, z\n"),
        (
            "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), y\n",
            "        return self.decode(torch.cat([z, 0 * z], dim=1)), y\n",
        ),
        also=("generate_class",),
    ),
    wrong(
        "cvae",
        "forward-without-class",
        "the class is decoded in generate, but not in forward",
        ("condition",),
        (CLASS_FORWARD, "        return self.decode(torch.cat([z, 0 * z], dim=1)), mu, log_var, z\n"),
    ),
    wrong(
        "cvae",
        "skip",
        "adds the image to what is decoded",
        ("skips",),
        (
            CLASS_FORWARD,
            CLASS_FORWARD.replace("self.decode", "x.sigmoid() / 2 + self.decode").replace("dim=1))", "dim=1)) / 2"),
        ),
    ),
    wrong(
        "cvae",
        "same-for-all",
        "embeds the number of classes in place of the class",
        ("condition",),
        (CLASS_FORWARD, "        return self.decode(torch.cat([z, self.label_code(0 * y)], dim=1)), mu, log_var, z\n"),
    ),
    wrong(
        "cvae",
        "linear-decoder",
        "one interpolation in place of three up-sampling layers",
        ("architecture",),
        (
            "        self.decode = Decoder(latent_dim + latent_dim)\n",
            "        self.decode = nn.Sequential(\n"
            "            nn.Linear(2 * latent_dim, 3 * 64), nn.Unflatten(1, (3, 8, 8)),\n"
            "            nn.Upsample(scale_factor=4), nn.Sigmoid()\n"
            "        )\n",
        ),
    ),
    wrong(
        "cvae",
        "logits",
        "takes the sigmoid back from the reconstruction",
        ("range",),
        (CLASS_FORWARD, CLASS_FORWARD.replace("dim=1)), mu", "dim=1)).logit(1e-6), mu")),
    ),
    wrong(
        "cvae",
        "parity",
        "the classes are told apart by whether they are even",
        ("condition",),
        (CLASS_FORWARD, CLASS_FORWARD.replace("self.label_code(y)", "self.label_code(y % 2)")),
    ),
    wrong(
        "cvae",
        "first-class",
        "all images of a batch are decoded for the class of the first one",
        ("condition",),
        (CLASS_FORWARD, CLASS_FORWARD.replace("self.label_code(y)", "self.label_code(y[:1]).expand(len(y), -1)")),
    ),
)

LOSS = (
    wrong(
        "losses",
        "swapped-bce",
        "the image as the prediction of the reconstruction",
        ("bce", "joint"),
        ("bce_criterion(xg, x)", "bce_criterion(x, xg)"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "plus-ssim",
        "adds the similarity instead of what lacks to 1",
        ("joint",),
        ("1 - ssim_criterion(xg, x)", "ssim_criterion(xg, x)"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "minus-ssim",
        "the similarity with a minus and no 1",
        ("ssim",),
        ("1 - ssim_criterion(xg, x)", "-ssim_criterion(xg, x)"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "window",
        "a window of 7",
        ("ssim", "joint"),
        ("SSIM(window_size=11)", "SSIM(window_size=7)"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "sum-of-squares",
        "a sum of squares",
        ("mse", "joint"),
        ("nn.MSELoss()", 'nn.MSELoss(reduction="sum")'),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "sum-per-image",
        "sums the cross-entropy of an image",
        ("bce", "joint"),
        (LOSSES, LOSSES.replace("bce_criterion(xg, x)", "bce_criterion(xg, x) * x[0].numel()")),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "root",
        "the root of the mean squared error",
        ("mse", "joint"),
        ("l2_criterion(xg, x)", "l2_criterion(xg, x).sqrt()"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "absolute",
        "absolute in place of squared errors",
        ("mse", "joint"),
        ("nn.MSELoss()", "nn.L1Loss()"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "logits",
        "a cross-entropy that takes its own sigmoid",
        ("bce", "joint"),
        ("nn.BCELoss()", "nn.BCEWithLogitsLoss()"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "without-bce",
        "leaves out the cross-entropy",
        ("joint",),
        (SUM, "    loss = l2 + ssim + kl\n"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "without-ssim",
        "leaves out SSIM",
        ("joint",),
        (SUM, "    loss = l2 + bce + kl\n"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "without-mse",
        "leaves out the mean squared error",
        ("joint",),
        (SUM, "    loss = bce + ssim + kl\n"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "weighted",
        "weighs the losses",
        ("joint",),
        (SUM, "    loss = l2 + 0.5 * bce + 0.5 * ssim + kl\n"),
        also=("train_step",),
    ),
    wrong(
        "losses",
        "no-gradient-of-ssim",
        "computes SSIM without a graph",
        ("joint",),
        ("1 - ssim_criterion(xg, x)", "1 - ssim_criterion(xg.detach(), x)"),
    ),
    wrong(
        "losses",
        "order",
        "returns them in another order",
        ("mse", "bce"),
        (RETURN, "    return loss.item(), bce.item(), l2.item(), ssim.item(), kl.item()\n"),
    ),
)

TRAINING = (
    wrong("train_step", "no-zero-grad", "gradients pile up", ("gradients",), ("    optimizer.zero_grad()\n", "")),
    wrong(
        "train_step",
        "step-first",
        "steps before the gradients are there",
        ("gradients",),
        (STEP, "    optimizer.zero_grad()\n    optimizer.step()\n    loss.backward()\n"),
    ),
    wrong(
        "train_step",
        "zero-after-backward",
        "clears the gradients before they are used",
        ("gradients",),
        (STEP, "    loss.backward()\n    optimizer.zero_grad()\n    optimizer.step()\n"),
    ),
    wrong("train_step", "no-step", "never steps", ("update",), ("    optimizer.step()\n", "")),
    wrong(
        "train_step",
        "two-steps",
        "steps twice",
        ("update",),
        ("    optimizer.step()\n", "    optimizer.step()\n    optimizer.step()\n"),
    ),
    wrong(
        "train_step",
        "half",
        "the optimizer knows the encoder alone",
        ("update",),
        ("optim.Adam(net.parameters()", "optim.Adam(net.encode.parameters()"),
    ),
    wrong(
        "train_step",
        "no-divergence",
        "leaves out the divergence",
        ("divergence", "scalar"),
        (SUM, "    loss = l2 + bce + ssim\n"),
    ),
    wrong(
        "train_step",
        "minus-divergence",
        "subtracts the divergence",
        ("divergence",),
        (SUM, "    loss = l2 + bce + ssim - kl\n"),
    ),
    wrong(
        "train_step",
        "fixed-scalar",
        "a divergence of its own, which annealing does not reach",
        ("scalar",),
        (KL, "    kl = KLDivLoss(1.0)(mu, log_var)\n"),
    ),
    wrong(
        "train_step",
        "sigma",
        "hands over the standard deviation",
        ("divergence",),
        (KL, "    kl = KLDiv_criterion(mu, torch.exp(0.5 * log_var))\n"),
    ),
    wrong(
        "train_step",
        "swapped",
        "hands over mean and log-variance the wrong way round",
        ("divergence",),
        (KL, "    kl = KLDiv_criterion(log_var, mu)\n"),
    ),
    wrong(
        "train_step",
        "codes",
        "hands over the codes in place of the mean",
        ("divergence",),
        ("    xg, mu, log_var, _ = net(x, y)\n", "    xg, _, log_var, mu = net(x, y)\n"),
    ),
    wrong(
        "train_step",
        "graph",
        "returns the losses with their graphs",
        ("numbers",),
        (RETURN, "    return loss, l2, bce, ssim, kl\n"),
    ),
    wrong(
        "train_step",
        "evaluation",
        "trains in evaluation mode",
        ("gradients",),
        ("    net.train()\n", "    net.eval()\n"),
    ),
    wrong(
        "train_step",
        "average-of-all",
        "returns the loss divided by the batch",
        ("returned",),
        (RETURN, RETURN.replace("loss.item()", "loss.item() / len(x)")),
    ),
    wrong(
        "train_step",
        "reconstruction-alone",
        "returns the reconstruction loss as the total",
        ("returned",),
        (RETURN, RETURN.replace("loss.item()", "(l2 + bce + ssim).item()")),
    ),
    wrong(
        "train_step",
        "average-of-codes",
        "a divergence of its own, averaged over the values of a code",
        ("scalar",),
        ("divergence = 0.5 * torch.sum(", "divergence = 0.5 * torch.mean("),
    ),
    wrong(
        "train_step",
        "wrong-axis",
        "a divergence of its own, summed over the batch and averaged over the values of a code",
        ("scalar",),
        ("log_var - 1, dim=1)", "log_var - 1, dim=0)"),
    ),
    wrong(
        "train_step",
        "scaled-twice",
        "multiplies by the scalar once more",
        ("scalar",),
        (KL, "    kl = KLDiv_criterion.lambd * KLDiv_criterion(mu, log_var)\n"),
    ),
    wrong(
        "train_step",
        "scaled-down",
        "a hundredth of the divergence is minimized",
        ("scalar",),
        (SUM, "    loss = l2 + bce + ssim + 0.01 * kl\n"),
    ),
)

ANNEALING = (
    wrong(
        "annealing",
        "constant",
        "1 in all epochs",
        ("start", "small"),
        (ANNEALED, "    return 1.0\n"),
        ("        return 0.0\n", "        return 1.0\n"),
        ("        return 0.0001\n", "        return 1.0\n"),
    ),
    wrong(
        "annealing",
        "no-small",
        "linear from 0 to 1",
        ("small",),
        (
            "    if epoch <= warm:\n        return 0.0\n    if epoch <= warm + small:\n        return 0.0001\n"
            + ANNEALED,
            "    return (epoch - 1) / (num_epochs - 1)\n",
        ),
    ),
    wrong(
        "annealing",
        "stops-short",
        "ends at a half",
        ("end",),
        (ANNEALED, "    return 0.0001 * 5000 ** ((epoch - warm - small) / (num_epochs - warm - small))\n"),
    ),
    wrong("annealing", "jump", "from 0.0001 to 1 at once", ("gradual",), (ANNEALED, "    return 1.0\n")),
    wrong(
        "annealing",
        "cycle",
        "rises and falls",
        ("gradual",),
        (ANNEALED, "    return 1.0 if epoch == num_epochs else 0.0001 + 0.1 * (epoch % 5)\n"),
    ),
    wrong(
        "annealing",
        "starts-small",
        "0.0001 in the first epoch",
        ("start",),
        ("        return 0.0\n", "        return 0.0001\n"),
    ),
)

BYTES_AGAIN = (
    wrong("denormalize", "floats", "no whole numbers", ("type",), (BYTES, "    return images * 255\n")),
    wrong(
        "denormalize",
        "too-early",
        "cuts off before it multiplies",
        ("values",),
        (BYTES, "    return images.astype(np.uint8) * 255\n"),
    ),
    wrong(
        "denormalize",
        "times-256",
        "256 levels from 0 to 256",
        ("values",),
        (BYTES, "    return (images * 256).astype(np.uint8)\n"),
    ),
    wrong(
        "denormalize",
        "stretched",
        "stretches from -1 to 1",
        ("values",),
        (BYTES, "    return ((images * 0.5 + 0.5) * 255).astype(np.uint8)\n"),
    ),
    wrong(
        "denormalize",
        "channels-first",
        "leaves the channels where they are",
        ("layout",),
        (CHANNELS_LAST, "x.detach().cpu().numpy()"),
    ),
    wrong(
        "denormalize",
        "reshaped",
        "reshapes instead of moving the channels",
        ("values",),
        (CHANNELS_LAST, "x.detach().cpu().reshape(len(x), x.shape[2], x.shape[3], 3).numpy()"),
    ),
    wrong(
        "denormalize",
        "in-place",
        "changes the images in place",
        ("unchanged",),
        ("    images = x.detach()", "    x.detach().mul_(255).div_(256)\n    images = (x * 256 / 255).detach()"),
    ),
    wrong(
        "denormalize", "graph", "fails on what comes from the network", ("unchanged",), ("x.detach().cpu()", "x.cpu()")
    ),
    wrong(
        "denormalize",
        "tensor",
        "returns a tensor",
        ("type",),
        (BYTES, "    return torch.from_numpy(np.rint(images * 255).astype(np.uint8))\n"),
    ),
    wrong(
        "denormalize",
        "up-to-254",
        "white becomes 254",
        ("values",),
        ("* 255", "* 254"),
    ),
    wrong(
        "denormalize",
        "by-range",
        "stretches what is there to all levels",
        ("values",),
        (
            BYTES,
            "    low, high = images.min(), images.max()\n"
            "    return np.rint((images - low) / (high - low) * 255).astype(np.uint8)\n",
        ),
    ),
)

GENERATED = (
    wrong("generate", "uniform", "uniform codes", ("gaussian",), (CODES, CODES.replace("torch.randn", "torch.rand"))),
    wrong("generate", "narrow", "codes near the mean alone", ("gaussian",), (CODES, CODES.rstrip("\n") + " * 0.5\n")),
    wrong(
        "generate",
        "one",
        "the same code for all images",
        ("fresh",),
        ("        return self.decode(z), None\n", "        return self.decode(z[:1].expand_as(z)), None\n"),
    ),
    wrong("generate", "fixed-number", "always 64 images", ("shape",), (CODES, CODES.replace("n_samples", "64"))),
    wrong(
        "generate",
        "seeded",
        "the same images in every call",
        ("fresh",),
        (CODES, "        torch.manual_seed(1)\n" + CODES),
    ),
    wrong(
        "generate",
        "codes-alone",
        "returns the codes",
        ("shape",),
        ("        return self.decode(z), None\n", "        return z, None\n"),
    ),
)

GENERATED_BY_CLASS = (
    wrong(
        "generate_class",
        "ignores-labels",
        "always picks labels of its own",
        ("labels", "condition"),
        (LABELS, "        y = torch.randint(self.num_classes, (n_samples,), device=where)\n"),
    ),
    wrong(
        "generate_class",
        "one-class",
        "one class for all images",
        ("labels",),
        (
            "torch.randint(self.num_classes, (n_samples,), device=where) if",
            "torch.randint(self.num_classes, (1,), device=where).expand(n_samples) if",
        ),
    ),
    wrong("generate_class", "no-labels", "returns no labels", ("labels",), ("dim=1)), y\n", "dim=1)), None\n")),
    wrong(
        "generate_class",
        "uniform",
        "uniform codes",
        ("gaussian",),
        (CLASS_CODES, CLASS_CODES.replace("torch.randn", "torch.rand")),
    ),
    wrong(
        "generate_class",
        "without-class",
        "decodes no class",
        ("condition",),
        (
            "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), y\n",
            "        return self.decode(torch.cat([z, 0 * z], dim=1)), y\n",
        ),
    ),
    wrong(
        "generate_class",
        "few-classes",
        "picks from two classes",
        ("labels",),
        ("torch.randint(self.num_classes, (n_samples,)", "torch.randint(2, (n_samples,)"),
    ),
    wrong(
        "generate_class",
        "same-codes",
        "one code for all images",
        ("fresh",),
        (CLASS_CODES, CLASS_CODES.rstrip("\n") + "[:1].expand(n_samples, -1)\n"),
    ),
    wrong(
        "generate_class",
        "nine-classes",
        "never picks the last class",
        ("labels",),
        (LABELS, LABELS.replace("randint(self.num_classes,", "randint(self.num_classes - 1,")),
    ),
    wrong(
        "generate_class",
        "first-class",
        "all images are of the class of the first one",
        ("condition",),
        (
            CLASS_CODES + "        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), y\n",
            CLASS_CODES
            + "        return self.decode(torch.cat([z, self.label_code(y[:1]).expand(len(y), -1)], dim=1)), y\n",
        ),
    ),
)

MUTANTS = (
    *ARCHITECTURE,
    *CODES_DRAWN,
    *CONDITIONED,
    *LOSS,
    *TRAINING,
    *ANNEALING,
    *BYTES_AGAIN,
    *GENERATED,
    *GENERATED_BY_CLASS,
)
