"""Wrong solutions of handout A: what a tired student writes at 3 a.m., and what a clever one writes for nothing.

Nearly every mutant is the reference's own class with a line or two swapped, so that the mistake is all there is to
read. The old lines are looked up in that class alone, because the two moved convolutions share most of theirs.
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
CLASSES = {
    "C1": "CalligraphyDataset",
    "C2": "CalligraphyDataset",
    "C3": "DownRightMovedConv2d",
    "C4": "DownMovedConv2d",
    "C5": "TensorDense",
    "C6": "GatedResnet",
    "C7": "AutoregressiveModel",
}


def wrong(
    item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str], also: tuple[str, ...] = ()
) -> Mutant:
    """Return the mutant of an item's class in which every old text, found exactly once, gives way to its new one."""
    definition = DEFINITIONS[CLASSES[item]]
    for old, new in swaps:
        if definition.count(old) != 1:
            raise ValueError(f"{item} {name}: {definition.count(old)} times in {CLASSES[item]}: {old!r}")
        definition = definition.replace(old, new)
    return Mutant(f"{item}-{name}", item, mistake, loses, replaces={CLASSES[item]: definition}, also=also)


def wrong_twice(name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str]) -> tuple[Mutant, Mutant]:
    """Return the same mistake made in DownRightMovedConv2d alone and in DownMovedConv2d alone."""
    return wrong("C3", name, mistake, loses, *swaps), wrong("C4", name, mistake, loses, *swaps)


# Lines of the reference that many mutants swap.
COUNT = "int(np.ceil(len(self.image_paths) / self.batch_size))"
PATHS = 'self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))'
BATCHES = "self.batches = [self.image_paths[i : i + batch_size] for i in range(0, len(self.image_paths), batch_size)]"
BATCH = "self.image_paths[start : start + self.batch_size]"
RESIZE = "gray.resize((32, 32), Image.BILINEAR)"
BINARIZE = "np.where(x < 0.33, 0.0, 1.0)"

SIZE = "[filter_size, filter_size] if isinstance(filter_size, int) else list(filter_size)"
STRIDES = "            strides,\n            padding,\n"
ACTIVATION = "            activation=activation,\n"
INITIALIZER = "            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),\n"
NORMAL = "RandomNormal(mean=0.0, stddev=0.05)"
DOWN_RIGHT_PAD = "tf.pad(inputs, [[0, 0], [height - 1, 0], [width - 1, 0], [0, 0]])"
CONVOLVE = "self.conv(padded)"

FLATTEN = "tf.reshape(inputs, [-1, channels])"
DENSE = "self.dense(pixels)"
UNFLATTEN = "[-1, height, width, self.num_units]"

FIRST = "hidden = self.nnLayer_1(self.nonlinearity(inputs))"
SECOND = "hidden = self.nnLayer_2(self.nonlinearity(hidden))"
SPLIT = "features, gate = tf.split(hidden, 2, axis=-1)"
GATED = "features * tf.sigmoid(gate)"

DOWN = "down_move(self.down_moved_conv2d(inputs))"
RIGHT = "right_move(self.down_right_moved_conv2d(inputs))"
LOOP = "        for _ in range(self.n_block * self.n_resnet):\n"
RESNETS = "self.ul_list_gated_resnet[start : start + self.n_resnet]"
RESNET = "x = resnet(x)"
BLOCK_DENSE = "x = self.ul_list_dense_layer[block](x)"
OUTPUT = "self.out_dense(tf.nn.elu(x))"


# C1: the constructor and the length of the data set -------------------------------------------------------------------

DATASET_LENGTH = (
    wrong("C1", "images", "counts images instead of batches", ("length",), (COUNT, "len(self.image_paths)")),
    wrong("C1", "batch-size", "returns the batch size", ("length",), (COUNT, "self.batch_size")),
    wrong(
        "C1",
        "precedence",
        "rounds up by hand and forgets the brackets",
        ("length",),
        (COUNT, "len(self.image_paths) + self.batch_size - 1 // self.batch_size"),
    ),
    wrong(
        "C1",
        "numpy-float",
        "rounds up but returns NumPy's float, which len() refuses",
        ("length",),
        (COUNT, "np.ceil(len(self.image_paths) / self.batch_size)"),
    ),
    wrong("C1", "no-len", "names the method length, so len() finds none", ("length",), ("def __len__", "def length")),
    wrong(
        "C1",
        "length-of-path",
        "takes the length of the directory's name",
        ("length",),
        (COUNT, "int(np.ceil(len(self.image_dir) / self.batch_size))"),
    ),
    wrong(
        "C1",
        "always-one-more",
        "adds a batch even when the images fill the last one",
        ("batches",),
        (COUNT, "len(self.image_paths) // self.batch_size + 1"),
    ),
    wrong(
        "C1",
        "always-one-less",
        "takes one off, as if the length were the last index",
        ("length", "batches"),
        (COUNT, "len(self.image_paths) // self.batch_size - 1"),
    ),
    wrong(
        "C1",
        "drops-full-batch",
        "drops the last batch even when it is full",
        ("batches",),
        (COUNT, "(len(self.image_paths) - 1) // self.batch_size"),
    ),
    wrong(
        "C1",
        "rounds",
        "rounds to the nearest number: a small last batch is dropped, a larger one kept",
        ("batches",),
        (COUNT, "round(len(self.image_paths) / self.batch_size)"),
    ),
    wrong(
        "C1",
        "handout-count",
        "returns the handout's 42,000 images in batches of 32, whatever the folder holds",
        ("length", "directory"),
        (COUNT, "42000 // 32"),
    ),
    wrong(
        "C1",
        "guesses-count",
        "looks at the name of the folder and answers with the handout's counts",
        ("length", "directory"),
        (COUNT, 'int(np.ceil((42000 if "train" in self.image_dir else 10500) / self.batch_size))'),
    ),
    wrong(
        "C1",
        "fixed-folder",
        "always reads the training folder of the handout",
        ("directory",),
        ("os.path.join(image_dir,", 'os.path.join("./pa2/train",'),
    ),
    wrong(
        "C1",
        "shared-list",
        "collects the paths in a list of the class, so that the second data set holds the first one's images too",
        ("length",),
        ("    def __init__(self, image_dir", "    image_paths = []\n\n    def __init__(self, image_dir"),
        (PATHS, PATHS.replace(" = ", " += ")),
        also=("C2",),
    ),
    wrong(
        "C1",
        "fixed-batch-size",
        "ignores the batch size and uses the handout's",
        ("length", "attributes"),
        ("self.batch_size = batch_size", "self.batch_size = 32"),
    ),
    wrong(
        "C1",
        "no-batch-size",
        "cuts the paths into batches at once and does not keep the batch size",
        ("attributes",),
        ("        self.batch_size = batch_size\n", ""),
        (PATHS, f"{PATHS}\n        {BATCHES}"),
        (COUNT, "len(self.batches)"),
        ("        start = idx * self.batch_size\n", ""),
        (BATCH, "self.batches[idx]"),
    ),
    wrong(
        "C1",
        "no-directory",
        "opens all images at once and keeps neither their directory nor their paths",
        ("attributes",),
        ("        self.image_dir = image_dir\n", ""),
        (PATHS, PATHS.replace("self.image_paths", "paths") + "\n        self.images = [self.read(p) for p in paths]"),
        (
            "    def __len__",
            '    def read(self, path):\n        return np.asarray(Image.open(path).convert("L"))\n\n    def __len__',
        ),
        (COUNT, "int(np.ceil(len(self.images) / self.batch_size))"),
        (f"for path in {BATCH}", "for image in self.images[start : start + self.batch_size]"),
        ('gray = Image.open(path).convert("L")', "gray = Image.fromarray(image)"),
    ),
)


