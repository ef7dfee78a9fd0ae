"""Right solutions of handout A, written as other people write them: each must keep full marks.

A variant is the whole definition of its class, or a few swapped lines where the difference is that small.
"""

from graders.model import Variant

CLASSES = {
    "C1": "CalligraphyDataset",
    "C2": "CalligraphyDataset",
    "C3": "DownRightMovedConv2d",
    "C4": "DownMovedConv2d",
    "C5": "TensorDense",
    "C6": "GatedResnet",
    "C7": "AutoregressiveModel",
}


def right(item: str, name: str, why: str, definition: str, *swaps: tuple[str, str]) -> Variant:
    """Return the variant in which the item's class is defined as given."""
    return Variant(f"{item}-{name}", item, why, swaps, {CLASSES[item]: definition})


# C1: the constructor and the length of the data set -------------------------------------------------------------------

COUNT = "int(np.ceil(len(self.image_paths) / self.batch_size))"

DATASET_LENGTH = (
    Variant(
        "C1-skeleton-name",
        "C1",
        "the skeleton calls the class CalligraphySequence",
        (
            ("class CalligraphyDataset(keras.utils.Sequence)", "class CalligraphySequence(keras.utils.Sequence)"),
            ("CalligraphyDataset(TRAIN_DIR,", "CalligraphySequence(TRAIN_DIR,"),
            ("CalligraphyDataset(TEST_DIR,", "CalligraphySequence(TEST_DIR,"),
            ("split_training_images(CalligraphyDataset)", "split_training_images(CalligraphySequence)"),
            ("class GreyDataset(CalligraphyDataset)", "class GreyDataset(CalligraphySequence)"),
            ("BinaryFocalCrossentropy(), CalligraphyDataset)", "BinaryFocalCrossentropy(), CalligraphySequence)"),
        ),
    ),
    Variant(
        "C1-floor",
        "C1",
        "a last batch that is not full may be dropped",
        ((COUNT, "len(self.image_paths) // self.batch_size"),),
    ),
    Variant(
        "C1-ceiling-by-hand",
        "C1",
        "rounding up needs no NumPy",
        ((COUNT, "-(-len(self.image_paths) // self.batch_size)"),),
    ),
    right(
        "C1",
        "pathlib",
        "attributes may have any name and paths may be Path objects",
        """
from pathlib import Path


class CalligraphyDataset(tf.keras.utils.Sequence):
    def __init__(self, image_dir, batch_size=32, size=(32, 32), threshold=0.33, verbose=True):
        super().__init__()
        self.bs = batch_size
        self.root = Path(image_dir)
        self.files = list(self.root.glob("*.jpg"))
        self.size, self.threshold = size, threshold
        if verbose:
            print(f"Found {len(self.files)} images in {self.root}")

    def __len__(self):
        full, rest = divmod(len(self.files), self.bs)
        return full + (1 if rest else 0)

    def __getitem__(self, idx):
        files = self.files[idx * self.bs : min((idx + 1) * self.bs, len(self.files))]
        x = np.array([np.array(Image.open(f).convert("L").resize(self.size)) for f in files]) / 255
        x = (x >= self.threshold).astype("float32")[:, :, :, None]
        return tf.convert_to_tensor(x), tf.convert_to_tensor(x)
""",
    ),
    right(
        "C1",
        "shuffled",
        "images may come in any order, and the folder may be listed by os.listdir",
        """
import math
import random


class CalligraphyDataset(keras.utils.PyDataset):
    def __init__(self, image_dir: str, batch_size: int, shuffle: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.directory: str = image_dir
        self.batch_size: int = batch_size
        self.names = [name for name in os.listdir(image_dir) if name.lower().endswith((".jpg", ".jpeg"))]
        if shuffle:
            random.Random(4211).shuffle(self.names)

    def __len__(self) -> int:
        return math.ceil(len(self.names) / self.batch_size)

    def __getitem__(self, idx: int):
        batch = [
            np.asarray(Image.open(os.path.join(self.directory, name)).convert("L").resize((32, 32)))
            for name in self.names[idx * self.batch_size : (idx + 1) * self.batch_size]
        ]
        x = tf.where(tf.cast(tf.stack(batch), tf.float32)[..., tf.newaxis] / 255.0 < 0.33, 0.0, 1.0)
        return x, x
""",
    ),
    right(
        "C1",
        "holdout-split",
        "a split into training and validation inside the class is accepted",
        """
class CalligraphyDataset(keras.utils.Sequence):
    def __init__(self, image_dir, batch_size, subset=None, split=0.2, **kwargs):
        super().__init__(**kwargs)
        self.batch_size, self.image_dir = batch_size, image_dir
        paths = sorted(tf.io.gfile.glob(image_dir + "/*.jpg"))
        cut = int(len(paths) * (1 - split))
        if subset == "training":
            paths = paths[:cut]
        elif subset == "validation":
            paths = paths[cut:]
        self.paths, self.n_images = paths, len(paths)

    def __len__(self):
        return (self.n_images + self.batch_size - 1) // self.batch_size

    def __getitem__(self, idx):
        pictures = []
        for i in range(idx * self.batch_size, min(self.n_images, (idx + 1) * self.batch_size)):
            with Image.open(self.paths[i]) as picture:
                pictures.append(np.asarray(picture.convert("L").resize((32, 32))) / 255.0)
        x = np.where(np.expand_dims(np.array(pictures), -1) < 0.33, 0, 1)
        return tf.constant(x), tf.constant(x)
""",
    ),
)


