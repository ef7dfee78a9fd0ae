"""Right solutions of handout B, C1, C2 and C5, written as other people write them: each must keep full marks.

A variant is the whole definition of its class, or a few swapped lines where the difference is that small.
"""

from graders.model import Variant

CLASSES = {"C1": "ResBlock", "C2": "WRN", "C5": "ResBlockRE"}


def right(item: str, name: str, why: str, definition: str) -> Variant:
    """Return the variant in which the item's class is defined as given."""
    return Variant(f"{item}-{name}", item, why, replaces={CLASSES[item]: definition})


# C1: the block --------------------------------------------------------------------------------------------------------

BLOCK = (
    right(
        "C1",
        "sequential-layer",
        "the block may be a layer whose branches are models",
        """
class ResBlock(tf.keras.layers.Layer):
    def __init__(self, in_channels, out_channels, downsampling=False, **kwargs):
        super().__init__(**kwargs)
        stride = (2, 2) if downsampling else (1, 1)
        self.main = keras.Sequential([
            keras.layers.LeakyReLU(),
            keras.layers.Conv2D(filters=out_channels, kernel_size=(3, 3), padding="same"),
            keras.layers.LeakyReLU(),
            keras.layers.Conv2D(filters=out_channels, kernel_size=(3, 3), strides=stride, padding="same"),
        ])
        if in_channels == out_channels and not downsampling:
            self.shortcut = lambda inputs: inputs
        else:
            self.shortcut = keras.layers.Conv2D(out_channels, (1, 1), strides=stride, use_bias=False, padding="same")

    def call(self, inputs, training=False):
        return keras.layers.add([self.main(inputs, training=training), self.shortcut(inputs)])
""",
    ),
    right(
        "C1",
        "functions",
        "the default slope of TensorFlow's function is another than that of Keras's layer",
        """
class ResBlock(keras.layers.Layer):
    def __init__(self, in_ch, out_ch, downsampling=False):
        super().__init__()
        self.needs_skip = downsampling or in_ch != out_ch
        s = 1 + int(downsampling)
        self.skip = keras.layers.Conv2D(out_ch, 1, s, use_bias=False)
        self.c1 = keras.layers.Conv2D(out_ch, 3, padding="same")
        self.c2 = keras.layers.Conv2D(out_ch, 3, s, padding="same")

    def call(self, x):
        h = self.c1(tf.nn.leaky_relu(x))
        h = self.c2(tf.nn.leaky_relu(h))
        if self.needs_skip:
            return h + self.skip(x)
        return h + x
""",
    ),
    right(
        "C1",
        "mixed-slopes",
        "one activation may be a layer and the other a function, each in its default setting",
        """
class ResBlock(keras.Model):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        stride = 2 if downsampling else 1
        self.relu = keras.layers.LeakyReLU()
        self.conv_a = keras.layers.Conv2D(out_channels, 3, 1, "same")
        self.conv_b = keras.layers.Conv2D(out_channels, 3, stride, "same")
        self.project = (downsampling or in_channels != out_channels) and keras.layers.Conv2D(
            out_channels, 1, stride, "valid", use_bias=False
        )

    def call(self, x):
        out = self.conv_b(keras.activations.leaky_relu(self.conv_a(self.relu(x))))
        return out + self.project(x) if self.project else out + x
""",
    ),
    right(
        "C1",
        "built-late",
        "layers may be made when the shape of the input is known",
        """
class ResBlock(tf.keras.layers.Layer):
    def __init__(self, in_channels, out_channels, downsampling=False, name=None):
        super().__init__(name=name)
        self.in_channels, self.out_channels, self.downsampling = in_channels, out_channels, downsampling
        self.act = tf.keras.layers.LeakyReLU()

    def build(self, input_shape):
        step = 2 if self.downsampling else 1
        self.convs = [
            tf.keras.layers.Conv2D(self.out_channels, 3, padding="same"),
            tf.keras.layers.Conv2D(self.out_channels, 3, padding="same", strides=(step, step)),
        ]
        self.side = None
        if step == 2 or input_shape[-1] != self.out_channels:
            self.side = tf.keras.layers.Conv2D(self.out_channels, 1, strides=step, use_bias=False)

    def call(self, x):
        residual = x if self.side is None else self.side(x)
        for conv in self.convs:
            x = conv(self.act(x))
        return tf.add(x, residual)
""",
    ),
    right(
        "C1",
        "activated-convolutions",
        "the second activation may belong to the first convolution",
        """
class ResBlock(keras.Model):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        strides = 2 if downsampling else 1
        self.first = keras.layers.LeakyReLU()
        self.hidden = keras.layers.Conv2D(out_channels, 3, padding="same", activation=keras.layers.LeakyReLU())
        self.last = keras.layers.Conv2D(out_channels, 3, strides=strides, padding="same")
        same = in_channels == out_channels and strides == 1
        self.skip = (
            keras.layers.Identity() if same else keras.layers.Conv2D(out_channels, 1, strides, use_bias=False)
        )

    def call(self, x):
        return self.last(self.hidden(self.first(x))) + self.skip(x)
""",
    ),
    right(
        "C1",
        "own-variables",
        "convolutions need not be layers",
        """
class ResBlock(keras.layers.Layer):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        self.strides = 2 if downsampling else 1
        self.k1 = self.add_weight(shape=(3, 3, in_channels, out_channels), initializer="glorot_uniform", name="k1")
        self.b1 = self.add_weight(shape=(out_channels,), initializer="zeros", name="b1")
        self.k2 = self.add_weight(shape=(3, 3, out_channels, out_channels), initializer="glorot_uniform", name="k2")
        self.b2 = self.add_weight(shape=(out_channels,), initializer="zeros", name="b2")
        if downsampling or in_channels != out_channels:
            self.ks = self.add_weight(shape=(1, 1, in_channels, out_channels), initializer="he_normal", name="ks")
        else:
            self.ks = None

    def call(self, x):
        y = tf.nn.conv2d(tf.nn.leaky_relu(x), self.k1, 1, "SAME") + self.b1
        y = tf.nn.conv2d(tf.nn.leaky_relu(y), self.k2, self.strides, "SAME") + self.b2
        return y + (x if self.ks is None else tf.nn.conv2d(x, self.ks, self.strides, "SAME"))
""",
    ),
)