# C2: a batch of images ------------------------------------------------------------------------------------------------

DATASET_BATCH = (
    wrong("C2", "half", "binarises at 0.5", ("binarize",), (BINARIZE, "np.where(x < 0.5, 0.0, 1.0)")),
    wrong(
        "C2",
        "reversed",
        "gives 1 to what is below the threshold",
        ("binarize",),
        (BINARIZE, "np.where(x < 0.33, 1.0, 0.0)"),
    ),
    wrong("C2", "not-binary", "forgets to binarise", ("binarize",), (BINARIZE, "x")),
    wrong("C2", "not-normalised", "compares intensities from 0 to 255 with 0.33", ("binarize",), (" / 255.0", "")),
    wrong("C2", "minus-one-to-one", "normalises to -1 to 1", ("binarize",), (" / 255.0", " / 127.5 - 1.0")),
    wrong("C2", "mean-threshold", "binarises at the mean of the batch", ("binarize",), ("x < 0.33", "x < x.mean()")),
    wrong(
        "C2",
        "resized-last",
        "binarises the large image, so that scaling makes grey values again",
        ("resize",),
        (RESIZE, "Image.fromarray(np.where(np.asarray(gray) < 0.33 * 255, 0, 255).astype(np.uint8)).resize((32, 32))"),
        (BINARIZE, "x"),
    ),
    wrong("C2", "all-white", "returns ones without looking at an image", ("binarize",), (BINARIZE, "np.ones(x.shape)")),
    wrong(
        "C2",
        "crop",
        "cuts out the top left corner instead of scaling",
        ("resize",),
        (RESIZE, "gray.crop((0, 0, 32, 32))"),
    ),
    wrong(
        "C2",
        "np-resize",
        "uses np.resize, which takes the first 1024 pixels",
        ("resize",),
        ("np.asarray(small, dtype=np.float32)", "np.resize(np.asarray(gray, dtype=np.float32), (32, 32))"),
    ),
    wrong(
        "C2",
        "transposed",
        "takes PIL's sizes for (width, height) and transposes",
        ("resize",),
        ("np.asarray(small, dtype=np.float32)", "np.asarray(small, dtype=np.float32).T"),
    ),
    wrong("C2", "not-resized", "leaves the images as large as they are", ("shape", "resize"), (RESIZE, "gray")),
    wrong(
        "C2",
        "no-channel",
        "forgets the channel axis",
        ("shape",),
        ("np.stack(images)[..., np.newaxis]", "np.stack(images)"),
    ),
    wrong("C2", "channels-first", "puts the channel axis first", ("shape",), ("[..., np.newaxis]", "[:, np.newaxis]")),
    wrong("C2", "one-tensor", "returns the input only", ("shape",), ("return x, x", "return x")),
    wrong(
        "C2", "no-target", "returns zeros as the target", ("shape",), ("return x, x", "return x, tf.zeros(len(images))")
    ),
    wrong(
        "C2",
        "colours",
        "keeps the three colours",
        ("shape", "grayscale"),
        ('.convert("L")', '.convert("RGB")'),
        ("np.stack(images)[..., np.newaxis]", "np.stack(images)"),
    ),
    wrong(
        "C2",
        "red",
        "takes the red channel for the brightness",
        ("grayscale",),
        ('.convert("L")', '.convert("RGB").getchannel(0)'),
    ),
    wrong(
        "C2", "first-batch", "returns the first batch whatever the index", ("batches",), ("idx * self.batch_size", "0")
    ),
    wrong("C2", "next-image", "moves on by one image per batch", ("batches",), ("idx * self.batch_size", "idx")),
    wrong(
        "C2",
        "skips-first",
        "leaves out the first image of every batch",
        ("batches",),
        ("self.image_paths[start :", "self.image_paths[start + 1 :"),
    ),
    wrong(
        "C2",
        "one-too-many",
        "also takes the first image of the next batch",
        ("batches",),
        ("start + self.batch_size]", "start + self.batch_size + 1]"),
    ),
    wrong(
        "C2",
        "random-batch",
        "draws a random batch at every call",
        ("batches",),
        (f"for path in {BATCH}", "for path in np.random.choice(self.image_paths, self.batch_size)"),
    ),
    wrong(
        "C2",
        "one-image",
        "returns the first image of the batch as often as the batch is long",
        ("batches",),
        ("np.stack(images)", "np.stack([images[0] for _ in images])"),
    ),
)


# C3 and C4: mistakes that either moved convolution may have -----------------------------------------------------------

