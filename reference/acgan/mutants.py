"""Wrong solutions of handout E, Part 2: what students get wrong about two networks, two heads and two optimizers."""

from graders.model import Mutant


def wrong(item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str]) -> Mutant:
    """Return the mutant in which each old text of the reference gives way to its new one."""
    return Mutant(f"{item}-{name}", item, mistake, loses, swaps)


CODE = "code = torch.cat([z, self.embed(y)], dim=1)  # (N, latent_dim) and (N, latent_dim) -> (N, 2 * latent_dim)"
DECODED = "return self.decode(features)  # (N, out_channels, 32, 32)"
UP = "convolution = nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False)"
LAYERS = """            *up(512, 256),  # (N, 256, 8, 8)
            *up(256, 128),  # (N, 128, 16, 16)
            *up(128, 64),  # (N, 64, 32, 32)
"""
SIGMOID = "            nn.Sigmoid(),\n"

GENERATOR = (
    wrong(
        "generator",
        "label-ignored",
        "the label is embedded and never used",
        ("labels",),
        (CODE, "self.embed(y)\n        code = torch.cat([z, z], dim=1)"),
    ),
    wrong(
        "generator",
        "label-times-zero",
        "the label comes in with nothing left of it",
        ("labels",),
        (CODE, "code = torch.cat([z, 0 * self.embed(y)], dim=1)"),
    ),
    wrong(
        "generator",
        "first-label",
        "all images of a batch are of the first one's class",
        ("labels",),
        (CODE, "code = torch.cat([z, self.embed(y[:1]).expand_as(z)], dim=1)"),
    ),
    wrong(
        "generator",
        "five-classes",
        "two classes each share a code",
        ("labels",),
        (CODE, "code = torch.cat([z, self.embed(y // 2)], dim=1)"),
    ),
    wrong(
        "generator",
        "vectors-ignored",
        "the latent vector is not used",
        ("vectors", "gradients"),
        (CODE, "code = torch.cat([0 * z, self.embed(y)], dim=1)"),
    ),
    wrong(
        "generator",
        "no-sigmoid",
        "the image comes out of a convolution",
        ("range",),
        (SIGMOID, ""),
    ),
    wrong(
        "generator",
        "relu-output",
        "the image comes out of a ReLU, which has no upper end",
        ("range",),
        (SIGMOID, "            nn.ReLU(),\n"),
    ),
    wrong(
        "generator",
        "wide-tanh",
        "images are those of bytes, 0 to 255",
        ("range",),
        (DECODED, "return 255 * self.decode(features)"),
    ),
    wrong(
        "generator",
        "grey",
        "images have one channel",
        ("shape",),
        (DECODED, "return self.decode(features).mean(dim=1, keepdim=True)"),
    ),
    wrong(
        "generator",
        "size-16",
        "images are half as large",
        ("shape",),
        ("            *up(128, 64),  # (N, 64, 32, 32)\n", "            nn.Conv2d(128, 64, 1),\n"),
    ),
    wrong(
        "generator",
        "channels-last",
        "images are turned as matplotlib needs them",
        ("shape",),
        (DECODED, "return self.decode(features).permute(0, 2, 3, 1)"),
    ),
    wrong(
        "generator",
        "one-upsampling",
        "one layer enlarges the image eightfold",
        ("upsampling",),
        (LAYERS, "            nn.Upsample(scale_factor=8),\n            nn.Conv2d(512, 64, 1),\n"),
    ),
    wrong(
        "generator",
        "linear",
        "a linear layer makes the whole image",
        ("upsampling",),
        (LAYERS, ""),
        (
            "self.expand = nn.Linear(2 * latent_dim, 512 * 4 * 4)",
            "self.expand = nn.Linear(2 * latent_dim, 64 * 32 * 32)",
        ),
        ("            nn.BatchNorm2d(512),\n", "            nn.BatchNorm2d(64),\n"),
        (
            "features = self.expand(code).view(-1, 512, 4, 4)  # (N, 512, 4, 4)",
            "features = self.expand(code).view(-1, 64, 32, 32)",
        ),
    ),
    wrong(
        "generator",
        "cut-off",
        "the features are cut off from their graph",
        ("gradients",),
        (DECODED, "return self.decode(features.detach())"),
    ),
    wrong(
        "generator",
        "without-gradients",
        "images are generated without a graph",
        ("gradients",),
        (DECODED, "with torch.no_grad():\n            return self.decode(features)"),
    ),
    wrong(
        "generator",
        "up-without-effect",
        "a linear layer makes the whole image; what is enlarged is thrown away",
        ("upsampling",),
        (
            DECODED,
            "self.decode(features)\n        return torch.sigmoid(features[:, :192].reshape(-1, 3, 32, 32))",
        ),
    ),
)

