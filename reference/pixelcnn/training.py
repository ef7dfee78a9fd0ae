"""Trains the model of the reference and writes its weights, as the course did for `pixel_cnn_e5.h5` (Section 4.3).

A script for a process of its own, because it imports TensorFlow; `graders weights pixelcnn` runs it. It prints one JSON
document a line: `{"epoch": 1, "loss": 0.4, "seconds": 12.3}`, at last `{"before": 0.69, "after": 0.3}`: the test loss.
"""

import argparse
import ast
import json
import time
from pathlib import Path

SOLUTION = Path(__file__).with_name("solution.py")
BATCH_SIZE = 32


def definitions():
    """Return the names that the reference's imports, classes and functions define; its training is not run."""
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    tree = ast.parse(SOLUTION.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, kinds)]
    namespace = {"__name__": "reference"}
    exec(compile(tree, str(SOLUTION), "exec"), namespace)
    return namespace


def build(names, n_resnet, n_filters, n_block, n_output):
    """Return the model of Section 4.2.4: the backbone, a 1x1 convolution, a sigmoid."""
    keras = names["keras"]
    inputs = keras.Input(shape=(32, 32, 1))
    features = names["AutoregressiveModel"](n_resnet, n_filters, n_block, n_output)(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(features))


def train(names, model, wanted):
    """Train as in Section 4.5 on the images in data/train, and print the loss of every epoch and that of data/test."""
    data = read(names, wanted.data / "train", wanted.limit)
    # The moving averages become the weights. After few steps the handout's would still be the initial weights.
    momentum = min(0.9995, max(0.0, 1 - 3 / (wanted.epochs * len(data))))
    optimizer = names["keras"].optimizers.Adam(
        wanted.learning_rate, beta_1=0.95, beta_2=0.9995, epsilon=1e-6, use_ema=True, ema_momentum=momentum
    )
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    test = read(names, wanted.data / "test", wanted.limit)
    before = model.evaluate(test, verbose=0) if len(test) else None
    begin = time.monotonic()

    def tell(epoch, logs):
        tell_line(epoch=epoch + 1, loss=logs["loss"], seconds=round(time.monotonic() - begin, 1))

    model.fit(
        data, epochs=wanted.epochs, verbose=0, callbacks=[names["keras"].callbacks.LambdaCallback(on_epoch_end=tell)]
    )
    if len(test):
        tell_line(before=before, after=model.evaluate(test, verbose=0))


def read(names, folder, limit):
    """Return the data set of C1 on the first `limit` images of a folder."""
    data = names["CalligraphyDataset"](str(folder), BATCH_SIZE)
    data.image_paths = data.image_paths[:limit]
    return data


def tell_line(**values):
    """Print one line of JSON."""
    print(json.dumps(values), flush=True)


def write_weights(model, path):
    """Write the weights of a model in the layout of Keras 2, which `load_weights("*.h5")` of Keras 2 and 3 reads.

    A group for each layer that has weights, with its weights in the order in which they were created.
    """
    import h5py

    layers = [layer for layer in model.layers if layer.weights]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "2.11.0"
        for layer in layers:
            group = file.create_group(layer.name)
            weights = {f"{weight.path}:0": weight.numpy() for weight in layer.trainable_weights}
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, values in weights.items():
                group.create_dataset(name, data=values)


def main():
    """Read the command line, train, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("n-resnet", 6), ("n-filters", 64), ("n-block", 6), ("n-output", 10), ("epochs", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--data", type=Path, required=True, help="a folder with the folders train/ and test/ in it")
    parser.add_argument("--learning-rate", type=float, default=0.0001)
    parser.add_argument("--limit", type=int, help="how many of the images; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    wanted = parser.parse_args()
    names = definitions()
    names["keras"].utils.set_random_seed(wanted.seed)
    model = build(names, wanted.n_resnet, wanted.n_filters, wanted.n_block, wanted.n_output)
    train(names, model, wanted)
    write_weights(model, wanted.out)


if __name__ == "__main__":
    main()
