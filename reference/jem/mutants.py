"""Wrong solutions of handout B, C1, C2 and C5: what a tired student writes at 3 a.m. The rest is in step_mutants.py.

Nearly every mutant is the reference's own class with a line or two swapped, so that the mistake is all there is to
read. The old lines are looked up in that class alone, because the blocks share most of theirs.
"""

import ast
from pathlib import Path

from graders.model import Mutant

SOLUTION = Path(__file__).with_name("solution.py").read_text(encoding="utf-8")
DEFINITIONS = {
    node.name: ast.get_source_segment(SOLUTION, node) or ""
    for node in ast.parse(SOLUTION).body
    if isinstance(node, ast.ClassDef)
}
CLASSES = {"C1": "ResBlock", "C2": "WRN", "C5": "ResBlockRE"}


def wrong(item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str]) -> Mutant:
    """Return the mutant of an item's class in which every old text, found exactly once, gives way to its new one."""
    definition = DEFINITIONS[CLASSES[item]]
    for old, new in swaps:
        if definition.count(old) != 1:
            raise ValueError(f"{item} {name}: {definition.count(old)} times in {CLASSES[item]}: {old!r}")
        definition = definition.replace(old, new)
    return Mutant(f"{item}-{name}", item, mistake, loses, replaces={CLASSES[item]: definition})


# Lines of the reference that many mutants swap.
ACT1 = "self.act1 = keras.layers.LeakyReLU()"
ACT2 = "self.act2 = keras.layers.LeakyReLU()"
CONV1 = 'self.conv1 = keras.layers.Conv2D(out_channels, 3, padding="same")'
CONV2 = 'self.conv2 = keras.layers.Conv2D(out_channels, 3, strides=strides, padding="same")'
CONDITION = "if downsampling or in_channels != out_channels:"
SKIP = "self.skip = keras.layers.Conv2D(out_channels, 1, strides=strides, use_bias=False)"
FIRST = "f = self.conv1(self.act1(x))"
SECOND = "f = self.conv2(self.act2(f))"
RETURN = "return f + (x if self.skip is None else self.skip(x))"

INPUT = 'keras.layers.Conv2D(16, 3, padding="same")'
DOWN_128 = "ResBlock(64, 128, downsampling=True)"
BLOCK_64 = "ResBlock(64, 64)"
BLOCK_256 = "ResBlock(256, 256)"
LAST_ACT = "                keras.layers.LeakyReLU(),\n"
POOL = "keras.layers.GlobalAveragePooling2D()"
DENSE = "keras.layers.Dense(num_classes)"
CALL = "return self.stack(x)"

DROPOUT = "keras.layers.Dropout(0.3)"
DROP = "self.dropout(f, training=training)"
METHOD = 'method = "dropout"'
BATCH_NORM = (METHOD, 'method = "batch norm"')

# C1: the block --------------------------------------------------------------------------------------------------------