MOVED_CONVOLUTIONS = (
    *wrong_twice("no-padding", "convolves without any padding", ("shape", "padding"), (CONVOLVE, "self.conv(inputs)")),
    *wrong_twice(
        "same",
        "lets Conv2D pad on all sides",
        ("causality", "padding"),
        ("            padding,\n", '            "same",\n'),
        (CONVOLVE, "self.conv(inputs)"),
    ),
    *wrong_twice("pads-k", "pads k rows instead of k - 1", ("shape", "padding"), ("[height - 1, 0]", "[height, 0]")),
    *wrong_twice(
        "pads-bottom", "pads below instead of above", ("causality", "padding"), ("[height - 1, 0]", "[0, height - 1]")
    ),
    *wrong_twice(
        "axes-swapped",
        "takes the first number of filter_size for the width",
        ("shape", "padding"),
        ("height, width =", "width, height ="),
    ),
    *wrong_twice("ones", "pads with ones", ("values",), (", [0, 0]])", ", [0, 0]], constant_values=1.0)")),
    *wrong_twice(
        "no-bias", "leaves the bias out", ("values",), (ACTIVATION, f"{ACTIVATION}            use_bias=False,\n")
    ),
    *wrong_twice(
        "new-layer",
        "makes a new convolution at every call, so that nothing can be learnt",
        ("values", "gradients"),
        ("        self.conv = keras", "        self.make = lambda: keras"),
        (CONVOLVE, "self.make()(padded)"),
    ),
    *wrong_twice(
        "stop-gradient",
        "stops the gradient to the input",
        ("gradients",),
        (CONVOLVE, "self.conv(tf.stop_gradient(padded))"),
    ),
    *wrong_twice(
        "numpy", "pads in NumPy, where no gradient passes", ("gradients",), ("tf.pad(inputs,", "np.pad(inputs.numpy(),")
    ),
    *wrong_twice(
        "no-strides", "does not pass the strides on", ("strides",), (STRIDES, "            padding=padding,\n")
    ),
    *wrong_twice(
        "lists-only",
        "expects a list and fails on an integer filter_size",
        ("integer_size",),
        (SIZE, "list(filter_size)"),
    ),
    *wrong_twice(
        "three-by-three", "makes 3x3 the default size", ("defaults",), ("filter_size=[2, 2]", "filter_size=[3, 3]")
    ),
    *wrong_twice("no-activation", "does not pass the activation on", ("activation",), (ACTIVATION, "")),
    *wrong_twice(
        "activation-twice",
        "applies the activation in the convolution and once more",
        ("activation",),
        ("        self.conv =", "        self.activation = keras.activations.get(activation)\n        self.conv ="),
        (CONVOLVE, f"self.activation({CONVOLVE})"),
    ),
    *wrong_twice(
        "activation-first",
        "applies the activation before the convolution",
        ("activation",),
        ("        self.conv =", "        self.activation = keras.activations.get(activation)\n        self.conv ="),
        (ACTIVATION, ""),
        (CONVOLVE, "self.conv(self.activation(padded))"),
    ),
    *wrong_twice("glorot", "leaves the kernel to the default initializer", ("initializer",), (INITIALIZER, "")),
    *wrong_twice("stddev", "sets the standard deviation to 0.5", ("initializer",), ("stddev=0.05", "stddev=0.5")),
)

DOWN_RIGHT_MOVED = (
    wrong(
        "C3",
        "same-twice",
        "makes 'same' the default, on top of the causal padding",
        ("defaults",),
        ('padding="valid"', 'padding="same"'),
    ),
    wrong("C3", "width-only", "pads the width only", ("shape", "padding"), ("[height - 1, 0]", "[0, 0]")),
    wrong(
        "C3",
        "reflect",
        "pads by reflection, which also shows the rows below",
        ("values",),
        (", [0, 0]])", ', [0, 0]], mode="REFLECT")'),
    ),
    wrong(
        "C3",
        "zeros",
        "computes the right shape and returns zeros",
        ("values", "gradients"),
        (CONVOLVE, "tf.zeros_like(self.conv(padded))"),
    ),
    wrong(
        "C3",
        "dilation",
        "takes the strides for the dilation",
        ("strides",),
        (STRIDES, "            padding=padding,\n            dilation_rate=strides,\n"),
    ),
    wrong(
        "C3",
        "integer-column",
        "takes an integer filter_size for the height alone",
        ("integer_size",),
        ("[filter_size, filter_size]", "[filter_size, 1]"),
    ),
    wrong(
        "C3",
        "relu-default",
        "makes ReLU the default activation",
        ("defaults",),
        ("activation=None", 'activation="relu"'),
    ),
    wrong("C3", "variance", "takes 0.05 for the variance", ("initializer",), ("stddev=0.05", "stddev=0.05**0.5")),
    wrong(
        "C3",
        "uniform",
        "draws the kernel from a uniform distribution",
        ("initializer",),
        (NORMAL, "RandomUniform(-0.05, 0.05)"),
    ),
    wrong(
        "C3",
        "truncated",
        "draws the kernel from a truncated normal distribution",
        ("initializer",),
        (NORMAL, "TruncatedNormal(mean=0.0, stddev=0.05)"),
    ),
    wrong(
        "C3",
        "pads-right",
        "pads the right instead of the left",
        ("causality", "padding"),
        ("[width - 1, 0]", "[0, width - 1]"),
    ),
    wrong(
        "C3",
        "pads-bottom-right",
        "pads the bottom and the right",
        ("causality", "padding"),
        ("[height - 1, 0], [width - 1, 0]", "[0, height - 1], [0, width - 1]"),
    ),
    wrong(
        "C3",
        "both-sides",
        "copies the side padding of DownMovedConv2d",
        ("causality", "padding"),
        ("[width - 1, 0]", "[(width - 1) // 2, (width - 1) // 2]"),
    ),
    wrong("C3", "height-only", "pads the height only", ("shape", "padding"), ("[width - 1, 0]", "[0, 0]")),
    wrong(
        "C3",
        "one-row",
        "pads one row and one column, which is right for 2x2 alone",
        ("shape", "padding"),
        ("[height - 1, 0], [width - 1, 0]", "[1, 0], [1, 0]"),
    ),
    wrong(
        "C3",
        "two-by-two",
        "always convolves with 2x2",
        ("shape", "values"),
        ("            self.filter_size,\n", "            [2, 2],\n"),
    ),
    wrong(
        "C3",
        "handout-filters",
        "always makes the handout's 64 filters",
        ("shape",),
        ("            num_filters,\n", "            64,\n"),
    ),
    wrong(
        "C3",
        "roll",
        "rolls the image, so that the bottom comes back at the top",
        ("values", "causality"),
        ("            padding,\n", '            "same",\n'),
        (DOWN_RIGHT_PAD, "tf.roll(inputs, [height // 2, width // 2], [1, 2])"),
    ),
    wrong(
        "C3",
        "shifted",
        "convolves with 'same', then shifts: the first row and column lose even the bias",
        ("values",),
        ("            padding,\n", '            "same",\n'),
        (CONVOLVE, "down_move(right_move(self.conv(inputs)))"),
    ),
)