HEADS = "return self.adversarial(features), self.auxiliary(features)  # (N, 1), (N, num_classes)"
FEATURES = "features = self.features(x)  # (N, 512 * 4 * 4)"
AUXILIARY = "self.auxiliary = nn.Linear(512 * 4 * 4, num_classes)"

DISCRIMINATOR = (
    wrong(
        "discriminator",
        "swapped",
        "the class scores come first",
        ("heads",),
        (HEADS, "return self.auxiliary(features), self.adversarial(features)"),
    ),
    wrong(
        "discriminator",
        "one-head",
        "there is no auxiliary classifier",
        ("heads",),
        (HEADS, "return self.adversarial(features)"),
    ),
    wrong(
        "discriminator",
        "eleven-classes",
        "fake is a class of its own",
        ("heads",),
        (AUXILIARY, "self.auxiliary = nn.Linear(512 * 4 * 4, num_classes + 1)"),
    ),
    wrong(
        "discriminator",
        "score-per-patch",
        "there are sixteen scores for every image",
        ("heads",),
        ("self.adversarial = nn.Linear(512 * 4 * 4, 1)", "self.adversarial = nn.Linear(512 * 4 * 4, 16)"),
    ),
    wrong(
        "discriminator",
        "one-score",
        "one score for the whole batch",
        ("heads",),
        (HEADS, "return self.adversarial(features).mean(dim=0, keepdim=True), self.auxiliary(features)"),
    ),
    wrong(
        "discriminator",
        "class-itself",
        "the class is returned, not its scores",
        ("heads", "gradients"),
        (HEADS, "return self.adversarial(features), self.auxiliary(features).argmax(dim=1)"),
    ),
    wrong(
        "discriminator",
        "one-hot-class",
        "class scores are zeros and a one",
        ("gradients",),
        (
            HEADS,
            "classes = self.auxiliary(features).argmax(dim=1)\n"
            "        return self.adversarial(features), nn.functional.one_hot(classes, 10).float()",
        ),
    ),
    wrong(
        "discriminator",
        "softmax-over-batch",
        "the score is a softmax of a single number",
        ("score", "gradients"),
        (HEADS, "return torch.softmax(self.adversarial(features), dim=1), self.auxiliary(features)"),
    ),
    wrong(
        "discriminator",
        "classes-cut-off",
        "the auxiliary classifier learns on features that do not learn",
        ("shared", "gradients"),
        (HEADS, "return self.adversarial(features), self.auxiliary(features.detach())"),
    ),
    wrong(
        "discriminator",
        "score-cut-off",
        "the score is cut off from the features",
        ("shared", "gradients"),
        (HEADS, "return self.adversarial(features.detach()), self.auxiliary(features)"),
    ),
    wrong(
        "discriminator",
        "two-networks",
        "two networks side by side",
        ("shared",),
        (
            AUXILIARY,
            "self.auxiliary = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 256, 10))",
        ),
        (HEADS, "return self.adversarial(features), self.auxiliary(x)"),
    ),
    wrong(
        "discriminator",
        "classes-of-nothing",
        "the class scores are weights that no image reaches",
        ("classes",),
        (HEADS, "return self.adversarial(features), self.auxiliary(torch.zeros_like(features))"),
    ),
    wrong(
        "discriminator",
        "blind-score",
        "the score sees no image",
        ("score",),
        (HEADS, "return self.adversarial(0 * features), self.auxiliary(features)"),
    ),
    wrong(
        "discriminator",
        "average-score",
        "the score is a single number, the average of the batch",
        ("heads",),
        (HEADS, "return self.adversarial(features).mean(), self.auxiliary(features)"),
    ),
    wrong(
        "discriminator",
        "classes-of-the-score",
        "the class scores are made of the discrimination score",
        ("shared",),
        (AUXILIARY, "self.auxiliary = nn.Linear(1, num_classes)"),
        (HEADS, "score = self.adversarial(features)\n        return score, self.auxiliary(score)"),
    ),
)