BLOCK = (
    wrong(
        "C1",
        "strides-first",
        "downsamples in the first convolution: shapes and counts are the same",
        ("downsampling",),
        (CONV1, CONV1.replace("3, ", "3, strides=strides, ")),
        (CONV2, CONV2.replace("strides=strides, ", "")),
    ),
    wrong(
        "C1",
        "strides-twice",
        "downsamples in both convolutions and pools the skip connection to fit",
        ("shape", "downsampling"),
        (CONV1, CONV1.replace("3, ", "3, strides=strides, ")),
        (SKIP, SKIP.replace("strides=strides", "strides=strides**2")),
    ),
    wrong(
        "C1",
        "pools",
        "downsamples by pooling instead of strides",
        ("downsampling",),
        (CONV2, CONV2.replace("strides=strides, ", "")),
        ("# (B, H', W', out_channels)", "\n        f = f if self.stride == 1 else tf.nn.avg_pool2d(f, 2, 2, 'SAME')"),
        ("strides = 2 if", "self.stride = strides = 2 if"),
    ),
    wrong(
        "C1",
        "relu",
        "takes ReLU",
        ("activation",),
        (ACT1, "self.act1 = keras.layers.ReLU()"),
        (ACT2, "self.act2 = keras.layers.ReLU()"),
    ),
    wrong(
        "C1",
        "torch-slope",
        "takes the slope that PyTorch has by default",
        ("activation",),
        (ACT1, "self.act1 = keras.layers.LeakyReLU(0.01)"),
        (ACT2, "self.act2 = keras.layers.LeakyReLU(0.01)"),
    ),
    wrong(
        "C1",
        "elu",
        "takes ELU",
        ("values", "activation"),
        (ACT1, "self.act1 = keras.layers.ELU()"),
        (ACT2, "self.act2 = keras.layers.ELU()"),
    ),
    wrong(
        "C1",
        "activation-after",
        "puts each activation after its convolution",
        ("values",),
        (FIRST, "f = self.act1(self.conv1(x))"),
        (SECOND, "f = self.act2(self.conv2(f))"),
    ),
    wrong("C1", "one-activation", "forgets the second activation", ("values",), (SECOND, "f = self.conv2(f)")),
    wrong("C1", "no-first-activation", "forgets the first activation", ("values",), (FIRST, "f = self.conv1(x)")),
    wrong(
        "C1",
        "activation-last",
        "applies another activation to the sum, as the original ResNet",
        ("values",),
        (RETURN, "return self.act2(f + (x if self.skip is None else self.skip(x)))"),
    ),
    wrong(
        "C1",
        "activated-skip",
        "overwrites the input by its activation, which the skip connection then takes",
        ("values",),
        (FIRST, "x = self.act1(x)\n        f = self.conv1(x)"),
    ),
    wrong(
        "C1",
        "batch-norm",
        "normalises, as the original model did",
        ("parameters", "values"),
        (ACT1, f"{ACT1}\n        self.norm = keras.layers.BatchNormalization()"),
        (FIRST, "f = self.norm(self.conv1(self.act1(x)))"),
    ),
    wrong(
        "C1",
        "dropout",
        "drops out, which is asked for later",
        ("values",),
        (ACT1, f"{ACT1}\n        self.dropout = keras.layers.Dropout(0.3)"),
        (FIRST, "f = self.dropout(self.conv1(self.act1(x)))"),
    ),
    wrong("C1", "skip-bias", "leaves the bias in the skip connection", ("parameters",), (SKIP, SKIP[:-18] + ")")),
    wrong(
        "C1",
        "skip-always-convolves",
        "convolves in the skip connection where it should be the identity",
        ("skip",),
        (CONDITION, "if True:"),
    ),
    wrong(
        "C1",
        "skip-by-channels",
        "compares channels alone, so that a block that halves the size cannot add its input",
        ("skip",),
        (CONDITION, "if in_channels != out_channels:"),
    ),
    wrong(
        "C1",
        "skip-by-downsampling",
        "looks at downsampling alone, so that more channels cannot be added",
        ("shape", "parameters"),
        (CONDITION, "if downsampling:"),
    ),
    wrong(
        "C1",
        "skip-without-strides",
        "forgets the strides in the skip connection",
        ("shape", "downsampling"),
        (SKIP, SKIP.replace("strides=strides, ", "")),
    ),
    wrong(
        "C1",
        "skip-3x3",
        "takes 3x3 filters in the skip connection",
        ("parameters",),
        (SKIP, SKIP.replace("1, strides=strides", '3, strides=strides, padding="same"')),
    ),
    wrong("C1", "no-skip", "forgets the skip connection", ("values", "skip"), (RETURN, "return f")),
    wrong(
        "C1",
        "skip-subtracted",
        "subtracts the skip connection",
        ("values", "skip"),
        (RETURN, RETURN.replace("f + ", "f - ")),
    ),
    wrong(
        "C1",
        "skip-stopped",
        "stops the gradient in the skip connection",
        ("gradients",),
        (RETURN, "return f + tf.stop_gradient(x if self.skip is None else self.skip(x))"),
    ),
    wrong("C1", "kernel-1", "takes a 1x1 filter first", ("parameters", "values"), (CONV1, CONV1.replace("3, ", "1, "))),
    wrong("C1", "kernel-5", "takes 5x5 filters", ("parameters", "values"), (CONV2, CONV2.replace("3, ", "5, "))),
    wrong(
        "C1",
        "valid",
        "forgets the padding and crops the input to fit",
        ("shape", "values"),
        (CONV1, CONV1.replace(', padding="same"', "")),
        (RETURN, "x = x[:, 1:-1, 1:-1]\n        return f + (x if self.skip is None else self.skip(x))"),
    ),
    wrong(
        "C1",
        "channels-late",
        "changes the number of channels in the second convolution only",
        ("parameters", "values"),
        (CONV1, CONV1.replace("out_channels", "in_channels")),
    ),
    wrong(
        "C1",
        "no-bias",
        "takes the biases from the convolutions too",
        ("parameters",),
        (CONV1, CONV1[:-1] + ", use_bias=False)"),
    ),
    wrong("C1", "one-convolution", "uses the first convolution only", ("values",), (SECOND, "f = self.act2(f)")),
    wrong(
        "C1",
        "halves-by-default",
        "downsamples unless told otherwise",
        ("shape",),
        ("downsampling=False", "downsampling=True"),
    ),
    wrong(
        "C1", "ignores-downsampling", "never downsamples", ("shape", "downsampling"), ("2 if downsampling else 1", "1")
    ),
)

