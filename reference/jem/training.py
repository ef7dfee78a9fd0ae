"""Trains the reference in both parts of the handout, small enough for a laptop, and prints how it goes.

A script for a process of its own, because it imports TensorFlow:

    python reference/jem/training.py --data FOLDER --width 1 --images 1000 --epochs-1 8 --epochs-2 3

FOLDER holds CIFAR-10 in a format that it is published in, or the images of `graders data draw jem`. The network is the
reference's with its channels divided by 4 and multiplied by the width: 4 is the handout's WRN-16-4. Sampling steps run
as a graph, in a third of the time; the code is the reference's all the same. It prints one JSON document a line:
`{"part": 1, "epoch": 1, "loss": 2.1, "accuracy": 0.2, "seconds": 12.3}`, in seconds of the processor's time since the
part began; of part 2 also the cross-entropy (`class_loss`), the gap between the energies of samples and of images,
which a broken training lets run away, and the share of the samples' values at 0 or 1.
"""

import argparse
import ast
import json
import time
from pathlib import Path

import numpy as np

SOLUTION = Path(__file__).with_name("solution.py")


def definitions():
    """Return the names that the reference's imports, classes and functions define; its training is not run."""
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    tree = ast.parse(SOLUTION.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, kinds)]
    namespace = {"__name__": "reference", "IMAGE_SHAPE": (32, 32, 3)}
    exec(compile(tree, str(SOLUTION), "exec"), namespace)
    return namespace


def build(names, width):
    """Return the model of Table 1 with 16 * width channels in its first stage, its variables made."""
    model = names["WRN"]() if width == 4 else small(names, int(16 * width))
    model(names["tf"].zeros((1, 32, 32, 3)))
    return model


def small(names, wide):
    """Return the model of Table 1 with `wide` channels in its first stage."""
    layers, block = names["keras"].layers, names["ResBlock"]
    model = names["keras"].Sequential(
        [
            layers.Conv2D(16, 3, padding="same"),
            block(16, wide),
            block(wide, wide),
            block(wide, 2 * wide, downsampling=True),
            block(2 * wide, 2 * wide),
            block(2 * wide, 4 * wide, downsampling=True),
            block(4 * wide, 4 * wide),
            layers.LeakyReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )
    model.num_classes = 10
    return model


def read(names, wanted):
    """Return the data sets of batches for training and for the test: images in [0, 1] and labels."""
    from graders.data import cifar10

    data = names["tf"].data.Dataset
    found = []
    for part, count in zip(cifar10.read(wanted.data), (wanted.images, wanted.test_images), strict=True):
        images, labels = part.images[:count].astype(np.float32) / 255.0, part.labels[:count].astype(np.int32)
        found.append((data.from_tensor_slices((images, labels)), len(labels)))
    (train, count), (test, _) = found
    return train.shuffle(count, seed=wanted.seed).batch(wanted.batch_size), test.batch(wanted.batch_size)


def train(names, wanted, part, data, test):
    """Train a new model in one part of the handout, and print the losses and the test accuracy of every epoch."""
    model = build(names, wanted.width)
    optimizer = names["keras"].optimizers.Adam(wanted.learning_rate if part == 1 else wanted.learning_rate_2)
    buffer = names["SampleBuffer"]((32, 32, 3), model.num_classes)
    begin = time.process_time()
    for epoch in range(1, (wanted.epochs_1 if part == 1 else wanted.epochs_2) + 1):
        more = (buffer,) if part == 2 else ()
        values = [names[f"part{part}_train_step"](optimizer, model, *batch, *more) for batch in data]
        means = {name: float(np.mean([value[name] for value in values])) for name in values[0]}
        state = stability(names, model, buffer, test) if part == 2 else {}
        accuracy = names["evaluate_accuracy"](model, test)
        tell_line(part=part, epoch=epoch, **means, accuracy=accuracy, **state, seconds=time.process_time() - begin)


def stability(names, model, buffer, test):
    """Return how far the energies of samples lie above those of test images, and how much of them is at its bounds."""
    samples, _ = buffer.sample_from_buffer(64, p_new=0)
    images = next(iter(test))[0]
    gap = np.mean(names["energy"](model, samples)) - np.mean(names["energy"](model, images))
    return {"energy_gap": float(gap), "at_bounds": float(np.mean(np.isin(samples, (0.0, 1.0))))}


def tell_line(**values):
    """Print one line of JSON, numbers to four digits."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
    print(json.dumps(rounded), flush=True)


def main():
    """Read the command line, train both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with CIFAR-10 in a published format")
    parser.add_argument("--width", type=float, default=1)
    sizes = (("images", 1000), ("test-images", 500), ("batch-size", 64), ("epochs-1", 8), ("epochs-2", 3))
    for name, value in (*sizes, ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of part 1; few images want large steps")
    parser.add_argument("--learning-rate-2", type=float, default=1e-4, help="of part 2: the handout's")
    wanted = parser.parse_args()
    names = definitions()
    names["keras"].utils.set_random_seed(wanted.seed)
    names["sampling_step"] = names["tf"].function(names["sampling_step"])
    data, test = read(names, wanted)
    for part in (1, 2):
        train(names, wanted, part, data, test)


if __name__ == "__main__":
    main()