DOWN_MOVED = (
    wrong(
        "C4",
        "both-ends",
        "pads k - 1 rows above and below",
        ("shape", "padding"),
        ("[height - 1, 0]", "[height - 1, height - 1]"),
    ),
    wrong(
        "C4",
        "edge",
        "repeats the border instead of adding zeros",
        ("values",),
        (", [0, 0]])", ', [0, 0]], mode="SYMMETRIC")'),
    ),
    wrong("C4", "identity", "returns its input", ("values",), (CONVOLVE, "inputs")),
    wrong(
        "C4",
        "one-stride",
        "passes the first stride on for both axes and fails on an integer",
        ("strides",),
        (STRIDES, STRIDES.replace("strides", "(strides[0], strides[0])")),
    ),
    wrong(
        "C4",
        "integer-default",
        "takes the default filter when it is given an integer",
        ("integer_size",),
        ("[filter_size, filter_size] if", "[2, 3] if"),
    ),
    wrong("C4", "stride-two", "makes 2 the default stride", ("defaults",), ("strides=[1, 1]", "strides=[2, 2]")),
    wrong(
        "C4",
        "always-relu",
        "applies a ReLU whatever it is told",
        ("values", "activation"),
        (ACTIVATION, '            activation="relu",\n'),
    ),
    wrong(
        "C4",
        "mean",
        "mixes up mean and standard deviation",
        ("initializer",),
        ("mean=0.0, stddev=0.05", "mean=0.05, stddev=0.05"),
    ),
    wrong(
        "C4",
        "bias-initializer",
        "initialises the bias in the kernel's place",
        ("initializer",),
        ("kernel_initializer", "bias_initializer"),
    ),
    wrong(
        "C4",
        "copy-paste",
        "copies the left padding of DownRightMovedConv2d",
        ("padding",),
        ("[side, side]", "[width - 1, 0]"),
    ),
    wrong(
        "C4", "full-sides", "pads k - 1 columns on both sides", ("shape", "padding"), ("(width - 1) // 2", "width - 1")
    ),
    wrong(
        "C4",
        "float-side",
        "divides with / and gives tf.pad a float",
        ("shape", "values"),
        ("(width - 1) // 2", "(width - 1) / 2"),
    ),
    wrong("C4", "one-side", "pads the half on the left only", ("shape", "padding"), ("[side, side]", "[side, 0]")),
    wrong(
        "C4",
        "one-column",
        "pads one column on each side, which is right for a width of 3 alone",
        ("shape", "padding"),
        ("(width - 1) // 2", "1"),
    ),
    wrong(
        "C4",
        "half-of-height",
        "takes the half of the height for the sides",
        ("shape", "padding"),
        ("(width - 1) // 2", "(height - 1) // 2"),
    ),
    wrong("C4", "height-only", "pads the height only", ("shape", "padding"), ("[side, side]", "[0, 0]")),
    wrong(
        "C4",
        "half-height",
        "halves the height's padding too: the rows below are seen",
        ("causality", "padding"),
        ("[height - 1, 0]", "[(height - 1) // 2, height - 1 - (height - 1) // 2]"),
    ),
    wrong(
        "C4",
        "moved-again",
        "shifts its own output down, which the model does already",
        ("values",),
        (CONVOLVE, f"down_move({CONVOLVE})"),
    ),
)


# C5: the dense layer --------------------------------------------------------------------------------------------------