# C2: the network ------------------------------------------------------------------------------------------------------

NETWORK = (
    wrong(
        "C2",
        "softmax",
        "ends in a softmax",
        ("values", "logits"),
        (DENSE, 'keras.layers.Dense(num_classes, activation="softmax")'),
    ),
    wrong(
        "C2",
        "sigmoid",
        "ends in a sigmoid",
        ("values", "logits"),
        (DENSE, 'keras.layers.Dense(num_classes, activation="sigmoid")'),
    ),
    wrong(
        "C2",
        "log-softmax",
        "returns logarithms of probabilities",
        ("values", "logits"),
        (CALL, "return tf.nn.log_softmax(self.stack(x))"),
    ),
    wrong(
        "C2",
        "dense-relu",
        "clips the logits at zero",
        ("values",),
        (DENSE, 'keras.layers.Dense(num_classes, activation="relu")'),
    ),
    wrong("C2", "flatten", "flattens instead of pooling", ("parameters", "size"), (POOL, "keras.layers.Flatten()")),
    wrong(
        "C2", "max-pool", "takes the maximum of each channel", ("values",), (POOL, "keras.layers.GlobalMaxPooling2D()")
    ),
    wrong(
        "C2",
        "pools-in-part",
        "pools 2x2 windows and flattens the rest",
        ("parameters", "size"),
        (POOL, "keras.layers.AveragePooling2D(2),\n                keras.layers.Flatten()"),
    ),
    wrong(
        "C2",
        "input-bias",
        "leaves out the bias of the first convolution",
        ("parameters",),
        (INPUT, INPUT[:-1] + ", use_bias=False)"),
    ),
    wrong(
        "C2",
        "input-activated",
        "activates the first convolution",
        ("values",),
        (INPUT, INPUT[:-1] + ', activation="leaky_relu")'),
    ),
    wrong("C2", "no-last-activation", "forgets the last LeakyReLU", ("values",), (LAST_ACT, "")),
    wrong("C2", "last-relu", "takes ReLU at last", ("values",), (LAST_ACT, "                keras.layers.ReLU(),\n")),
    wrong(
        "C2",
        "last-after-pool",
        "activates after pooling",
        ("values",),
        (LAST_ACT, ""),
        (POOL, f"{POOL},\n                keras.layers.LeakyReLU()"),
    ),
    wrong(
        "C2",
        "block-more",
        "has three blocks in the first stage",
        ("parameters",),
        (BLOCK_64, f"{BLOCK_64},\n                {BLOCK_64}"),
    ),
    wrong(
        "C2", "block-less", "has one block in the last stage", ("parameters",), (f"                {BLOCK_256},\n", "")
    ),
    wrong(
        "C2",
        "shared-block",
        "uses the same block twice: the count is right",
        ("values",),
        ("        self.stack =", "        block = ResBlock(64, 64)\n        self.stack ="),
        (f"                {BLOCK_64},\n", "                block,\n                block,\n"),
    ),
    wrong(
        "C2",
        "downsampling-late",
        "downsamples in the second block of a stage",
        ("parameters",),
        (DOWN_128, "ResBlock(64, 128)"),
        ("ResBlock(128, 128)", "ResBlock(128, 128, downsampling=True)"),
    ),
    wrong(
        "C2",
        "downsampling-early",
        "downsamples in the first stage too: the counts are the same",
        ("values",),
        ("ResBlock(16, 64)", "ResBlock(16, 64, downsampling=True)"),
    ),
    wrong(
        "C2",
        "no-downsampling",
        "downsamples in one stage only: the counts are the same",
        ("values",),
        (DOWN_128, "ResBlock(64, 128)"),
    ),
    wrong(
        "C2",
        "wrn-16-2",
        "is only twice as wide as the original",
        ("parameters",),
        ("ResBlock(16, 64)", "ResBlock(16, 32)"),
        (BLOCK_64, "ResBlock(32, 32)"),
        (DOWN_128, "ResBlock(32, 128, downsampling=True)"),
    ),
    wrong(
        "C2",
        "batch-norm",
        "normalises before pooling",
        ("parameters", "values"),
        (LAST_ACT, f"                keras.layers.BatchNormalization(),\n{LAST_ACT}"),
    ),
    wrong(
        "C2",
        "dropout",
        "drops out before the dense layer",
        ("values",),
        (DENSE, f"keras.layers.Dropout(0.5),\n                {DENSE}"),
    ),
    wrong(
        "C2",
        "hidden-dense",
        "puts a hidden layer before the logits",
        ("parameters",),
        (DENSE, f"keras.layers.Dense(64),\n                {DENSE}"),
    ),
    wrong("C2", "ten-classes", "ignores the number of classes", ("shape",), (DENSE, "keras.layers.Dense(10)")),
    wrong("C2", "rescales", "divides the images by 255 once more", ("values",), (CALL, "return self.stack(x / 255.0)")),
    wrong(
        "C2",
        "argmax",
        "returns the class instead of the logits",
        ("shape", "values", "gradients"),
        (CALL, "return tf.argmax(self.stack(x), axis=-1)"),
    ),
    wrong(
        "C2",
        "frozen-input",
        "freezes the first convolution",
        ("parameters",),
        (INPUT, INPUT[:-1] + ", trainable=False)"),
    ),
)

