"""Trains the networks of the reference on the horses of CIFAR-10, and prints the log of each (Sections 4.2, 5.2, 6.2).

A script for a process of its own, because it imports PyTorch. The data are x_train, y_train, x_test and y_test of
CIFAR-10 in one file of NumPy, uint8, (N, 32, 32, 3) and (N,). Curves and coloured images are written beside the log.
"""

import argparse
import ast
from pathlib import Path
from types import SimpleNamespace

SOLUTION = Path(__file__).with_name("solution.py")
NETWORKS = ("PoolUpsampleNet", "ConvTransposeNet", "UNet")


def definitions():
    """Return the names that the reference's imports, classes, functions and constants define; nothing is trained."""
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    tree = ast.parse(SOLUTION.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, kinds) or _is_constant(node)]
    namespace = {"__name__": "reference"}
    exec(compile(tree, str(SOLUTION), "exec"), namespace)
    return namespace


def _is_constant(node):
    return isinstance(node, ast.Assign) and all(isinstance(one, ast.Name) and one.id.isupper() for one in node.targets)


def main():
    """Read the command line and train each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the images, a file of NumPy")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--out", type=Path, required=True, help="the folder for curves and images")
    wanted = parser.parse_args()
    names = definitions()
    names["plt"].switch_backend("agg")
    for network in wanted.networks:
        cnn = names[network](3, 32, 24, 1)
        print(f"{network}: {sum(one.numel() for one in cnn.parameters())} parameters", flush=True)
        settings = SimpleNamespace(
            data=wanted.data,
            seed=wanted.seed,
            model=network,
            kernel=3,
            num_filters=32,
            num_colours=24,
            learn_rate=0.001,
            batch_size=100,
            epochs=wanted.epochs,
            plot=True,
            experiment_name=str(wanted.out / network),
        )
        names["train"](settings)


if __name__ == "__main__":
    main()