Z = "z = torch.randn(x.size(0), latent_dim, device=device)  # (N, latent_dim)"
REAL_LOSS = "real_loss = adversarial_criterion(real_score, torch.ones_like(real_score))"
FAKE_LOSS = "fake_loss = adversarial_criterion(fake_score, torch.zeros_like(fake_score))"
LOSS_D = "loss_d = (real_loss + fake_loss) / 2 + auxiliary_criterion(real_class, y)"
LOSS_G = "loss_g = adversarial_criterion(fake_score, torch.ones_like(fake_score)) + auxiliary_criterion(fake_class, y)"
DETACHED = "fake_score, _ = discriminator(fake.detach())"
BACK_D = "    loss_d.backward()\n    optimizer_d.step()\n"
BACK_G = "    loss_g.backward()\n    optimizer_g.step()\n"
ZERO_D, ZERO_G = "    optimizer_d.zero_grad()\n", "    optimizer_g.zero_grad()\n"
RETURNED = "return loss_g.item(), loss_d.item(), acc_d.item()"

STEP = (
    wrong(
        "train_step",
        "real-as-fake",
        "real images have the target of fake ones",
        ("real",),
        (REAL_LOSS, REAL_LOSS.replace("ones", "zeros")),
    ),
    wrong(
        "train_step",
        "fake-as-real",
        "generated images have the target of real ones",
        ("fake",),
        (FAKE_LOSS, FAKE_LOSS.replace("zeros", "ones")),
    ),
    wrong(
        "train_step",
        "undecided",
        "the targets of real and fake images are the same half",
        ("real", "fake"),
        (REAL_LOSS, "real_loss = adversarial_criterion(real_score, torch.full_like(real_score, 0.5))"),
        (FAKE_LOSS, "fake_loss = adversarial_criterion(fake_score, torch.full_like(fake_score, 0.5))"),
    ),
    wrong(
        "train_step",
        "no-real",
        "the discriminator learns nothing of real images",
        ("real",),
        (LOSS_D, "loss_d = fake_loss + auxiliary_criterion(real_class, y)"),
    ),
    wrong(
        "train_step",
        "no-fake",
        "the discriminator learns nothing of fake images",
        ("fake",),
        (LOSS_D, "loss_d = real_loss + auxiliary_criterion(real_class, y)"),
    ),
    wrong(
        "train_step",
        "real-twice",
        "real images are shown in place of generated ones, too",
        ("fake",),
        (DETACHED, "fake_score, _ = discriminator(x)"),
    ),
    wrong(
        "train_step",
        "no-classes",
        "the auxiliary classifier is not trained",
        ("classes",),
        (LOSS_D, "loss_d = (real_loss + fake_loss) / 2"),
    ),
    wrong(
        "train_step",
        "shifted-labels",
        "labels do not belong to the images",
        ("classes",),
        (LOSS_D, LOSS_D.replace("real_class, y)", "real_class, y.roll(1))")),
    ),
    wrong(
        "train_step",
        "softmax-twice",
        "a softmax stands before a loss that has one",
        ("classes",),
        (LOSS_D, LOSS_D.replace("real_class, y)", "real_class.softmax(dim=1), y)")),
    ),
    wrong(
        "train_step",
        "mixed-classes-of-fakes",
        "the classifier learns the labels of generated images, mixed up, as well",
        ("classes",),
        (DETACHED, "fake_score, fake_class = discriminator(fake.detach())"),
        (LOSS_D, f"{LOSS_D} + auxiliary_criterion(fake_class, y.roll(1))"),
    ),
    wrong(
        "train_step",
        "classes-of-fakes-alone",
        "the classifier learns on generated images only",
        ("classes",),
        (DETACHED, "fake_score, fake_class = discriminator(fake.detach())"),
        (LOSS_D, LOSS_D.replace("real_class, y)", "fake_class, y)")),
    ),
    wrong(
        "train_step",
        "nll-of-logits",
        "the negative log-likelihood is that of raw scores",
        ("classes", "generator_classes"),
        ("auxiliary_criterion = nn.CrossEntropyLoss()", "auxiliary_criterion = nn.NLLLoss()"),
    ),
    wrong(
        "train_step",
        "sigmoid-twice",
        "a sigmoid stands before a loss that has one",
        ("real", "fake"),
        (
            "    real_loss = adv",
            "    real_score, fake_score = torch.sigmoid(real_score), torch.sigmoid(fake_score)\n    real_loss = adv",
        ),
    ),
    wrong(
        "train_step",
        "sigmoid-in-the-network",
        "the discriminator ends with a sigmoid, which the loss does once more",
        ("real", "fake", "generator"),
        (HEADS, "return torch.sigmoid(self.adversarial(features)), self.auxiliary(features)"),
    ),
    wrong(
        "train_step",
        "softmax-in-the-network",
        "the discriminator ends with a softmax, which the loss does once more",
        ("classes", "generator_classes"),
        (HEADS, "return self.adversarial(features), torch.softmax(self.auxiliary(features), dim=1)"),
    ),
    wrong(
        "train_step",
        "no-sigmoid",
        "the loss wants probabilities and gets logits",
        ("real", "fake", "generator"),
        ("adversarial_criterion = nn.BCEWithLogitsLoss()", "adversarial_criterion = nn.BCELoss()"),
    ),
    wrong(
        "train_step",
        "generator-loses",
        "the generator's images have the target of fake ones",
        ("generator",),
        (LOSS_G, LOSS_G.replace("ones", "zeros")),
    ),
    wrong(
        "train_step",
        "no-generator-score",
        "the generator does not learn to pass",
        ("generator",),
        (LOSS_G, "loss_g = auxiliary_criterion(fake_class, y)"),
    ),
    wrong(
        "train_step",
        "no-generator-classes",
        "the generator does not learn of the classes",
        ("generator_classes",),
        (LOSS_G, LOSS_G.replace(" + auxiliary_criterion(fake_class, y)", "")),
    ),
    wrong(
        "train_step",
        "other-labels-for-the-generator",
        "the generator's classes are others than those that it was told",
        ("generator_classes",),
        (LOSS_G, LOSS_G.replace("fake_class, y)", "fake_class, y.flip(0))")),
    ),
    wrong(
        "train_step",
        "generator-cut-off",
        "the generator's images are cut off in its own update",
        ("updates",),
        ("fake_score, fake_class = discriminator(fake)", "fake_score, fake_class = discriminator(fake.detach())"),
    ),
    wrong(
        "train_step",
        "generator-never",
        "the generator is not updated",
        ("updates",),
        (BACK_G, "    loss_g.backward()\n"),
    ),
    wrong(
        "train_step",
        "discriminator-never",
        "the discriminator is not updated",
        ("updates",),
        (BACK_D, "    loss_d.backward()\n"),
    ),
    wrong(
        "train_step",
        "two-of-one",
        "both optimizers have the generator's weights",
        ("updates",),
        ("torch.optim.Adam(discriminator.parameters()", "torch.optim.Adam(generator.parameters()"),
    ),
    wrong(
        "train_step",
        "all-weights",
        "the generator's optimizer has the discriminator's weights, too",
        ("updates",),
        (
            "torch.optim.Adam(generator.parameters(), ",
            "torch.optim.Adam([*generator.parameters(), *discriminator.parameters()], ",
        ),
    ),
    wrong(
        "train_step", "discriminator-stale", "the discriminator's gradients are never zeroed", ("fresh",), (ZERO_D, "")
    ),
    wrong(
        "train_step",
        "generator-stale",
        "the generator's gradients are never zeroed",
        ("fresh",),
        (ZERO_G, ""),
        (DETACHED, "fake_score, _ = discriminator(fake)"),
        (BACK_D, "    loss_d.backward(retain_graph=True)\n    optimizer_d.step()\n    fake = generator(z, y)\n"),
    ),
    wrong(
        "train_step",
        "zeroed-too-early",
        "both are zeroed before either, and the discriminator comes last",
        ("fresh",),
        (BACK_D, ""),
        (ZERO_G, ""),
        (ZERO_D, ZERO_D + ZERO_G),
        (BACK_G, BACK_G + BACK_D),
    ),
    wrong(
        "train_step",
        "zeroed-between",
        "the gradients of the real images are thrown away",
        ("fresh",),
        (
            BACK_D,
            "    (loss_d - fake_loss / 2).backward()\n    optimizer_d.zero_grad()\n"
            "    (fake_loss / 2).backward()\n    optimizer_d.step()\n",
        ),
    ),
    wrong(
        "train_step",
        "uniform-noise",
        "latent vectors are drawn evenly between 0 and 1",
        ("noise",),
        (Z, Z.replace("randn", "rand")),
    ),
    wrong(
        "train_step",
        "narrow-noise",
        "latent vectors have a standard deviation of 0.5",
        ("noise",),
        (Z, Z.replace("torch.randn", "0.5 * torch.randn")),
    ),
    wrong("train_step", "signs-for-noise", "latent vectors are signs", ("noise",), (Z, f"{Z}\n    z = z.sign()")),
    wrong(
        "train_step",
        "whole-batches",
        "the number of images is that of a whole batch",
        ("batch",),
        (Z, Z.replace("x.size(0)", "batch_size")),
    ),
    wrong(
        "train_step",
        "whole-targets",
        "the targets are those of a whole batch",
        ("batch",),
        (REAL_LOSS, "real_loss = adversarial_criterion(real_score, torch.ones(batch_size, 1, device=device))"),
    ),
    wrong(
        "train_step",
        "no-accuracy",
        "two losses are returned",
        ("returned",),
        (RETURNED, "return loss_g.item(), loss_d.item()"),
    ),
    wrong("train_step", "nothing-returned", "nothing is returned", ("returned",), (RETURNED, "return None")),
    wrong(
        "train_step",
        "accuracy-of-nothing",
        "the accuracy is that of other labels",
        ("returned",),
        (
            "acc_d = (real_class.argmax(dim=1) == y).float().mean()",
            "acc_d = (real_class.argmin(dim=1) == y).float().mean() / 3 + 0.013",
        ),
    ),
    wrong(
        "train_step",
        "infinite",
        "a loss that is returned is no number",
        ("returned",),
        (RETURNED, "return float('nan'), float('nan'), acc_d.item()"),
    ),
    wrong(
        "train_step",
        "logarithm-over-the-batch",
        "the logarithm of a softmax over the images of a batch",
        ("classes", "generator_classes"),
        (HEADS, "return self.adversarial(features), self.auxiliary(features).log_softmax(dim=0)"),
        ("auxiliary_criterion = nn.CrossEntropyLoss()", "auxiliary_criterion = nn.NLLLoss()"),
    ),
    wrong(
        "train_step",
        "discriminator-once-more",
        "the discriminator is updated by the generator's loss, too",
        ("fresh",),
        (BACK_G, BACK_G + "    optimizer_d.step()\n"),
    ),
    wrong(
        "train_step",
        "seeded-noise",
        "a seed makes the latent vectors the same in every step",
        ("noise",),
        (Z, f"torch.manual_seed(328)\n    {Z}"),
    ),
    wrong(
        "train_step",
        "one-vector",
        "one latent vector for all images of a batch",
        ("noise",),
        (Z, "z = torch.randn(1, latent_dim, device=device).expand(x.size(0), -1)"),
    ),
    wrong(
        "train_step",
        "one-loss-twice",
        "the generator's loss is returned as the discriminator's",
        ("returned",),
        (RETURNED, "return loss_g.item(), loss_g.item(), acc_d.item()"),
    ),
    wrong(
        "train_step",
        "numbers-alone",
        "returns numbers and trains nothing",
        ("real", "fake", "classes", "generator", "updates"),
        (
            "    x, y = x.to(device), y.to(device)\n",
            "    return 0.9, 1.3, 0.5\n    x, y = x.to(device), y.to(device)\n",
        ),
    ),
    wrong(
        "train_step",
        "part-of-the-generator",
        "the generator's optimizer lacks the layers of the labels",
        ("updates",),
        (
            "optimizer_g = torch.optim.Adam(generator.parameters()",
            "optimizer_g = torch.optim.Adam(generator.decode.parameters()",
        ),
    ),
    wrong(
        "train_step",
        "half-told",
        "the accuracy is always a half",
        ("returned",),
        (RETURNED, "return loss_g.item(), loss_d.item(), 0.5"),
    ),
)