# C2: a batch of images, on top of one constructor ---------------------------------------------------------------------

DATASET = """
class CalligraphyDataset(keras.utils.Sequence):
    def __init__(self, image_dir, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.image_dir = image_dir
        self.batch_size = batch_size
        self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))

    def __len__(self):
        return int(np.ceil(len(self.image_paths) / self.batch_size))
"""

DATASET_BATCH = (
    right(
        "C2",
        "tensorflow",
        "images may be read, scaled and compared by TensorFlow; the numbers may be integers",
        DATASET
        + """
    def __getitem__(self, idx):
        images = []
        for path in self.image_paths[idx * self.batch_size : (idx + 1) * self.batch_size]:
            image = tf.io.decode_jpeg(tf.io.read_file(path), channels=1)
            image = tf.image.resize(image, [32, 32]) / 255.0
            images.append(tf.cast(image >= 0.33, tf.int32))
        x = tf.stack(images)
        return x, tf.identity(x)
""",
    ),
    right(
        "C2",
        "opencv",
        "images may be read and scaled by OpenCV",
        "import cv2\n\n"
        + DATASET
        + """
    def __getitem__(self, idx):
        paths = self.image_paths[idx * self.batch_size : (idx + 1) * self.batch_size]
        x = np.zeros((len(paths), 32, 32, 1), dtype=np.float32)
        for i, path in enumerate(paths):
            image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
            image = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA) / 255
            x[i, :, :, 0] = cv2.threshold(image, 0.33, 1, cv2.THRESH_BINARY)[1]
        return tf.convert_to_tensor(x), tf.convert_to_tensor(x)
""",
    ),
    right(
        "C2",
        "load-img",
        "keras.utils.load_img scales by nearest neighbour unless told otherwise",
        DATASET
        + """
    def load(self, path):
        image = keras.utils.load_img(path, color_mode="grayscale", target_size=(32, 32))
        image = keras.utils.img_to_array(image) / 255.0
        image[image < 0.33] = 0
        image[image >= 0.33] = 1
        return image

    def __getitem__(self, idx):
        paths = self.image_paths[idx * self.batch_size : (idx + 1) * self.batch_size]
        x = tf.convert_to_tensor([self.load(path) for path in paths])
        return (x, x)
""",
    ),
    right(
        "C2",
        "numpy",
        "arrays of small integers are as good as tensors",
        DATASET
        + """
    def __getitem__(self, idx):
        paths = self.image_paths[idx * self.batch_size :][: self.batch_size]
        grays = [np.asarray(Image.open(path).convert("L").resize((32, 32), Image.BICUBIC)) for path in paths]
        x = (np.reshape(grays, (-1, 32, 32, 1)) / 255.0 >= 0.33).astype(np.uint8)
        return x, x.copy()
""",
    ),
    right(
        "C2",
        "tf-gray",
        "colours may be weighted by tf.image.rgb_to_grayscale, and the scaling may average areas",
        DATASET
        + """
    def __getitem__(self, idx):
        first = self.batch_size * idx
        batch = []
        for path in self.image_paths[first : first + self.batch_size]:
            rgb = tf.convert_to_tensor(np.array(Image.open(path).convert("RGB")), tf.float32)
            gray = tf.image.rgb_to_grayscale(rgb)
            gray = tf.squeeze(tf.image.resize(gray[tf.newaxis], (32, 32), method="area"), axis=0)
            batch.append(gray / 255.0)
        batch = tf.stack(batch, axis=0)
        batch = tf.where(batch < 0.33, tf.zeros_like(batch), tf.ones_like(batch))
        return batch, batch
""",
    ),
    right(
        "C2",
        "mean-of-colours",
        "any usual weighting of the colours is accepted, their mean too",
        DATASET
        + """
    def __getitem__(self, idx):
        x = []
        for path in self.image_paths[idx * self.batch_size : (idx + 1) * self.batch_size]:
            small = Image.open(path).convert("RGB").resize((32, 32), resample=Image.BOX)
            x.append(np.asarray(small, dtype="float32").mean(axis=-1, keepdims=True))
        x = np.ceil(np.stack(x) / 255.0 - 0.33).clip(0.0, 1.0)
        return tf.constant(x), tf.constant(x)
""",
    ),
)


# C3: down-right moved convolution -------------------------------------------------------------------------------------

DOWN_RIGHT_MOVED = (
    right(
        "C3",
        "skeleton-arguments",
        "the skeleton names the arguments stride, pad and nonlinearity",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], stride=[1, 1], pad="VALID", nonlinearity=None, **kwargs):
        super(DownRightMovedConv2d, self).__init__(**kwargs)
        if isinstance(filter_size, int):
            filter_size = (filter_size, filter_size)
        self.filter_size = filter_size
        self.conv = keras.layers.Conv2D(
            filters=num_filters,
            kernel_size=filter_size,
            strides=stride,
            padding=pad,
            activation=nonlinearity,
            kernel_initializer=tf.keras.initializers.RandomNormal(0.0, 0.05),
        )

    def call(self, inputs):
        x = tf.pad(inputs, [[0, 0], [self.filter_size[0] - 1, 0], [self.filter_size[1] - 1, 0], [0, 0]], "CONSTANT")
        return self.conv(x)