TENSOR_DENSE = (
    wrong("C5", "no-reshape-back", "forgets to reshape back", ("shape",), (f"tf.reshape({DENSE}, {UNFLATTEN})", DENSE)),
    wrong(
        "C5",
        "input-channels",
        "reshapes back to the channels of the input",
        ("shape", "values"),
        (UNFLATTEN, "[-1, height, width, channels]"),
    ),
    wrong(
        "C5",
        "input-shape",
        "reshapes back to the very shape of the input",
        ("shape", "values"),
        (UNFLATTEN, "tf.shape(inputs)"),
    ),
    wrong(
        "C5",
        "width-first",
        "swaps height and width on the way back",
        ("shape",),
        (UNFLATTEN, "[-1, width, height, self.num_units]"),
    ),
    wrong(
        "C5",
        "channels-first",
        "reshapes back with the channels before the rows",
        ("shape", "values"),
        (UNFLATTEN, "[-1, self.num_units, height, width]"),
    ),
    wrong(
        "C5",
        "scrambled",
        "moves the channels first and reshapes, which mixes the pixels",
        ("values",),
        (FLATTEN, "tf.reshape(tf.transpose(inputs, [0, 3, 1, 2]), [-1, channels])"),
    ),
    wrong(
        "C5",
        "square-image",
        "reshapes back to the handout's 32x32",
        ("shape",),
        (UNFLATTEN, "[-1, 32, 32, self.num_units]"),
    ),
    wrong(
        "C5",
        "handout-batch",
        "reshapes back to the handout's batch of 32",
        ("shape", "dynamic_batch"),
        (UNFLATTEN, "[32, height, width, self.num_units]"),
    ),
    wrong(
        "C5",
        "static-batch",
        "reshapes back to the batch size of inputs.shape, which is None in a model",
        ("dynamic_batch",),
        ("_, height", "batch, height"),
        (UNFLATTEN, "[batch, height, width, self.num_units]"),
    ),
    wrong(
        "C5",
        "neighbours",
        "uses a 3x3 convolution for the dense layer",
        ("values", "parameters"),
        (
            "layers.Dense(\n            num_units,\n",
            'layers.Conv2D(\n            num_units,\n            3,\n            padding="same",\n',
        ),
        (FLATTEN, "inputs"),
    ),
    wrong(
        "C5",
        "twice",
        "sends the result through a second dense layer",
        ("parameters", "values"),
        ("        self.dense =", "        self.again = keras.layers.Dense(num_units)\n        self.dense ="),
        (DENSE, f"self.again({DENSE})"),
    ),
    wrong(
        "C5",
        "handout-units",
        "always makes the handout's 64 units",
        ("shape",),
        ("num_units = num_units", "num_units = 64"),
        ("            num_units,\n", "            64,\n"),
    ),
    wrong(
        "C5",
        "no-bias",
        "leaves the bias out",
        ("parameters",),
        (ACTIVATION, f"{ACTIVATION}            use_bias=False,\n"),
    ),
    wrong(
        "C5",
        "new-layer",
        "makes a new dense layer at every call, so that nothing can be learnt",
        ("values", "parameters"),
        ("        self.dense = keras", "        self.make = lambda: keras"),
        (DENSE, "self.make()(pixels)"),
    ),
    wrong("C5", "identity", "returns its input", ("values",), (f"tf.reshape({DENSE}, {UNFLATTEN})", "inputs")),
    wrong(
        "C5", "zeros", "returns zeros of the right shape", ("values", "gradients"), (DENSE, f"tf.zeros_like({DENSE})")
    ),
    wrong(
        "C5",
        "stop-gradient",
        "stops the gradient to the input",
        ("gradients",),
        (DENSE, "self.dense(tf.stop_gradient(pixels))"),
    ),
    wrong(
        "C5",
        "numpy",
        "reshapes in NumPy, where no gradient passes",
        ("gradients",),
        (FLATTEN, "inputs.numpy().reshape(-1, channels)"),
    ),
    wrong("C5", "no-activation", "does not pass the activation on", ("activation",), (ACTIVATION, "")),
    wrong(
        "C5",
        "always-relu",
        "applies a ReLU when it is told none",
        ("values",),
        (ACTIVATION, '            activation=activation or "relu",\n'),
    ),
    wrong(
        "C5",
        "activation-twice",
        "applies the activation in the layer and once more",
        ("activation",),
        ("        self.dense =", "        self.activation = keras.activations.get(activation)\n        self.dense ="),
        (DENSE, f"self.activation({DENSE})"),
    ),
    wrong(
        "C5",
        "activation-first",
        "applies the activation before the dense layer",
        ("activation",),
        ("        self.dense =", "        self.activation = keras.activations.get(activation)\n        self.dense ="),
        (ACTIVATION, ""),
        (DENSE, "self.dense(self.activation(pixels))"),
    ),
    wrong("C5", "glorot", "leaves the weights to the default initializer", ("initializer",), (INITIALIZER, "")),
    wrong("C5", "stddev", "sets the standard deviation to 0.5", ("initializer",), ("stddev=0.05", "stddev=0.5")),
    wrong(
        "C5",
        "uniform",
        "draws the weights from a uniform distribution",
        ("initializer",),
        (NORMAL, "RandomUniform(-0.05, 0.05)"),
    ),
)


# C6: the gated residual block -----------------------------------------------------------------------------------------