# C2: the network ------------------------------------------------------------------------------------------------------

NETWORK = (
    right(
        "C2",
        "function",
        "the tip of Section 5.2: a model made by `Sequential`, here for one size of image",
        """
def WRN(num_classes=10):
    model = keras.Sequential(name="WRN-16-4")
    model.add(keras.Input(shape=(32, 32, 3)))
    model.add(keras.layers.Conv2D(16, (3, 3), padding="same"))
    widths, before = (64, 128, 256), 16
    for stage, width in enumerate(widths):
        model.add(ResBlock(before, width, stage > 0))
        model.add(ResBlock(width, width))
        before = width
    model.add(keras.layers.LeakyReLU())
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(num_classes))
    model.num_classes = num_classes
    return model
""",
    ),
    right(
        "C2",
        "functional",
        "a functional model, and a function as the last activation",
        """
def WRN(n_class=10):
    inputs = tf.keras.Input((None, None, 3))
    x = tf.keras.layers.Conv2D(16, 3, padding="same", name="stem")(inputs)
    for narrow, wide, down in [
        (16, 64, False), (64, 64, False), (64, 128, True), (128, 128, False), (128, 256, True), (256, 256, False)
    ]:
        x = ResBlock(narrow, wide, down)(x)
    x = tf.keras.layers.Activation("leaky_relu")(x)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(n_class, name="logits")(x))
    model.num_classes = n_class
    return model
""",
    ),
    right(
        "C2",
        "attributes",
        "layers may be attributes in any order, and the mean may be taken by a function",
        """
class WRN(tf.keras.Model):
    def __init__(self, num_classes=10, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.head = tf.keras.layers.Dense(num_classes)
        self.block6 = ResBlock(256, 256)
        self.block5 = ResBlock(128, 256, True)
        self.block4 = ResBlock(128, 128)
        self.block3 = ResBlock(64, 128, True)
        self.block2 = ResBlock(64, 64)
        self.block1 = ResBlock(16, 64)
        self.stem = tf.keras.layers.Conv2D(16, 3, padding="same")

    def call(self, inputs, training=None):
        x = self.stem(inputs)
        for block in (self.block1, self.block2, self.block3, self.block4, self.block5, self.block6):
            x = block(x)
        return self.head(tf.reduce_mean(tf.nn.leaky_relu(x), axis=[1, 2]))
""",
    ),
    right(
        "C2",
        "list-of-blocks",
        "blocks in a list, and Keras's function for the last activation",
        """
class WRN(keras.Model):
    def __init__(self, num_classes=10):
        super().__init__()
        self.num_classes = num_classes
        self.conv = keras.layers.Conv2D(16, 3, padding="same")
        channels = [16, 64, 64, 128, 128, 256, 256]
        self.blocks = [
            ResBlock(channels[i], channels[i + 1], downsampling=i in (2, 4)) for i in range(len(channels) - 1)
        ]
        self.pool = keras.layers.GlobalAvgPool2D(keepdims=True)
        self.flatten = keras.layers.Flatten()
        self.fc = keras.layers.Dense(num_classes, activation=None)

    def call(self, x):
        x = self.conv(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(self.flatten(self.pool(keras.activations.leaky_relu(x))))
""",
    ),
    Variant(
        "C2-instance",
        "C2",
        "a model may be made once instead of a class",
        (("classifier = WRN()\n", "classifier = WRN\n"),),
        {
            "WRN": """
WRN = keras.Sequential([
    keras.layers.Conv2D(16, 3, padding="same"),
    ResBlock(16, 64),
    ResBlock(64, 64),
    ResBlock(64, 128, downsampling=True),
    ResBlock(128, 128),
    ResBlock(128, 256, downsampling=True),
    ResBlock(256, 256),
    keras.layers.LeakyReLU(),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(10),
])
"""
        },
    ),
    right(
        "C2",
        "always-ten",
        "a model without an argument has 10 classes",
        """
class WRN(keras.Model):
    num_classes = 10

    def __init__(self):
        super().__init__()
        stages = [(16, 64, 64), (64, 128, 128), (128, 256, 256)]
        layers = [keras.layers.Conv2D(16, 3, padding="same")]
        for a, b, c in stages:
            layers += [ResBlock(a, b, downsampling=a > 16), ResBlock(b, c, downsampling=False)]
        layers += [keras.layers.LeakyReLU(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
        self.net = keras.Sequential(layers)

    def call(self, x, training=False):
        return self.net(x, training=training)
""",
    ),
)