SCALED = "x = (x.detach().cpu() * 255).round().clamp(0, 255)  # (N, 3, H, W)"
TURNED = "return x.permute(0, 2, 3, 1).numpy().astype(np.uint8)  # (N, H, W, 3)"

DENORMALIZE = (
    wrong(
        "denormalize",
        "factor-128",
        "multiplies by half of the range",
        ("values",),
        (SCALED, SCALED.replace("* 255", "* 128")),
    ),
    wrong(
        "denormalize",
        "factor-256",
        "1 becomes 256, which a byte shows as 0",
        ("values",),
        (SCALED, "x = (x.detach().cpu() * 256).round()"),
    ),
    wrong(
        "denormalize",
        "bytes-first",
        "cuts off before it multiplies",
        ("values",),
        (SCALED, "x = x.detach().cpu().floor() * 255"),
    ),
    wrong(
        "denormalize",
        "stretched",
        "stretches the grey levels that are there to the whole range",
        ("values",),
        (SCALED, "x = x.detach().cpu()\n    x = ((x - x.min()) / (x.max() - x.min()) * 255).round()"),
    ),
    wrong(
        "denormalize",
        "statistics",
        "takes back a normalisation that was not done",
        ("values",),
        (SCALED, "x = ((x.detach().cpu() * 0.25 + 0.45) * 255).round()"),
    ),
    wrong("denormalize", "not-multiplied", "stays between 0 and 1", ("values",), (SCALED, "x = x.detach().cpu()")),
    wrong(
        "denormalize",
        "floats",
        "returns floating-point numbers",
        ("type",),
        (TURNED, "return x.permute(0, 2, 3, 1).numpy()"),
    ),
    wrong(
        "denormalize",
        "wide-integers",
        "returns integers of 64 bits",
        ("type",),
        (TURNED, TURNED.replace("np.uint8", "np.int64")),
    ),
    wrong(
        "denormalize", "tensor", "returns a tensor", ("type",), (TURNED, "return x.permute(0, 2, 3, 1).to(torch.uint8)")
    ),
    wrong(
        "denormalize",
        "mirrored",
        "height and width change places",
        ("shape",),
        (TURNED, TURNED.replace("(0, 2, 3, 1)", "(0, 3, 2, 1)")),
    ),
    wrong(
        "denormalize",
        "one-row",
        "returns the pixels in one row",
        ("shape",),
        (TURNED, "return x.reshape(len(x), -1).numpy().astype(np.uint8)"),
    ),
    wrong(
        "denormalize",
        "reshaped",
        "reshapes where it should turn",
        ("values",),
        (TURNED, "return x.reshape(x.size(0), x.size(2), x.size(3), 3).numpy().astype(np.uint8)"),
    ),
    wrong(
        "denormalize",
        "in-place",
        "writes into the images that it is given",
        ("unchanged",),
        (SCALED, "x = x.detach().mul_(255).round()"),
    ),
    wrong("denormalize", "up-to-254", "white becomes 254", ("values",), ("* 255", "* 254")),
)