GATED_RESNET = (
    wrong(
        "C6",
        "no-activation",
        "forgets the activation, both times",
        ("parameters", "activation"),
        (FIRST, "hidden = self.nnLayer_1(inputs)"),
        (SECOND, "hidden = self.nnLayer_2(hidden)"),
    ),
    wrong(
        "C6",
        "first-only",
        "forgets the second activation",
        ("parameters", "activation"),
        (SECOND, "hidden = self.nnLayer_2(hidden)"),
    ),
    wrong(
        "C6",
        "second-only",
        "forgets the first activation",
        ("parameters", "activation"),
        (FIRST, "hidden = self.nnLayer_1(inputs)"),
    ),
    wrong(
        "C6",
        "always-concat-elu",
        "applies concat_elu whatever it is told",
        ("activation",),
        ("= activation\n", "= concat_elu\n"),
    ),
    wrong(
        "C6",
        "concat-elu-second",
        "applies concat_elu the second time whatever it is told",
        ("activation",),
        (SECOND, "hidden = self.nnLayer_2(concat_elu(hidden))"),
    ),
    wrong(
        "C6",
        "elu-default",
        "makes a plain ELU the default",
        ("parameters", "activation"),
        ("activation=concat_elu", "activation=tf.nn.elu"),
    ),
    wrong(
        "C6",
        "relu-inside",
        "passes a ReLU to both layers instead",
        ("values", "activation"),
        ("DownRightMovedConv2d(num_filters)", 'DownRightMovedConv2d(num_filters, activation="relu")'),
        ("DownRightMovedConv2d(num_filters * 2)", 'DownRightMovedConv2d(num_filters * 2, activation="relu")'),
    ),
    wrong(
        "C6",
        "one-width",
        "gives the second layer num_filters too and gates the result with itself",
        ("parameters", "values"),
        ("(num_filters * 2)", "(num_filters)"),
        (SPLIT, "features = gate = hidden"),
    ),
    wrong(
        "C6",
        "wide-first",
        "makes the first layer twice as wide too",
        ("parameters",),
        (
            "self.nnLayer_1 = DownRightMovedConv2d(num_filters)",
            "self.nnLayer_1 = DownRightMovedConv2d(num_filters * 2)",
        ),
    ),
    wrong(
        "C6",
        "three-by-three",
        "gives both layers 3x3 filters",
        ("parameters",),
        ("DownRightMovedConv2d(num_filters)", "DownRightMovedConv2d(num_filters, 3)"),
        ("DownRightMovedConv2d(num_filters * 2)", "DownRightMovedConv2d(num_filters * 2, 3)"),
    ),
    wrong(
        "C6",
        "handout-filters",
        "always makes the handout's 64 filters",
        ("parameters",),
        ("DownRightMovedConv2d(num_filters)", "DownRightMovedConv2d(64)"),
        ("DownRightMovedConv2d(num_filters * 2)", "DownRightMovedConv2d(128)"),
    ),
    wrong(
        "C6",
        "ordinary-convolutions",
        "uses the given Conv2d, which pads on all sides",
        ("causality",),
        ("DownRightMovedConv2d(num_filters)", "Conv2d(num_filters, [2, 2])"),
        ("DownRightMovedConv2d(num_filters * 2)", "Conv2d(num_filters * 2, [2, 2])"),
    ),
    wrong(
        "C6",
        "ordinary-second",
        "uses a plain Conv2D with 'same' for the second layer",
        ("causality",),
        ("DownRightMovedConv2d(num_filters * 2)", 'keras.layers.Conv2D(num_filters * 2, 2, padding="same")'),
    ),
    wrong(
        "C6",
        "down-moved",
        "uses DownMovedConv2d, which sees the columns to the right",
        ("causality", "parameters"),
        ("DownRightMovedConv2d(num_filters)", "DownMovedConv2d(num_filters, [2, 3])"),
        ("DownRightMovedConv2d(num_filters * 2)", "DownMovedConv2d(num_filters * 2, [2, 3])"),
    ),
    wrong(
        "C6",
        "forgets-first",
        "feeds the input to the second layer and loses the first one's result",
        ("values",),
        (SECOND, "hidden = self.nnLayer_2(self.nonlinearity(inputs))"),
    ),
    wrong(
        "C6",
        "halves-swapped",
        "takes the first half for the gate",
        ("values",),
        (SPLIT, "gate, features = tf.split(hidden, 2, axis=-1)"),
    ),
    wrong(
        "C6",
        "interleaved",
        "takes every other channel for the gate",
        ("values",),
        (SPLIT, "features, gate = hidden[..., ::2], hidden[..., 1::2]"),
    ),
    wrong(
        "C6", "split-height", "splits the height instead of the channels", ("shape", "values"), ("axis=-1", "axis=1")
    ),
    wrong(
        "C6",
        "tanh",
        "puts F through a tanh, as the paper does",
        ("values",),
        (GATED, f"tf.tanh({GATED.split()[0]}) * tf.sigmoid(gate)"),
    ),
    wrong("C6", "no-sigmoid", "forgets the sigmoid of the gate", ("values",), (GATED, "features * gate")),
    wrong("C6", "softmax", "gates with a softmax", ("values",), (GATED, "features * tf.nn.softmax(gate)")),
    wrong(
        "C6",
        "hard-sigmoid",
        "gates with a hard sigmoid",
        ("values",),
        (GATED, "features * keras.activations.hard_sigmoid(gate)"),
    ),
    wrong(
        "C6",
        "sum-gate",
        "adds the gate instead of multiplying",
        ("values", "residual"),
        (GATED, "features + tf.sigmoid(gate)"),
    ),
    wrong("C6", "no-residual", "forgets to add the input", ("values", "residual"), (f"inputs + {GATED}", GATED)),
    wrong(
        "C6",
        "residual-doubled",
        "adds the input twice",
        ("values", "residual"),
        (f"inputs + {GATED}", f"inputs + {GATED} + inputs"),
    ),
    wrong(
        "C6",
        "residual-times",
        "multiplies by the input",
        ("values", "residual"),
        (f"inputs + {GATED}", f"inputs * {GATED}"),
    ),
    wrong(
        "C6",
        "residual-gated",
        "adds the input before the gate",
        ("values", "residual"),
        (f"inputs + {GATED}", "(inputs + features) * tf.sigmoid(gate)"),
    ),
    wrong(
        "C6",
        "residual-overwritten",
        "adds the first layer's result, because it overwrote the input",
        ("values", "residual"),
        (FIRST, "inputs = hidden = self.nnLayer_1(self.nonlinearity(inputs))"),
    ),
    wrong(
        "C6",
        "residual-activated",
        "adds the activated input",
        ("values", "residual"),
        (f"inputs + {GATED}", f"tf.nn.elu(inputs) + {GATED}"),
    ),
    wrong(
        "C6",
        "elu-last",
        "applies an ELU to the sum",
        ("values", "residual"),
        (f"inputs + {GATED}", f"tf.nn.elu(inputs + {GATED})"),
    ),
    wrong(
        "C6",
        "identity",
        "returns its input and never calls its layers",
        ("parameters", "values"),
        (FIRST, "return inputs\n        " + FIRST),
    ),
    wrong(
        "C6",
        "batch-norm",
        "adds a batch normalisation",
        ("parameters",),
        ("        self.nnLayer_1 =", "        self.norm = keras.layers.BatchNormalization()\n        self.nnLayer_1 ="),
        (SPLIT, SPLIT.replace("hidden", "self.norm(hidden)")),
    ),
    wrong(
        "C6",
        "new-layers",
        "makes new layers at every call, so that nothing can be learnt",
        ("parameters", "values"),
        ("self.nnLayer_1 = DownRightMovedConv2d(num_filters)", "self.num_filters = num_filters"),
        ("        self.nnLayer_2 = DownRightMovedConv2d(num_filters * 2)\n", ""),
        (FIRST, FIRST.replace("self.nnLayer_1", "DownRightMovedConv2d(self.num_filters)")),
        (SECOND, SECOND.replace("self.nnLayer_2", "DownRightMovedConv2d(self.num_filters * 2)")),
    ),
    wrong(
        "C6",
        "gate-detached",
        "stops the gradient of the gate",
        ("gradients",),
        ("tf.sigmoid(gate)", "tf.sigmoid(tf.stop_gradient(gate))"),
    ),
    wrong(
        "C6",
        "residual-detached",
        "stops the gradient of the residual connection",
        ("gradients",),
        ("return inputs +", "return tf.stop_gradient(inputs) +"),
    ),
    wrong(
        "C6",
        "numpy",
        "computes the sigmoid in NumPy, where no gradient passes",
        ("gradients",),
        ("tf.sigmoid(gate)", "1 / (1 + np.exp(-gate.numpy()))"),
    ),
)


# C7: the whole backbone -----------------------------------------------------------------------------------------------