# C5: the block with a regularisation ----------------------------------------------------------------------------------

REGULARISED = (
    wrong("C5", "renamed", "only renames the block", ("regularised",), (METHOD, "method = None")),
    wrong(
        "C5",
        "never-called",
        "makes the dropout layer and does not call it",
        ("regularised",),
        ("f = f if self.dropout is None else self.dropout(f, training=training)\n", "pass\n"),
    ),
    wrong(
        "C5",
        "not-in-training",
        "tells dropout that it is never training",
        ("regularised",),
        (DROP, "self.dropout(f, training=False)"),
    ),
    wrong("C5", "rate-0", "drops nothing", ("regularised",), (DROPOUT, "keras.layers.Dropout(0.0)")),
    wrong(
        "C5", "always-drops", "drops out in evaluation too", ("evaluation",), (DROP, "self.dropout(f, training=True)")
    ),
    wrong(
        "C5",
        "function-always-drops",
        "takes the function, which knows of no training",
        ("evaluation",),
        (DROP, "tf.nn.dropout(f, 0.3)"),
    ),
    wrong(
        "C5",
        "always-batch",
        "normalises by the batch in evaluation too",
        ("evaluation",),
        BATCH_NORM,
        ("self.norm1(x, training=training)", "self.norm1(x, training=True)"),
    ),
    wrong(
        "C5",
        "never-batch",
        "normalises by statistics that no training has moved",
        ("regularised",),
        BATCH_NORM,
        ("self.norm1(x, training=training)", "self.norm1(x, training=False)"),
        ("self.norm2(f, training=training)", "self.norm2(f, training=False)"),
    ),
    wrong(
        "C5",
        "own-batch",
        "normalises by hand, by the batch in evaluation too",
        ("evaluation",),
        (DROP, "(f - tf.reduce_mean(f, [0, 1, 2])) / (tf.math.reduce_std(f, [0, 1, 2]) + 1e-3)"),
    ),
    wrong(
        "C5",
        "drops-sum",
        "drops out the sum, skip connection and all",
        ("skip",),
        (RETURN, "return self.dropout(f + (x if self.skip is None else self.skip(x)), training=training)"),
    ),
    wrong(
        "C5",
        "drops-input",
        "drops out the input of both branches",
        ("skip",),
        ("f = x if self.norm1", "x = self.dropout(x, training=training)\n        f = x if self.norm1"),
    ),
    wrong("C5", "no-skip", "loses the skip connection", ("block", "skip"), (RETURN, "return f")),
    wrong(
        "C5",
        "one-convolution",
        "leaves out the second convolution",
        ("block",),
        ("f = self.conv2(self.act2(f))", "f = self.act2(f)"),
    ),
    wrong(
        "C5",
        "strides-first",
        "downsamples in the first convolution",
        ("block",),
        (CONV1, CONV1.replace("3, ", "3, strides=strides, ")),
        (CONV2, CONV2.replace("strides=strides, ", "")),
    ),
    wrong("C5", "no-downsampling", "never downsamples", ("shape", "block"), ("2 if downsampling else 1", "1")),
    wrong(
        "C5",
        "activation-after",
        "moves the activations behind the convolutions",
        ("block",),
        ("f = self.conv1(self.act1(f))", "f = self.act1(self.conv1(f))"),
    ),
    wrong(
        "C5",
        "l2-of-nothing",
        "adds a loss that does not depend on the weights",
        ("regularised",),
        (METHOD, "method = None"),
        (RETURN, f"self.add_loss(0.01)\n        {RETURN}"),
    ),
)

MUTANTS: tuple[Mutant, ...] = (*BLOCK, *NETWORK, *REGULARISED)