SAMPLED = "random_z = torch.randn(20, latent_dim, device=device)"

SAMPLES = (
    wrong(
        "samples", "uniform", "drawn evenly between 0 and 1", ("normal",), (SAMPLED, SAMPLED.replace("randn", "rand"))
    ),
    wrong(
        "samples",
        "even",
        "drawn evenly, with the mean and deviation of a normal distribution",
        ("normal",),
        (SAMPLED, "random_z = (torch.rand(20, latent_dim, device=device) - 0.5) * 12**0.5"),
    ),
    wrong("samples", "zeros", "zeros", ("normal",), (SAMPLED, SAMPLED.replace("randn", "zeros"))),
    wrong(
        "samples",
        "wide",
        "a standard deviation of 2",
        ("normal",),
        (SAMPLED, SAMPLED.replace("torch.randn", "2 * torch.randn")),
    ),
    wrong("samples", "batch", "as many as a batch has", ("number",), (SAMPLED, SAMPLED.replace("20", "batch_size"))),
    wrong("samples", "ten", "one of each class", ("number",), (SAMPLED, SAMPLED.replace("20", "10"))),
    wrong(
        "samples",
        "one",
        "one latent vector, twenty times",
        ("normal",),
        (SAMPLED, "random_z = torch.randn(1, latent_dim, device=device).repeat(20, 1)"),
    ),
)

MUTANTS = (*GENERATOR, *DISCRIMINATOR, *STEP, *DENORMALIZE, *SAMPLES)