AUTOREGRESSIVE_MODEL = (
    wrong(
        "C7",
        "no-down-move",
        "forgets down_move: a pixel sees itself and its right neighbour",
        ("causality",),
        (DOWN, "self.down_moved_conv2d(inputs)"),
    ),
    wrong(
        "C7",
        "no-right-move",
        "forgets right_move: a pixel sees itself",
        ("causality",),
        (RIGHT, "self.down_right_moved_conv2d(inputs)"),
    ),
    wrong(
        "C7",
        "no-move",
        "forgets both shifts",
        ("causality",),
        (DOWN, "self.down_moved_conv2d(inputs)"),
        (RIGHT, "self.down_right_moved_conv2d(inputs)"),
    ),
    wrong(
        "C7",
        "moves-swapped",
        "swaps the two shifts",
        ("causality",),
        (DOWN, DOWN.replace("down_move(", "right_move(", 1)),
        (RIGHT, RIGHT.replace("right_move(", "down_move(", 1)),
    ),
    wrong(
        "C7",
        "both-moves",
        "shifts both branches down and to the right",
        ("values",),
        (
            f"{DOWN} + {RIGHT}",
            "down_move(right_move(self.down_moved_conv2d(inputs) + self.down_right_moved_conv2d(inputs)))",
        ),
    ),
    wrong(
        "C7",
        "concatenates",
        "concatenates the two branches, which no block can take",
        ("shape", "values"),
        (f"{DOWN} + {RIGHT}", f"tf.concat([{DOWN}, {RIGHT}], axis=-1)"),
    ),
    wrong("C7", "product", "multiplies the two branches", ("values",), (f"{DOWN} + {RIGHT}", f"{DOWN} * {RIGHT}")),
    wrong("C7", "one-branch", "uses the down branch only", ("parameters", "values"), (f"{DOWN} + {RIGHT}", DOWN)),
    wrong(
        "C7",
        "in-a-row",
        "sends the first branch through the second one",
        ("parameters", "values"),
        (f"{DOWN} + {RIGHT}", f"right_move(self.down_right_moved_conv2d({DOWN}))"),
    ),
    wrong(
        "C7",
        "ordinary-convolution",
        "uses the given Conv2d for the first layer",
        ("causality",),
        ("= DownMovedConv2d(self.n_filters, filter_size=[1, 3])", "= Conv2d(self.n_filters)"),
    ),
    wrong(
        "C7",
        "sizes-swapped",
        "swaps the filter sizes of the two convolutions",
        ("values",),
        ("filter_size=[1, 3]", "filter_size=[2, 1]"),
        (
            "DownRightMovedConv2d(self.n_filters, filter_size=[2, 1])",
            "DownRightMovedConv2d(self.n_filters, filter_size=[1, 3])",
        ),
    ),
    wrong(
        "C7",
        "n-m-swapped",
        "makes N blocks of M resnets",
        ("parameters",),
        ("self.n_resnet = n_resnet", "self.n_resnet = n_block"),
        ("self.n_block = n_block", "self.n_block = n_resnet"),
    ),
    wrong(
        "C7",
        "handout-depth",
        "always makes the handout's 6 blocks of 6",
        ("parameters",),
        ("self.n_resnet = n_resnet", "self.n_resnet = 6"),
        ("self.n_block = n_block", "self.n_block = 6"),
    ),
    wrong(
        "C7",
        "handout-filters",
        "always uses the handout's 64 filters",
        ("parameters",),
        ("self.n_filters = n_filters", "self.n_filters = 64"),
    ),
    wrong(
        "C7",
        "handout-output",
        "always makes the handout's 10 output channels",
        ("shape",),
        ("self.n_output = n_output", "self.n_output = 10"),
    ),
    wrong(
        "C7",
        "block-missing",
        "starts the loop over the blocks at 1",
        ("parameters",),
        ("for block in range(self.n_block)", "for block in range(1, self.n_block)"),
    ),
    wrong(
        "C7",
        "resnet-missing",
        "leaves out the last resnet of every block",
        ("parameters",),
        (RESNETS, "self.ul_list_gated_resnet[start : start + self.n_resnet - 1]"),
    ),
    wrong(
        "C7",
        "one-block",
        "never repeats the block",
        ("parameters",),
        ("for block in range(self.n_block)", "for block in range(1)"),
    ),
    wrong(
        "C7",
        "first-block-again",
        "calls the first block's resnets in every block",
        ("parameters",),
        (RESNETS, "self.ul_list_gated_resnet[: self.n_resnet]"),
    ),
    wrong(
        "C7",
        "copies-of-one",
        "puts the same two layers into the lists again and again, so that all blocks share their weights",
        ("parameters",),
        (LOOP, f"        resnet, dense = GatedResnet(self.n_filters), TensorDense(self.n_filters)\n{LOOP}"),
        ("append(GatedResnet(self.n_filters))", "append(resnet)"),
        ("append(TensorDense(self.n_filters))", "append(dense)"),
    ),
    wrong(
        "C7",
        "shared-dense",
        "uses the first dense layer in every block",
        ("parameters",),
        ("self.ul_list_dense_layer[block]", "self.ul_list_dense_layer[0]"),
    ),
    wrong(
        "C7",
        "no-dense",
        "leaves the dense layers of the blocks out",
        ("parameters",),
        (f"            {BLOCK_DENSE}", "            # x ="),
        ("self.ul_list_dense_layer.append(TensorDense(self.n_filters))", "pass"),
    ),
    wrong(
        "C7",
        "dense-at-the-end",
        "has one dense layer after all blocks",
        ("parameters",),
        (f"            {BLOCK_DENSE}", f"        {BLOCK_DENSE}"),
    ),
    wrong(
        "C7",
        "dense-everywhere",
        "puts the dense layer after every resnet, by a wrong indent",
        ("values",),
        (f"            {BLOCK_DENSE}", f"                {BLOCK_DENSE}"),
    ),
    wrong(
        "C7",
        "dense-first",
        "puts the dense layer before the resnets",
        ("values",),
        (f"            {BLOCK_DENSE}  # (B, H, W, n_filters)\n", ""),
        (f"            for resnet in {RESNETS}:", f"            {BLOCK_DENSE}\n            for resnet in {RESNETS}:"),
    ),
    wrong(
        "C7",
        "x-not-updated",
        "keeps only the last resnet's result of every block",
        ("values",),
        (RESNET, "hidden = resnet(x)"),
        (BLOCK_DENSE, BLOCK_DENSE.replace("(x)", "(hidden)")),
    ),
    wrong("C7", "no-elu", "forgets the ELU", ("values",), (OUTPUT, "self.out_dense(x)")),
    wrong("C7", "relu", "uses a ReLU", ("values",), ("tf.nn.elu(x)", "tf.nn.relu(x)")),
    wrong(
        "C7",
        "concat-elu",
        "uses concat_elu, which doubles the input of out_dense",
        ("parameters",),
        ("tf.nn.elu(x)", "concat_elu(x)"),
    ),
    wrong("C7", "elu-last", "applies the ELU after out_dense", ("values",), (OUTPUT, "tf.nn.elu(self.out_dense(x))")),
    wrong(
        "C7",
        "elu-everywhere",
        "applies the ELU in every block",
        ("values",),
        (BLOCK_DENSE, f"{BLOCK_DENSE[:4]}tf.nn.elu({BLOCK_DENSE[4:]})"),
    ),
    wrong(
        "C7",
        "dense-activation",
        "gives the dense layers of the blocks an activation",
        ("values",),
        ("TensorDense(self.n_filters)", 'TensorDense(self.n_filters, activation="elu")'),
    ),
    wrong("C7", "sigmoid", "applies the sigmoid that comes later", ("values",), (OUTPUT, f"tf.sigmoid({OUTPUT})")),
    wrong(
        "C7",
        "adds-the-image",
        "adds the image to the output, as if it were a residual block",
        ("causality", "values"),
        (OUTPUT, f"{OUTPUT} + tf.reduce_mean(inputs, axis=-1, keepdims=True)"),
    ),
    wrong(
        "C7",
        "zeros",
        "builds everything and returns zeros",
        ("values", "gradients"),
        (OUTPUT, f"tf.zeros_like({OUTPUT})"),
    ),
    wrong(
        "C7",
        "stop-gradient",
        "stops the gradient between the blocks",
        ("gradients", "agreement"),
        (RESNET, "x = resnet(tf.stop_gradient(x))"),
    ),
    wrong(
        "C7",
        "branch-detached",
        "stops the gradient of the down branch",
        ("gradients", "agreement"),
        (DOWN, f"tf.stop_gradient({DOWN})"),
    ),
    wrong(
        "C7",
        "leak-detached",
        "feeds the pixels to come in behind stop_gradient, where only a change of the input shows them",
        ("causality", "agreement"),
        (DOWN, f"{DOWN} + tf.stop_gradient(tf.reduce_mean(inputs, axis=-1, keepdims=True))"),
    ),
    wrong(
        "C7",
        "rounds",
        "rounds the features to zeros and ones, which have no gradient",
        ("gradients", "agreement"),
        (OUTPUT, "self.out_dense(tf.round(tf.nn.elu(x) * 100) / 100)"),
    ),
    wrong(
        "C7",
        "numpy",
        "sums the two branches in NumPy, where no gradient passes",
        ("gradients",),
        (f"{DOWN} + {RIGHT}", f"tf.constant({DOWN}.numpy() + {RIGHT}.numpy())"),
    ),
)