# C5: the block with a regularisation ----------------------------------------------------------------------------------

DROPOUT = "self.dropout = keras.layers.Dropout(0.3)"

REGULARISED = (
    Variant("C5-batch-norm", "C5", "batch normalisation", (('method = "dropout"', 'method = "batch norm"'),)),
    Variant(
        "C5-spatial",
        "C5",
        "whole channels may be dropped",
        ((DROPOUT, "self.dropout = keras.layers.SpatialDropout2D(0.2)"),),
    ),
    Variant(
        "C5-noise",
        "C5",
        "noise that acts in training is a regularisation",
        ((DROPOUT, "self.dropout = keras.layers.GaussianNoise(0.2)"),),
    ),
    Variant(
        "C5-gaussian-dropout",
        "C5",
        "dropout with Gaussian factors",
        ((DROPOUT, "self.dropout = keras.layers.GaussianDropout(0.2)"),),
    ),
    right(
        "C5",
        "subclass",
        "the block of C1 may be reused, with dropout behind F(x), and learns of training from Keras alone",
        """
class ResBlockRE(ResBlock):
    def __init__(self, in_channels, out_channels, drop_rate, downsampling=False):
        super().__init__(in_channels, out_channels, downsampling)
        self.drop = keras.layers.Dropout(drop_rate)

    def call(self, x):
        f = self.conv2(self.act2(self.conv1(self.act1(x))))
        return self.drop(f) + (x if self.skip is None else self.skip(x))
""",
    ),
    right(
        "C5",
        "l2",
        "a loss that grows with the weights is a regularisation too",
        """
class ResBlockRE(keras.layers.Layer):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        s = 2 if downsampling else 1
        l2 = keras.regularizers.l2(5e-4)
        self.f = keras.Sequential([
            keras.layers.LeakyReLU(),
            keras.layers.Conv2D(out_channels, 3, padding="same", kernel_regularizer=l2),
            keras.layers.LeakyReLU(),
            keras.layers.Conv2D(out_channels, 3, strides=s, padding="same", kernel_regularizer=l2),
        ])
        self.skip = None
        if downsampling or in_channels != out_channels:
            self.skip = keras.layers.Conv2D(out_channels, 1, strides=s, use_bias=False, kernel_regularizer=l2)

    def call(self, x):
        return self.f(x) + (x if self.skip is None else self.skip(x))
""",
    ),
    right(
        "C5",
        "norm-after",
        "normalisation behind each convolution, which then needs no bias; the skip connection may have one as well",
        """
class ResBlockRE(tf.keras.Model):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        stride = 2 if downsampling else 1
        self.conv1 = tf.keras.layers.Conv2D(out_channels, 3, padding="same", use_bias=False)
        self.bn1 = tf.keras.layers.BatchNormalization()
        self.conv2 = tf.keras.layers.Conv2D(out_channels, 3, stride, padding="same", use_bias=False)
        self.bn2 = tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.shortcut = None
        if downsampling or in_channels != out_channels:
            self.shortcut = tf.keras.Sequential([
                tf.keras.layers.Conv2D(out_channels, 1, stride, use_bias=False),
                tf.keras.layers.BatchNormalization(),
            ])

    def call(self, inputs, training=False):
        x = self.bn1(self.conv1(tf.nn.leaky_relu(inputs)), training=training)
        x = self.bn2(self.conv2(tf.nn.leaky_relu(x)), training=training)
        if self.shortcut is not None:
            inputs = self.shortcut(inputs, training=training)
        return x + inputs
""",
    ),
    right(
        "C5",
        "by-hand",
        "dropout by a function, where training is asked for",
        """
class ResBlockRE(keras.layers.Layer):
    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        stride = 2 if downsampling else 1
        self.conv1 = keras.layers.Conv2D(out_channels, 3, padding="same")
        self.conv2 = keras.layers.Conv2D(out_channels, 3, strides=stride, padding="same")
        self.skip = keras.layers.Conv2D(out_channels, 1, strides=stride, use_bias=False)
        self.same = in_channels == out_channels and not downsampling

    def call(self, x, training=False):
        h = tf.nn.leaky_relu(x)
        if training:
            h = tf.nn.dropout(h, rate=0.1)
        h = tf.nn.leaky_relu(self.conv1(h))
        return self.conv2(h) + (x if self.same else self.skip(x))
""",
    ),
)

VARIANTS: tuple[Variant, ...] = (*BLOCK, *NETWORK, *REGULARISED)