""",
    ),
    right(
        "C3",
        "other-spelling",
        "Conv2D is how Keras spells it",
        """
class DownRightMovedConv2D(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=(2, 2), strides=(1, 1), padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = (filter_size,) * 2 if isinstance(filter_size, int) else tuple(filter_size)
        init = keras.initializers.RandomNormal(stddev=0.05)
        self.conv = keras.layers.Conv2D(num_filters, self.filter_size, strides, padding, kernel_initializer=init)
        self.activation = keras.layers.Activation(activation)

    def call(self, inputs, training=None):
        h, w = self.filter_size
        return self.activation(self.conv(tf.pad(inputs, tf.constant([[0, 0], [h - 1, 0], [w - 1, 0], [0, 0]]))))
""",
        ("self.nnLayer_1 = DownRightMovedConv2d(", "self.nnLayer_1 = DownRightMovedConv2D("),
        ("self.nnLayer_2 = DownRightMovedConv2d(", "self.nnLayer_2 = DownRightMovedConv2D("),
        (
            "self.down_right_moved_conv2d = DownRightMovedConv2d(",
            "self.down_right_moved_conv2d = DownRightMovedConv2D(",
        ),
    ),
    right(
        "C3",
        "zero-padding-layer",
        "ZeroPadding2D pads with zeros as tf.pad does",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        if type(filter_size) is int:
            filter_size = [filter_size] * 2
        self.filter_size = filter_size
        self.pad = keras.layers.ZeroPadding2D(padding=((filter_size[0] - 1, 0), (filter_size[1] - 1, 0)))
        self.conv = keras.layers.Conv2D(
            num_filters,
            filter_size,
            strides=strides,
            padding=padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
            bias_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def call(self, x):
        return self.conv(self.pad(x))
""",
    ),
    right(
        "C3",
        "functional",
        "the kernel and the bias may be variables of the layer, and the convolution a function",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.num_filters = num_filters
        self.filter_size = [filter_size] * 2 if isinstance(filter_size, int) else filter_size
        self.strides = [strides] * 2 if isinstance(strides, int) else strides
        self.padding = padding.upper()
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.filter_size[0], self.filter_size[1], input_shape[-1], self.num_filters),
            initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )
        self.bias = self.add_weight(name="bias", shape=(self.num_filters,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        top, left = self.filter_size[0] - 1, self.filter_size[1] - 1
        x = tf.pad(inputs, [[0, 0], [top, 0], [left, 0], [0, 0]])
        x = tf.nn.conv2d(x, self.kernel, strides=list(self.strides), padding=self.padding)
        return self.activation(tf.nn.bias_add(x, self.bias))
""",
    ),
    right(
        "C3",
        "concat-zeros",
        "zeros may be put in front by tf.concat",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = [filter_size, filter_size] if isinstance(filter_size, int) else filter_size
        options = dict(strides=strides, padding=padding, activation=activation)
        options["kernel_initializer"] = keras.initializers.RandomNormal(mean=0, stddev=0.05)
        self.conv = keras.layers.Conv2D(num_filters, self.filter_size, **options)

    def call(self, inputs):
        batch, height, width, channels = tf.unstack(tf.shape(inputs))
        top = tf.zeros([batch, self.filter_size[0] - 1, width, channels], inputs.dtype)
        x = tf.concat([top, inputs], axis=1)
        left = tf.zeros([batch, tf.shape(x)[1], self.filter_size[1] - 1, channels], inputs.dtype)
        return self.conv(tf.concat([left, x], axis=2))
""",
    ),
    right(
        "C3",
        "dunder-call",
        "the handout asks for __call__",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None):
        super().__init__()
        self.filter_size = filter_size if hasattr(filter_size, "__len__") else [filter_size, filter_size]
        self.conv = keras.layers.Conv2D(
            num_filters, self.filter_size, strides, padding, activation=activation, kernel_initializer="random_normal"
        )  # random_normal: mean 0, standard deviation 0.05

    def __call__(self, inputs):
        kh, kw = self.filter_size
        return self.conv(tf.pad(inputs, paddings=((0, 0), (kh - 1, 0), (kw - 1, 0), (0, 0))))
""",
    ),
    right(
        "C3",
        "same-and-crop",
        "padding one more on all sides and cutting the rest off comes to the same",
        """
class DownRightMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = np.broadcast_to(filter_size, 2).tolist()
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            strides=strides,
            padding=padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def call(self, inputs):
        h, w = self.filter_size
        everywhere = tf.pad(inputs, [[0, 0], [h, h], [w, w], [0, 0]])
        return self.conv(everywhere[:, 1 : everywhere.shape[1] - h, 1 : everywhere.shape[2] - w, :])
""",
    ),
    Variant(
        "C3-common-base",
        "C3",
        "the two moved convolutions may share a base class that differs in the padding alone",
        replaces={
            "DownRightMovedConv2d": """
class MovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = [filter_size, filter_size] if isinstance(filter_size, int) else filter_size
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            strides,
            padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def sides(self):
        raise NotImplementedError

    def call(self, inputs):
        return self.conv(tf.pad(inputs, [[0, 0], [self.filter_size[0] - 1, 0], self.sides(), [0, 0]]))


class DownRightMovedConv2d(MovedConv2d):
    def sides(self):
        return [self.filter_size[1] - 1, 0]
""",
            "DownMovedConv2d": """
class DownMovedConv2d(MovedConv2d):
    def sides(self):
        return [(self.filter_size[1] - 1) // 2] * 2
""",
        },
    ),
)


# C4: down moved convolution -------------------------------------------------------------------------------------------

DOWN_MOVED = (
    right(
        "C4",
        "skeleton-arguments",
        "the skeleton has other names and the default size [2, 3]",
        """
class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 3], stride=[1, 1], pad="VALID", nonlinearity=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = [filter_size] * 2 if isinstance(filter_size, int) else filter_size
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            stride,
            pad,
            activation=nonlinearity,
            kernel_initializer=tf.keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def call(self, inputs):
        half = int((self.filter_size[1] - 1) / 2)
        x = tf.pad(inputs, [[0, 0], [self.filter_size[0] - 1, 0], [half, half], [0, 0]])
        return self.conv(x)
""",
    ),
    right(
        "C4",
        "keras-ops",
        "keras.ops pads too, the layer may be created in build, and w // 2 is half of w - 1 where w is odd",
        """
class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = (filter_size, filter_size) if isinstance(filter_size, int) else tuple(filter_size)
        self.settings = dict(filters=num_filters, strides=strides, padding=padding, activation=activation)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.conv = keras.layers.Conv2D(kernel_size=self.filter_size, kernel_initializer=normal, **self.settings)
        self.built = True

    def call(self, inputs):
        height, width = self.filter_size
        return self.conv(keras.ops.pad(inputs, ((0, 0), (height - 1, 0), (width // 2, width // 2), (0, 0))))
""",
    ),
    right(
        "C4",
        "sequential",
        "a small Sequential may hold the padding and the convolution",
        """
def zeros_around(filter_size):
    side = (filter_size[1] - 1) // 2
    return keras.layers.ZeroPadding2D(((filter_size[0] - 1, 0), (side, side)))


class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(filter_size, (list, tuple)):
            filter_size = [filter_size, filter_size]
        self.filter_size = filter_size
        self.conv = keras.Sequential(
            [
                zeros_around(filter_size),
                keras.layers.Conv2D(
                    num_filters,
                    filter_size,
                    strides=strides,
                    padding=padding,
                    activation=activation,
                    kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
                ),
            ]
        )

    def call(self, inputs):
        return self.conv(inputs)
""",
    ),
    right(
        "C4",
        "pad-twice",
        "the two axes may be padded one after the other, and the activation applied by hand",
        """
class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filter_size = filter_size
        if isinstance(self.filter_size, int):
            self.filter_size = [self.filter_size for _ in range(2)]
        self.conv = keras.layers.Conv2D(num_filters, self.filter_size, strides, padding)
        self.conv.kernel_initializer = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.act = keras.activations.get(activation) if activation is not None else None

    def call(self, inputs):
        x = tf.pad(inputs, [[0, 0], [self.filter_size[0] - 1, 0], [0, 0], [0, 0]])
        x = tf.pad(x, [[0, 0], [0, 0], [(self.filter_size[1] - 1) // 2] * 2, [0, 0]])
        x = self.conv(x)
        if self.act is not None:
            x = self.act(x)
        return x
""",
    ),
    right(
        "C4",
        "dunder-call",
        "the handout asks for __call__, and tf.nn.convolution is a convolution",
        """
class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        two = lambda value: [value, value] if isinstance(value, int) else list(value)
        self.filter_size = two(filter_size)
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            two(strides),
            padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05, seed=4211),
        )

    def __call__(self, inputs, *args, **kwargs):
        columns = (self.filter_size[1] - 1) // 2
        zeros = tf.zeros_like(inputs[:, :, :1, :])
        inputs = tf.concat([zeros] * columns + [inputs] + [zeros] * columns, axis=2)
        zeros = tf.zeros_like(inputs[:, :1, :, :])
        inputs = tf.concat([zeros] * (self.filter_size[0] - 1) + [inputs], axis=1)
        return self.conv(inputs)
""",
    ),
    right(
        "C4",
        "sum-of-shifts",
        "a convolution is a sum of shifted images times the weights, and may be written so",
        """
class DownMovedConv2d(keras.layers.Layer):
    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.num_filters = num_filters
        self.filter_size = [filter_size, filter_size] if isinstance(filter_size, int) else filter_size
        self.strides = [strides, strides] if isinstance(strides, int) else strides
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.w = self.add_weight(shape=(*self.filter_size, input_shape[-1], self.num_filters), initializer=normal)
        self.b = self.add_weight(shape=(self.num_filters,), initializer="zeros")

    def call(self, inputs):
        kh, kw = self.filter_size
        down, right = self.strides
        side = (kw - 1) // 2
        x = tf.pad(inputs, [[0, 0], [kh - 1, 0], [side, side], [0, 0]])
        height, width = x.shape[1] - kh + 1, x.shape[2] - kw + 1
        y = self.b
        for i in range(kh):
            for j in range(kw):
                y += tf.matmul(x[:, i : i + height : down, j : j + width : right, :], self.w[i, j])
        return self.activation(y)
""",
    ),
)


# C5: the dense layer --------------------------------------------------------------------------------------------------

TENSOR_DENSE = (
    right(
        "C5",
        "dense-on-4d",
        "Dense works on the last axis of any tensor",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, nonlinearity=None, **kwargs):
        super().__init__(**kwargs)
        self.num_units = num_units
        self.dense = keras.layers.Dense(
            num_units,
            activation=nonlinearity,
            kernel_initializer=tf.keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def call(self, inputs):
        return self.dense(inputs)
""",
    ),
    right(
        "C5",
        "one-by-one",
        "a 1x1 convolution is the same operation",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, activation=None, **kwargs):
        super().__init__(**kwargs)
        normal = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.dense = keras.layers.Conv2D(num_units, kernel_size=1, activation=activation, kernel_initializer=normal)

    def call(self, inputs):
        return self.dense(inputs)
""",
    ),
    right(
        "C5",
        "einsum",
        "the kernel and the bias may be variables of the layer",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.num_units = num_units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.num_units), initializer=keras.initializers.RandomNormal(0.0, 0.05)
        )
        self.bias = self.add_weight(shape=(self.num_units,), initializer="zeros")

    def call(self, inputs):
        return self.activation(tf.einsum("bhwc,cd->bhwd", inputs, self.kernel) + self.bias)
""",
    ),
    right(
        "C5",
        "dynamic-shape",
        "sizes may be read from tf.shape, and random_normal is RandomNormal with 0 and 0.05",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.num_units = num_units
        self.dense = keras.layers.Dense(num_units, activation, kernel_initializer="random_normal")

    def call(self, inputs):
        shape = tf.shape(inputs)
        flat = tf.reshape(inputs, (shape[0] * shape[1] * shape[2], inputs.shape[-1]))
        return tf.reshape(self.dense(flat), tf.concat([shape[:3], [self.num_units]], axis=0))
""",
    ),
    right(
        "C5",
        "keras-ops",
        "keras.ops reshapes too, the layer may be created in build, and the activation may be a layer",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, activation="linear", **kwargs):
        super().__init__(**kwargs)
        self.num_units = num_units
        self.act = keras.layers.Activation(activation)

    def build(self, input_shape):
        self.dense = keras.layers.Dense(
            self.num_units, kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        )
        self.dense.build((None, input_shape[-1]))

    def call(self, inputs):
        _, h, w, c = inputs.shape
        x = keras.ops.reshape(inputs, (-1, c))
        x = self.act(self.dense(x))
        return keras.ops.reshape(x, (-1, h, w, self.num_units))
""",
    ),
    right(
        "C5",
        "pixels-in-a-row",
        "the batch axis may stay, and tf.tensordot is a dense layer",
        """
class TensorDense(keras.layers.Layer):
    def __init__(self, num_units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.num_units, self.activation = num_units, keras.activations.get(activation)

    def build(self, input_shape):
        self.C = input_shape[-1]
        init = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.kernel = self.add_weight(name="w", shape=[self.C, self.num_units], initializer=init, trainable=True)
        self.bias = self.add_weight(name="b", shape=[self.num_units], initializer="zeros", trainable=True)

    def call(self, inputs):
        rows = tf.reshape(inputs, [-1, inputs.shape[1] * inputs.shape[2], self.C])  # (B, H*W, C)
        rows = self.activation(tf.tensordot(rows, self.kernel, axes=[[2], [0]]) + self.bias)
        return tf.reshape(rows, [-1, inputs.shape[1], inputs.shape[2], self.num_units])
""",
    ),
)


# C6: the gated residual block -----------------------------------------------------------------------------------------

GATED_RESNET = (
    right(
        "C6",
        "slices",
        "the skeleton's argument is nonlinearity, and slices split as well",
        """
class GatedResnet(keras.layers.Layer):
    def __init__(self, num_filters, nonlinearity=concat_elu, **kwargs):
        super().__init__(**kwargs)
        self.num_filters = num_filters
        self.nonlinearity = nonlinearity
        self.nnLayer_1 = DownRightMovedConv2d(num_filters, filter_size=[2, 2])
        self.nnLayer_2 = DownRightMovedConv2d(2 * num_filters, filter_size=[2, 2])

    def call(self, x):
        c1 = self.nnLayer_1(self.nonlinearity(x))
        c2 = self.nnLayer_2(self.nonlinearity(c1))
        f, g = c2[:, :, :, : self.num_filters], c2[:, :, :, self.num_filters :]
        return x + keras.activations.sigmoid(g) * f
""",
    ),
    right(
        "C6",
        "dunder-call",
        "the handout asks for __call__; layers and intermediate steps may have any name",
        """
class GatedResnet(keras.layers.Layer):
    def __init__(self, num_filters, activation=concat_elu):
        super().__init__()
        self.layers_ = [DownRightMovedConv2d(n) for n in (num_filters, num_filters * 2)]
        self.activation = activation

    def __call__(self, inputs):
        x = inputs
        for layer in self.layers_:
            x = layer(self.activation(x))
        half = x.shape[-1] // 2
        features = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, half])
        gate = tf.slice(x, [0, 0, 0, half], [-1, -1, -1, half])
        return tf.add(inputs, tf.multiply(features, tf.math.sigmoid(gate)))
""",
    ),
    right(
        "C6",
        "tanh-identity",
        "a sigmoid is half of 1 + tanh(x / 2), and layers may be created in build",
        """
class GatedResnet(keras.layers.Layer):
    def __init__(self, num_filters, activation=concat_elu, **kwargs):
        super().__init__(**kwargs)
        self.num_filters = num_filters
        self.activation = activation

    def build(self, input_shape):
        self.nnLayer_2 = DownRightMovedConv2d(self.num_filters * 2)
        self.nnLayer_1 = DownRightMovedConv2d(self.num_filters)

    def call(self, inputs):
        hidden = self.nnLayer_2(self.activation(self.nnLayer_1(self.activation(inputs))))
        hidden = tf.reshape(hidden, [-1, hidden.shape[1], hidden.shape[2], 2, self.num_filters])
        features, gate = tf.unstack(hidden, axis=3)
        return 0.5 * features * (1.0 + tf.tanh(0.5 * gate)) + inputs
""",
    ),
    right(
        "C6",
        "helper-function",
        "the gate may be a function of its own, and the sigmoid its formula",
        '''
def gated(x):
    """Return the first half of the channels times the sigmoid of the second."""
    a, b = tf.split(x, num_or_size_splits=[x.shape[-1] // 2] * 2, axis=3)
    return a / (1.0 + tf.exp(-b))


class GatedResnet(keras.layers.Layer):
    """Gated residual block."""

    def __init__(self, num_filters: int, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.nonlinearity = concat_elu if activation is None else activation
        self.nnLayer_1 = DownRightMovedConv2d(num_filters=num_filters)
        self.nnLayer_2 = DownRightMovedConv2d(num_filters=num_filters * 2)

    def call(self, inputs, training=False):
        shortcut = tf.identity(inputs)
        y = self.nonlinearity(inputs)
        y = self.nnLayer_1(y)
        y = self.nonlinearity(y)
        y = self.nnLayer_2(y)
        return shortcut + gated(y)
''',
    ),
    right(
        "C6",
        "sequential",
        "the layers may stand in a Sequential, the product and the sum may be layers",
        """
class GatedResnet(keras.layers.Layer):
    def __init__(self, num_filters, activation=concat_elu, **kwargs):
        super().__init__(**kwargs)
        self.body = keras.Sequential(
            [
                keras.layers.Lambda(activation),
                DownRightMovedConv2d(num_filters),
                keras.layers.Lambda(activation),
                DownRightMovedConv2d(num_filters * 2),
            ]
        )
        self.multiply = keras.layers.Multiply()
        self.add = keras.layers.Add()

    def call(self, inputs):
        features, gate = keras.ops.split(self.body(inputs), 2, axis=-1)
        return self.add([inputs, self.multiply([features, keras.ops.sigmoid(gate)])])
""",
    ),
    right(
        "C6",
        "other-spelling",
        "ResNet is how the papers spell it; the activation may be looked up by keras.activations.get",
        """
class GatedResNet(keras.layers.Layer):
    def __init__(self, num_filters, activation=concat_elu, **kwargs):
        super().__init__(**kwargs)
        self.nonlinearity = keras.activations.get(activation)
        self.nnLayer_1, self.nnLayer_2 = DownRightMovedConv2d(num_filters), DownRightMovedConv2d(num_filters << 1)

    def call(self, inputs):
        channels = self.nnLayer_2(self.nonlinearity(self.nnLayer_1(self.nonlinearity(inputs))))
        F, G = tf.split(channels, 2, axis=3)
        return inputs + F * tf.nn.sigmoid(G)
""",
        ("ul_list_gated_resnet.append(GatedResnet(", "ul_list_gated_resnet.append(GatedResNet("),
    ),
)


# C7: the whole backbone -----------------------------------------------------------------------------------------------

AUTOREGRESSIVE_MODEL = (
    right(
        "C7",
        "table-order",
        "the arguments may stand in the order of Table 3",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_filters, n_resnet, n_block, n_output, **kwargs):
        super().__init__(**kwargs)
        self.n_filters, self.n_resnet, self.n_block, self.n_output = n_filters, n_resnet, n_block, n_output
        self.down_moved_conv2d = DownMovedConv2d(num_filters=self.n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(num_filters=self.n_filters, filter_size=[2, 1])
        self.out_dense = TensorDense(self.n_output)
        self.ul_list_gated_resnet = [GatedResnet(self.n_filters) for _ in range(n_resnet * n_block)]
        self.ul_list_dense_layer = [TensorDense(self.n_filters) for _ in range(n_block)]

    def call(self, inputs):
        x = right_move(self.down_right_moved_conv2d(inputs)) + down_move(self.down_moved_conv2d(inputs))
        for i, resnet in enumerate(self.ul_list_gated_resnet):
            x = resnet(x)
            if i % self.n_resnet == self.n_resnet - 1:
                x = self.ul_list_dense_layer[i // self.n_resnet](x)
        return self.out_dense(keras.activations.elu(x))
""",
        ("AutoregressiveModel(6, 64, 6, 10)(inputs)", "AutoregressiveModel(64, 6, 6, 10)(inputs)"),
    ),
    right(
        "C7",
        "lists-of-lists",
        "the layers may be kept in nested lists",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=6, n_filters=64, n_block=6, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.first = DownMovedConv2d(n_filters, [1, 3])
        self.second = DownRightMovedConv2d(n_filters, [2, 1])
        self.blocks = [[GatedResnet(n_filters) for _ in range(n_resnet)] for _ in range(n_block)]
        self.mixers = [TensorDense(n_filters) for _ in range(n_block)]
        self.last = TensorDense(n_output)

    def call(self, inputs):
        x = tf.add_n([down_move(self.first(inputs)), right_move(self.second(inputs))])
        for block, mixer in zip(self.blocks, self.mixers):
            for resnet in block:
                x = resnet(x)
            x = mixer(x)
        return self.last(tf.nn.elu(x))
""",
    ),
    right(
        "C7",
        "sequential-blocks",
        "a block may be a Sequential, the ELU a layer",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=[2, 1])
        self.network = keras.Sequential()
        for _ in range(n_block):
            block = [GatedResnet(n_filters) for _ in range(n_resnet)] + [TensorDense(n_filters)]
            self.network.add(keras.Sequential(block))
        self.network.add(keras.layers.ELU())
        self.network.add(TensorDense(n_output))

    def call(self, inputs):
        down = down_move(self.down_moved_conv2d(inputs))
        right = right_move(self.down_right_moved_conv2d(inputs))
        return self.network(keras.layers.add([down, right]))
""",
    ),
    right(
        "C7",
        "network-block",
        "Section 4.2.2 calls it a NetworkBlock: it may be a class of its own",
        """
class NetworkBlock(keras.layers.Layer):
    def __init__(self, n_filters, n_resnet, **kwargs):
        super().__init__(**kwargs)
        self.resnets = [GatedResnet(n_filters) for _ in range(n_resnet)]
        self.dense = TensorDense(n_filters)

    def call(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return self.dense(x)


class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=(1, 3))
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=(2, 1))
        self.blocks = [NetworkBlock(n_filters, n_resnet) for _ in range(n_block)]
        self.out_dense = TensorDense(n_output)

    def call(self, inputs):
        x1 = down_move(self.down_moved_conv2d(inputs), 1)
        x2 = right_move(self.down_right_moved_conv2d(inputs), 1)
        x = x1 + x2
        for block in self.blocks:
            x = block(x)
        return self.out_dense(tf.nn.elu(x))
""",
    ),
    right(
        "C7",
        "setattr",
        "layers may be plain attributes, made in a loop",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.n_resnet, self.n_block = n_resnet, n_block
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=[2, 1])
        self.out_dense = TensorDense(n_output)
        for m in range(n_block):
            for n in range(n_resnet):
                setattr(self, f"resnet_{m}_{n}", GatedResnet(n_filters))
            setattr(self, f"dense_{m}", TensorDense(n_filters))

    def call(self, inputs):
        x = down_move(self.down_moved_conv2d(inputs))
        x += right_move(self.down_right_moved_conv2d(inputs))
        for m in range(self.n_block):
            for n in range(self.n_resnet):
                x = getattr(self, f"resnet_{m}_{n}")(x)
            x = getattr(self, f"dense_{m}")(x)
        return self.out_dense(tf.where(x > 0.0, x, tf.exp(tf.minimum(x, 0.0)) - 1.0))
""",
    ),
    right(
        "C7",
        "built-late",
        "layers may be created in build, from a partial and an iterator",
        """
from functools import partial


class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, name="autoregressive_model", **kwargs):
        super().__init__(name=name, **kwargs)
        self.n_resnet, self.n_block = n_resnet, n_block
        self.make_resnet = partial(GatedResnet, n_filters, activation=concat_elu)
        self.make_dense = partial(TensorDense, n_filters)
        self.make_inputs = partial(DownMovedConv2d, n_filters, [1, 3]), partial(DownRightMovedConv2d, n_filters, [2, 1])
        self.make_output = partial(TensorDense, num_units=n_output)

    def build(self, input_shape):
        self.down, self.down_right = (make() for make in self.make_inputs)
        self.steps = []
        for _ in range(self.n_block):
            self.steps.extend(self.make_resnet() for _ in range(self.n_resnet))
            self.steps.append(self.make_dense())
        self.out_dense = self.make_output()

    def call(self, inputs):
        x = down_move(self.down(inputs)) + right_move(self.down_right(inputs))
        for step in self.steps:
            x = step(x)
        return self.out_dense(keras.ops.elu(x))
""",
    ),
    right(
        "C7",
        "dunder-call",
        "the handout asks for __call__; the shifts may be written out",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10):
        super().__init__()
        self.n_resnet = n_resnet
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=[2, 1])
        self.out_dense = TensorDense(n_output)
        self.ul_list_gated_resnet = []
        self.ul_list_dense_layer = []
        for _ in range(n_block):
            self.ul_list_gated_resnet += [GatedResnet(n_filters) for _ in range(n_resnet)]
            self.ul_list_dense_layer += [TensorDense(n_filters)]

    def __call__(self, inputs):
        down = self.down_moved_conv2d(inputs)
        down = tf.concat([tf.zeros_like(down[:, :1]), down[:, :-1]], axis=1)
        right = self.down_right_moved_conv2d(inputs)
        right = tf.concat([tf.zeros_like(right[:, :, :1]), right[:, :, :-1]], axis=2)
        x = down + right
        resnets = iter(self.ul_list_gated_resnet)
        for dense in self.ul_list_dense_layer:
            for _ in range(self.n_resnet):
                x = next(resnets)(x)
            x = dense(x)
        return self.out_dense(tf.nn.elu(x))
""",
    ),
)


# Habits of TensorFlow 2.11 and Keras 2, for which the handout was written --------------------------------------------

OLD_HABITS = (
    Variant(
        "C1-number-of-batches",
        "C1",
        "Keras 3 made num_batches a property of every data set; before, it was a name like any other",
        (
            (
                'self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))',
                'self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))\n'
                "        self.num_batches = int(np.ceil(len(self.image_paths) / batch_size))",
            ),
            (f"return {COUNT}", "return self.num_batches"),
        ),
    ),
    Variant(
        "C2-antialias",
        "C2",
        "Pillow 9 called its Lanczos filter ANTIALIAS, NumPy 1 had np.float_",
        (
            ("gray.resize((32, 32), Image.BILINEAR)", "gray.resize((32, 32), Image.ANTIALIAS)"),
            ("dtype=np.float32) / 255.0", "dtype=np.float_) / 255.0"),
        ),
    ),
    right(
        "C3",
        "handed-on-arguments",
        "a constructor may hand its arguments on, and a bias may have four axes",
        """
class CausalConvolution(keras.layers.Layer):
    def __init__(self, filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, side="left"):
        super().__init__()
        self.filters, self.side = filters, side
        self.size = [filter_size] * 2 if isinstance(filter_size, int) else list(filter_size)
        self.strides = [strides] * 2 if isinstance(strides, int) else list(strides)
        self.activation = tf.keras.activations.get(activation)

    def build(self, shape):
        normal = tf.keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        self.w = self.add_weight("w", shape=(*self.size, shape[-1], self.filters), initializer=normal)
        self.b = self.add_weight("b", shape=(1, 1, 1, self.filters), initializer="zeros")

    def call(self, x):
        x = tf.pad(x, [[0, 0], [self.size[0] - 1, 0], [self.size[1] - 1, 0], [0, 0]])
        return self.activation(tf.nn.conv2d(x, self.w, self.strides, "VALID") + self.b)


class DownRightMovedConv2d(CausalConvolution):
    def __init__(self, num_filters, *args, **kwargs):
        super().__init__(num_filters, *args, side="left", **kwargs)
""",
    ),
    right(
        "C6",
        "graph-function",
        "tf.function around call changes nothing but the speed; a class may be kept as an attribute",
        """
class GatedResnet(keras.layers.Layer):
    def __init__(self, num_filters, nonlinearity=concat_elu, **kwargs):
        super().__init__(**kwargs)
        self.nonlinearity = nonlinearity
        self.kind = DownRightMovedConv2d
        self.nnLayer_1 = self.kind(num_filters)
        self.nnLayer_2 = self.kind(2 * num_filters)

    @tf.function
    def call(self, x):
        h = self.nnLayer_2(self.nonlinearity(self.nnLayer_1(self.nonlinearity(x))))
        a, b = tf.split(h, num_or_size_splits=2, axis=3)
        return x + a * tf.nn.sigmoid(b)
""",
    ),
    right(
        "C7",
        "filled-lists",
        "Keras 2 keeps track of layers that are put into a list or a dict later on",
        """
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=[2, 1])
        self.out_dense = TensorDense(n_output)
        self.ul_list_dense_layer = [None] * n_block
        self.ul_list_gated_resnet = {}
        for i in range(n_block):
            self.ul_list_gated_resnet[i] = {}
            for j in range(n_resnet):
                self.ul_list_gated_resnet[i][j] = GatedResnet(n_filters)
            self.ul_list_dense_layer[i] = TensorDense(n_filters)

    def call(self, inputs):
        x = down_move(self.down_moved_conv2d(inputs)) + right_move(self.down_right_moved_conv2d(inputs))
        for i, dense in enumerate(self.ul_list_dense_layer):
            for resnet in self.ul_list_gated_resnet[i].values():
                x = resnet(x)
            x = dense(x)
        return self.out_dense(tf.nn.elu(x))
""",
    ),
    right(
        "C7",
        "dunder-call-in-sequential",
        "the handout asks for __call__; Keras 2 calls it inside a Sequential too",
        """
class NetworkBlock(keras.layers.Layer):
    def __init__(self, filters, resnets):
        super().__init__()
        self.layers = keras.Sequential([*(GatedResnet(filters) for _ in range(resnets)), TensorDense(filters)])

    def __call__(self, x):
        return self.layers(x)


class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.down_moved_conv2d = DownMovedConv2d(n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(n_filters, filter_size=[2, 1])
        self.out_dense = TensorDense(n_output)
        self.blocks = keras.Sequential([NetworkBlock(n_filters, n_resnet) for _ in range(n_block)])

    def __call__(self, inputs):
        x = down_move(self.down_moved_conv2d(inputs)) + right_move(self.down_right_moved_conv2d(inputs))
        return self.out_dense(tf.nn.elu(self.blocks(x)))
""",
    ),
)


VARIANTS: tuple[Variant, ...] = (
    *DATASET_LENGTH,
    *DATASET_BATCH,
    *DOWN_RIGHT_MOVED,
    *DOWN_MOVED,
    *TENSOR_DENSE,
    *GATED_RESNET,
    *AUTOREGRESSIVE_MODEL,
    *OLD_HABITS,
)