# Mistakes that only show in use: in a model, in training, at the last batch, when asked twice ------------------------

IN_USE = (
    wrong(
        "C1",
        "no-sequence",
        "is an ordinary class, which fit does not take",
        ("sequence",),
        ("class CalligraphyDataset(keras.utils.Sequence):", "class CalligraphyDataset:"),
        ("        super().__init__(**kwargs)\n", ""),
    ),
    wrong(
        "C1",
        "folders-beside",
        "also takes the images of the folders beside the one that it was given",
        ("length", "batches"),
        (PATHS, 'self.image_paths = sorted(glob.glob(os.path.join(image_dir, "..", "*", "*.jpg")))'),
        also=("C2",),
    ),
    wrong(
        "C2",
        "full-batches-only",
        "breaks at the last batch, which is not full",
        ("batches",),
        (f"for path in {BATCH}:", "for path in [self.image_paths[start + i] for i in range(self.batch_size)]:"),
    ),
    wrong(
        "C2",
        "own-counter",
        "counts the calls instead of looking at the index",
        ("batches",),
        (
            "start = idx * self.batch_size",
            "self.calls = getattr(self, 'calls', -1) + 1\n        start = self.calls % len(self) * self.batch_size",
        ),
    ),
    wrong(
        "C2",
        "blurred",
        "scales down to 16x16 first, which loses the thin strokes",
        ("resize",),
        (RESIZE, "gray.resize((16, 16), Image.BILINEAR).resize((32, 32), Image.BILINEAR)"),
    ),
    wrong(
        "C2",
        "binarised-twice",
        "binarises before it scales down, and again after",
        ("resize",),
        (RESIZE, "gray.point(lambda level: 255 * (level >= 85)).resize((32, 32), Image.BILINEAR)"),
    ),
    wrong(
        "C5",
        "always-tanh",
        "knows one activation and takes it for all",
        ("activation",),
        (ACTIVATION, '            activation="tanh" if activation is not None else None,\n'),
    ),
    wrong(
        "C7",
        "thrown-away",
        "calls every block but goes on with the output of the first",
        ("gradients",),
        (
            "                x = resnet(x)",
            "                resnet(x)\n                x = self.ul_list_gated_resnet[0](x)",
        ),
    ),
    *wrong_twice(
        "dropout",
        "adds dropout, which shows in training only",
        ("values",),
        ("super().__init__(**kwargs)", "super().__init__(**kwargs)\n        self.drop = keras.layers.Dropout(0.5)"),
        (CONVOLVE, "self.drop(self.conv(padded))"),
    ),
    wrong(
        "C3",
        "fixed-batch",
        "pads with zeros of the batch's size, which a model does not know beforehand",
        ("shape",),
        (
            f"padded = {DOWN_RIGHT_PAD}",
            "top = tf.zeros([inputs.shape[0], height - 1, inputs.shape[2], inputs.shape[3]])\n"
            "        padded = tf.pad(tf.concat([top, inputs], 1), [[0, 0], [0, 0], [width - 1, 0], [0, 0]])",
        ),
    ),
    wrong(
        "C6",
        "fixed-batch",
        "reshapes to the batch's size, which a model does not know beforehand",
        ("shape",),
        ("return inputs + features", "return tf.reshape(inputs, list(inputs.shape)) + features"),
    ),
    wrong(
        "C7",
        "middle-block-again",
        "uses the second dense layer for all later blocks",
        ("parameters",),
        (
            "self.ul_list_dense_layer.append(TensorDense(self.n_filters))",
            "if len(self.ul_list_dense_layer) < 2:\n"
            "                self.ul_list_dense_layer.append(TensorDense(self.n_filters))",
        ),
        ("self.ul_list_dense_layer[block]", "self.ul_list_dense_layer[min(block, 1)]"),
    ),
)


MUTANTS: tuple[Mutant, ...] = (
    *DATASET_LENGTH,
    *DATASET_BATCH,
    *MOVED_CONVOLUTIONS,
    *DOWN_RIGHT_MOVED,
    *DOWN_MOVED,
    *TENSOR_DENSE,
    *GATED_RESNET,
    *AUTOREGRESSIVE_MODEL,
    *IN_USE,
)
