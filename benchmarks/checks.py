"""The five checks of the torch notebook in plain Python: for the peers, and for the floor, which runs nothing else.

The sizes are fixed here; `graders` draws its own and compares with a reference.
"""

from __future__ import annotations

import textwrap

# item -> name of the module, how it is built, the shape of its input, the shape of its output, its parameters
CHECKS: dict[str, tuple[str, str, tuple[int, ...], tuple[int, ...], int]] = {
    "L1": ("LinearClassifier", "12, 5", (2, 1, 3, 4), (2, 5), 65),
    "L2": ("Perceptron", "6, 9, 4", (2, 6), (2, 4), 103),
    "L3": ("ConvBlock", "3, 5", (2, 3, 6, 8), (2, 5, 6, 8), 390),
    "L4": ("DownUp", "3, 5", (2, 3, 6, 8), (2, 5, 6, 8), 140),
    "L5": ("Autoencoder", "10, 6, 2", (3, 10), (3, 10), 168),
}


def shape_check(item: str) -> str:
    """Return the statements that check the shape of an item's output."""
    name, sizes, given, expected, _ = CHECKS[item]
    return f"module = {name}({sizes}).eval()\nassert tuple(module(torch.ones({given})).shape) == {expected}"


def parameter_check(item: str) -> str:
    """Return the statement that checks the number of an item's parameters."""
    name, sizes, _, _, number = CHECKS[item]
    return f"assert sum(p.numel() for p in {name}({sizes}).parameters() if p.requires_grad) == {number}"


def otter_test(item: str) -> str:
    """Return a test file of otter-grader with the two checks of an item, hidden from students."""
    name = CHECKS[item][0]
    parts = [
        f"@test_case(points=1, hidden=True)\ndef test_{what}({name}, torch):\n{textwrap.indent(statements, '    ')}"
        for what, statements in (("shape", shape_check(item)), ("parameters", parameter_check(item)))
    ]
    head = f'from otter.test_files import test_case\n\nOK_FORMAT = False\nname = "{item}"\npoints = 2'
    return "\n\n\n".join([head, *parts]) + "\n"


def nbgrader_test(item: str) -> str:
    """Return the source of a test cell of nbgrader with the two checks of an item, hidden from students."""
    checks = f"{shape_check(item)}\n{parameter_check(item)}"
    return f"# {item}\n### BEGIN HIDDEN TESTS\n{checks}\n### END HIDDEN TESTS"
