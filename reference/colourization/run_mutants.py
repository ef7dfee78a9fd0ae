"""Wrong solutions of handout C, 4.2, 5.2 and 6.2: mistakes that show when the whole notebook runs.

Every mutant is the reference's text with some lines swapped. `also` are the items that the same mistake costs.
"""

from graders.model import Mutant

FIRST = 'train(SimpleNamespace(model="PoolUpsampleNet", experiment_name="pool_upsample", **settings))'
SECOND = 'train(SimpleNamespace(model="ConvTransposeNet", experiment_name="conv_transpose", **settings))'
THIRD = 'train(SimpleNamespace(model="UNet", experiment_name="unet", **settings))'
ADAM = "torch.optim.Adam(cnn.parameters(), lr=args.learn_rate)"
BACKWARD = "            loss.backward()\n"
BATCHES = "            optimizer.zero_grad()\n"
LABELS = "    valid_inputs, valid_labels = get_grey(valid_images), get_rgb_cat(valid_images, colours)\n"
ALL = ("4.2", "5.2", "6.2")


def wrong(
    item: str, name: str, mistake: str, loses: str, *swaps: tuple[str, str], also: tuple[str, ...] = ()
) -> Mutant:
    """Return a mutant; `loses` are the names of criteria, separated by blanks."""
    return Mutant(f"{item}-{name}", item, mistake, tuple(loses.split()), swaps, also=also)


def with_other(call: str, **settings: object) -> tuple[str, str]:
    """Return the swap that trains with other settings."""
    changed = ", ".join(f'"{name}": {value!r}' for name, value in settings.items())
    return call, call.replace("**settings", f"**{{**settings, {changed}}}")


MUTANTS = (
    wrong(
        "4.2",
        "run-not-trained",
        "the network is built and never trained",
        "log falling images",
        (FIRST, "PoolUpsampleNet(3, 32, 24, 1)"),
    ),
    wrong("4.2", "run-no-images", "nothing is drawn below the training", "images", with_other(FIRST, plot=False)),
    wrong(
        "4.2",
        "run-last-layer",
        "the optimizer has the weights of the last layer alone",
        "falling",
        (ADAM, ADAM.replace("cnn", "cnn.last")),
        also=("5.2", "6.2"),
    ),
    wrong(
        "4.2",
        "run-evaluation-mode",
        "the network stays in evaluation mode while it is trained",
        "log",
        ("        cnn.train()\n", "        cnn.eval()\n"),
        also=("5.2", "6.2"),
    ),
    wrong("5.2", "run-ten-epochs", "10 epochs", "epochs", with_other(SECOND, epochs=10)),
    wrong("5.2", "run-batches-of-50", "batches of 50", "epochs", with_other(SECOND, batch_size=50)),
    wrong("5.2", "run-no-curve", "no curve is drawn", "curve", with_other(SECOND, plot=False)),
    wrong(
        "5.2",
        "run-validation-in-training-mode",
        "batch norm learns from the images for validation",
        "log",
        ("    cnn.eval()\n", "    cnn.train()\n"),
        also=("4.2", "6.2"),
    ),
    wrong(
        "5.2",
        "run-trains-on-validation",
        "the images for validation are among those that it is trained on",
        "log",
        (
            LABELS,
            LABELS
            + "    inputs = np.concatenate([inputs, valid_inputs])\n"
            + "    labels = np.concatenate([labels, valid_labels])\n",
        ),
        also=("4.2", "6.2"),
    ),
    wrong(
        "6.2", "run-other-network", "the network of Section 5 once more", "log falling epochs curve", (THIRD, SECOND)
    ),
    wrong("6.2", "run-kernel-5", "a kernel of 5", "epochs", with_other(THIRD, kernel=5)),
    wrong(
        "6.2", "run-uphill", "the loss is made larger", "falling", (ADAM, ADAM[:-1] + ", maximize=True)"), also=ALL[:2]
    ),
    wrong(
        "6.2",
        "run-negative",
        "the sign of the loss is turned round",
        "log",
        (BACKWARD, "            (-loss).backward()\n"),
        also=ALL[:2],
    ),
    wrong("6.2", "run-rate", "a rate that lets the loss rise", "falling", with_other(THIRD, learn_rate=1e6)),
    wrong(
        "6.2",
        "run-no-step",
        "the gradients are never applied",
        "log falling epochs curve",
        ("            optimizer.step()\n", ""),
        also=ALL[:2],
    ),
)
