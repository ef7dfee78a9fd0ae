"""Trains the model of the reference and writes its weights, as the course did for `pixel_cnn_e5.h5` (Section 4.3).

A script for a process of its own, because it imports TensorFlow; `graders weights pixelcnn` runs it. It prints one JSON
document a line: `{"epoch": 1, "loss": 0.4, "seconds": 12.3}`.
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
    """Return the model of Section 4.2.4: the backbone, a 1x1 convolution, a sigmoid; compiled as in Section 4.5."""
    keras = names["keras"]
    inputs = keras.Input(shape=(32, 32, 1))
    features = names["AutoregressiveModel"](n_resnet, n_filters, n_block, n_output)(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(features))
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate=0.0001, beta_1=0.95, beta_2=0.9995, epsilon=1e-6, use_ema=True, ema_momentum=0.9995
        ),
        loss="binary_crossentropy",
    )
    return model


def train(names, model, folder, epochs, limit):
    """Train on the images in folder/train, the first `limit` of them, and print the loss of every epoch."""
    data = names["CalligraphyDataset"](str(folder / "train"), BATCH_SIZE)
    data.image_paths = data.image_paths[:limit]
    begin = time.monotonic()

    def tell(epoch, logs):
        seconds = round(time.monotonic() - begin, 1)
        print(json.dumps({"epoch": epoch + 1, "loss": logs["loss"], "seconds": seconds}), flush=True)

    tell_epochs = names["keras"].callbacks.LambdaCallback(on_epoch_end=tell)
    model.fit(data, epochs=epochs, callbacks=[tell_epochs], verbose=0)


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
    parser.add_argument("--data", type=Path, help="a folder with the folder train/ in it; not needed for 0 epochs")
    parser.add_argument("--limit", type=int, help="how many of the images; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    wanted = parser.parse_args()
    names = definitions()
    names["keras"].utils.set_random_seed(wanted.seed)
    model = build(names, wanted.n_resnet, wanted.n_filters, wanted.n_block, wanted.n_output)
    if wanted.epochs:
        train(names, model, wanted.data, wanted.epochs, wanted.limit)
    write_weights(model, wanted.out)


if __name__ == "__main__":
    main()
