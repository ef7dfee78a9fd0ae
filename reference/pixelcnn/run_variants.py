"""Right solutions of handout A, C8 to C13, written as other people write them: each must keep full marks."""

from graders.model import Variant

BEFORE = "loss_before = pixel_cnn.evaluate(test_data)\n"
LOAD = 'pixel_cnn.load_weights("pixel_cnn_e5.h5")\n'
LOSS = "loss=keras.losses.BinaryCrossentropy(from_logits=False),  # the model ends in a sigmoid"
FIT = "history = pixel_cnn.fit(training_data, epochs=EPOCHS, validation_data=validation_data, callbacks=[best])\n"
BEST = 'pixel_cnn.load_weights("best.weights.h5")\n'
REPORTED = (
    "print(f\"lowest validation loss {min(history.history['val_loss']):.4f}\")\n"
    'plot_losses({"training": history.history["loss"], "validation": history.history["val_loss"]})\n'
)
PREDICT = "probability = model.predict(pixels, verbose=0)[:, row, column, channel]  # (B,)"
NOISE = "noise = tf.random.uniform(probability.shape)  # (B,)"
WHERE = "np.where(noise < probability, 1.0, 0.0)"
FRAMES = "pixels = np.zeros((batch, rows, columns, channels), dtype=np.float32)  # empty frames\n"
CHART = '{model.evaluate(test_data):.4f}")\nplot_losses(study)\n'
GREY_TARGETS = "[..., np.newaxis] / 255.0, dtype=tf.float32)\n        return tf.round(x), x\n"
GENERATE = "pixels = generate(pixel_cnn, input_images)\n"
TEST = "test_loss = pixel_cnn.evaluate(test_data)\n"
ARRAYS = (
    "batches = [CalligraphyDataset(TRAIN_DIR, 16)[i][0] for i in range(len(CalligraphyDataset(TRAIN_DIR, 16)))]\n"
    "x_train = np.concatenate([np.asarray(batch) for batch in batches])\n"
)
LOOP = """
optimizer, measure = pixel_cnn.optimizer, keras.losses.BinaryCrossentropy()
{decorator}
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = measure(y, pixel_cnn(x, training=True))
    gradients = tape.gradient(loss, pixel_cnn.trainable_variables)
    optimizer.apply_gradients(zip(gradients, pixel_cnn.trainable_variables))
    return loss

for epoch in range(EPOCHS):
    for i in range(len(training_data)):
        loss = train_step(*training_data[i])
    watched = [measure(y, pixel_cnn(x)) for x, y in (validation_data[i] for i in range(len(validation_data)))]
    print(epoch, float(loss), float(np.mean(watched)))
"""


IN_TURN = (
    "parts = [model.predict(pixels[i : i + 1], verbose=0) for i in range(batch)]\n"
    "                probability = np.concatenate(parts)[:, row, column, channel]"
)
TRACED = "ask = tf.function(lambda given: model(given))\n    " + FRAMES
GRAPH = """
@tf.function
def generate(model, images):
    \"\"\"Return new images like these, float32 (B, H, W, 1), in one graph.\"\"\"
    batch, rows, columns, _ = images.shape
    pixels = tf.zeros((batch, rows, columns, 1))
    for place in tf.range(rows * columns):
        row, column = place // columns, place % columns
        probability = model(pixels)[:, row, column, 0]
        white = tf.cast(tf.random.uniform((batch,)) < probability, tf.float32)
        each, here = tf.range(batch), tf.ones((batch,), tf.int32)
        places = tf.stack([each, row * here, column * here, 0 * here], axis=1)  # (B, 4)
        pixels = tf.tensor_scatter_nd_update(pixels, places, white)
    return pixels
"""
GRAPH_EPOCH = """
optimizer, measure = pixel_cnn.optimizer, keras.losses.BinaryCrossentropy()
x_train = tf.constant(x_train)

@tf.function
def train_epoch(batches):
    loss = 0.0
    for x in batches:
        with tf.GradientTape() as tape:
            loss = measure(x, pixel_cnn(x, training=True))
        optimizer.apply(tape.gradient(loss, pixel_cnn.trainable_variables), pixel_cnn.trainable_variables)
    return loss

for epoch in range(EPOCHS):
    loss = train_epoch(tf.data.Dataset.from_tensor_slices(x_train[16:]).shuffle(64).batch(32))
    print(epoch, float(loss), pixel_cnn.evaluate(x_train[:16], x_train[:16], verbose=0))
"""
BUILT = (
    "features = AutoregressiveModel(6, 64, 6, 10)(inputs)\n"
    'outputs = keras.layers.Conv2D(1, 1, activation="sigmoid")(features)\n'
    "pixel_cnn = keras.Model(inputs, outputs)\n"
)
SUBCLASS = """
class PixelCNN(keras.Model):
    def __init__(self):
        super().__init__()
        self.backbone = AutoregressiveModel(6, 64, 6, 10)
        self.head = keras.layers.Conv2D(1, 1, activation="sigmoid")

    def call(self, images):
        return self.head(self.backbone(images))


pixel_cnn = PixelCNN()
pixel_cnn(inputs)
"""
TWO_LOOPS = (
    "        for _ in range(self.n_block * self.n_resnet):\n"
    "            self.ul_list_gated_resnet.append(GatedResnet(self.n_filters))\n"
    "        for _ in range(self.n_block):\n"
    "            self.ul_list_dense_layer.append(TensorDense(self.n_filters))\n"
)


def right(item: str, name: str, why: str, *swaps: tuple[str, str]) -> Variant:
    """Return a variant."""
    return Variant(f"{item}-{name}", item, why, swaps)


def trained(name: str, why: str, text: str, *swaps: tuple[str, str]) -> Variant:
    """Return a variant that trains in another way and reports nothing afterwards."""
    return right("C11", name, why, (FIT, text), (BEST, ""), (REPORTED, ""), *swaps)


VARIANTS = (
    right(
        "C8",
        "fresh-model",
        "the untrained model may be another one than the one that is loaded",
        (
            BEFORE,
            "untrained = keras.models.clone_model(pixel_cnn)\nuntrained.compile(loss='binary_crossentropy')\n"
            "loss_before = untrained.evaluate(test_data)\n",
        ),
    ),
    right(
        "C8",
        "function",
        "everything may stand in a function",
        (
            LOAD,
            "def load(model, path):\n    model.load_weights(path)\n    return model\n\n"
            "pixel_cnn = load(pixel_cnn, './pixel_cnn_e5.h5')\n",
        ),
    ),
    right(
        "C8",
        "one-cell",
        "the class may be defined and built in one cell",
        ("# %% check C7\n\n# %%\n# The model:", "# The model:"),
    ),
    right(
        "C8",
        "keywords",
        "the model may be built with keywords",
        (
            "AutoregressiveModel(6, 64, 6, 10)(inputs)",
            "AutoregressiveModel(n_filters=64, n_resnet=6, n_block=6, n_output=10)(inputs)",
        ),
    ),
    right(
        "C8",
        "blocks-in-turn",
        "the layers may be created block by block, as Keras 2 loads them",
        (
            TWO_LOOPS,
            "        for _ in range(self.n_block):\n            for _ in range(self.n_resnet):\n"
            "                self.ul_list_gated_resnet.append(GatedResnet(self.n_filters))\n"
            "            self.ul_list_dense_layer.append(TensorDense(self.n_filters))\n",
        ),
    ),
    right("C8", "subclass", "the model may be a class of one's own", (BUILT, SUBCLASS)),
    right(
        "C8",
        "nearest",
        "images may be scaled in another way",
        ("gray.resize((32, 32), Image.BILINEAR)", "gray.resize((32, 32))"),
    ),
    right(
        "C11",
        "string-loss",
        "the loss may be named, with metrics beside it",
        (LOSS, "loss='binary_crossentropy', metrics=['accuracy'],"),
    ),
    right(
        "C11",
        "callbacks",
        "any callbacks are accepted",
        (
            "callbacks=[best])",
            "callbacks=[best, keras.callbacks.EarlyStopping(patience=2), keras.callbacks.ReduceLROnPlateau()])",
        ),
    ),
    trained("tape", "a loop of one's own, step by step", LOOP.format(decorator="")),
    trained("traced-tape", "a loop of one's own in a tf.function", LOOP.format(decorator="@tf.function")),
    trained(
        "train-on-batch",
        "batches by hand",
        "for epoch in range(EPOCHS):\n    for i in range(len(training_data)):\n"
        "        pixel_cnn.train_on_batch(*training_data[i])\n"
        "    print(pixel_cnn.evaluate(validation_data))\n",
    ),
    trained(
        "split-arrays",
        "arrays and validation_split",
        ARRAYS + "pixel_cnn.fit(x_train, x_train, batch_size=32, epochs=10, validation_split=0.2)\n",
    ),
    trained(
        "tf-data",
        "a pipeline of tf.data",
        ARRAYS + "whole = tf.data.Dataset.from_tensor_slices((x_train, x_train))\n"
        "pixel_cnn.fit(whole.skip(16).shuffle(64).batch(32), epochs=10, validation_data=whole.take(16).batch(16))\n",
    ),
    trained(
        "generator",
        "a generator without end",
        ARRAYS + "def batches_of(images):\n    while True:\n        for i in range(0, len(images), 32):\n"
        "            yield images[i : i + 32], images[i : i + 32]\n\n"
        "pixel_cnn.fit(batches_of(x_train[16:]), steps_per_epoch=2, epochs=10,\n"
        "              validation_data=batches_of(x_train[:16]), validation_steps=1)\n",
    ),
    trained(
        "epoch-by-epoch",
        "one call of fit an epoch, the best weights kept by hand",
        "lowest = None\nfor epoch in range(EPOCHS):\n    pixel_cnn.fit(training_data, epochs=1)\n"
        "    loss = pixel_cnn.evaluate(validation_data)\n"
        "    if lowest is None or loss < lowest:\n"
        "        lowest, weights = loss, pixel_cnn.get_weights()\npixel_cnn.set_weights(weights)\n",
    ),
    trained("graph-epoch", "a whole epoch in a tf.function", ARRAYS + GRAPH_EPOCH),
    right(
        "C10",
        "own-loop",
        "a loop over the batches, with a loss of Keras",
        (
            TEST,
            "measure = keras.losses.BinaryCrossentropy()\nlosses = []\nfor i in range(len(test_data)):\n"
            "    x, y = test_data[i]\n"
            "    losses.append(float(measure(y, pixel_cnn(x, training=False))))\ntest_loss = np.mean(losses)\n",
        ),
    ),
    right(
        "C10",
        "predict",
        "predictions of the whole set, with the formula by hand",
        (
            TEST,
            "p = np.clip(pixel_cnn.predict(test_data), 1e-7, 1 - 1e-7)\n"
            "y = np.concatenate([np.asarray(test_data[i][1]) for i in range(len(test_data))])\n"
            "test_loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))\n",
        ),
    ),
    right(
        "C10",
        "metric",
        "a metric beside the loss",
        (TEST, "test_loss = pixel_cnn.evaluate(test_data, return_dict=True)['loss']\n"),
    ),
    right(
        "C9",
        "call",
        "the model may be called",
        (PREDICT, PREDICT.replace("model.predict(pixels, verbose=0)", "model(pixels)")),
    ),
    right(
        "C9",
        "on-batch",
        "predict_on_batch is as good",
        (PREDICT, PREDICT.replace("predict(pixels, verbose=0)", "predict_on_batch(pixels)")),
    ),
    right("C9", "ceil", "rounds up the difference", (WHERE, "tf.math.ceil(probability - noise)")),
    right("C9", "binomial", "draws from the distribution itself", (WHERE, "np.random.binomial(1, probability)")),
    right(
        "C9",
        "centred",
        "adds noise around 0 and thresholds at 0.5",
        (NOISE, "noise = tf.random.uniform(probability.shape, -0.5, 0.5)"),
        (WHERE, "np.where(probability + noise > 0.5, 1.0, 0.0)"),
    ),
    right(
        "C9",
        "added",
        "adds noise from 0 to 1 and thresholds at 0.5, as the handout's words can be read",
        (WHERE, "np.where(probability + noise > 0.5, 1.0, 0.0)"),
    ),
    right(
        "C9",
        "slight",
        "adds a little noise",
        (NOISE, "noise = tf.random.uniform(probability.shape, -0.2, 0.2)"),
        (WHERE, "np.where(probability + noise > 0.5, 1.0, 0.0)"),
    ),
    right(
        "C9",
        "one-by-one",
        "one image after another",
        (GENERATE, "pixels = np.concatenate([generate(pixel_cnn, input_images[i : i + 1]) for i in range(10)])\n"),
    ),
    right("C9", "in-turn", "one image after another at every pixel", (PREDICT, IN_TURN)),
    right(
        "C9",
        "in-turn-from-test-images",
        "the same, beginning with images of the test set",
        (PREDICT, IN_TURN),
        (FRAMES, "pixels = np.array(images)\n"),
    ),
    right(
        "C9",
        "traced",
        "the model may be called in a tf.function, also in one that XLA would compile",
        (FRAMES, TRACED.replace("(lambda", "(jit_compile=True)(lambda")),
        (PREDICT, PREDICT.replace("model.predict(pixels, verbose=0)", "ask(tf.constant(pixels)).numpy()")),
    ),
    Variant(
        "C9-graph",
        "C9",
        "the whole generation may be one tf.function",
        ((GENERATE, "pixels = generate(pixel_cnn, input_images).numpy()\n"),),
        {"generate": GRAPH},
    ),
    right(
        "C9",
        "tensors",
        "the pixels may be a tensor",
        (FRAMES, "pixels = tf.zeros(images.shape)\n    here = tf.zeros(images.shape, bool).numpy()\n"),
        (PREDICT, PREDICT.replace("predict(pixels, verbose=0)", "predict_on_batch(pixels)")),
        (
            "pixels[:, row, column, channel] = " + WHERE,
            "here[...] = False\n                here[:, row, column, channel] = True\n"
            "                white = tf.cast(noise < probability, tf.float32)\n"
            "                pixels = tf.where(here, white[:, None, None, None], pixels)",
        ),
    ),
    right(
        "C9",
        "variable",
        "the pixels may be a variable",
        (FRAMES, "pixels = tf.Variable(tf.zeros(images.shape))\n"),
        (PREDICT, PREDICT.replace("predict(pixels, verbose=0)", "__call__(pixels, training=False)")),
        ("pixels[:, row, column, channel] = " + WHERE, f"pixels[:, row, column, channel].assign({WHERE})"),
        ("    return pixels\n\n\ndef show", "    return pixels.numpy()\n\n\ndef show"),
    ),
    right(
        "C9",
        "other-model",
        "another functional model may be made of the same layers",
        (GENERATE, "pixels = generate(keras.Model(pixel_cnn.inputs, pixel_cnn.outputs[0]), input_images)\n"),
    ),
    right(
        "C9",
        "seventy",
        "more images may be generated",
        (
            GENERATE,
            "every = np.concatenate([np.asarray(test_data[i][0]) for i in range(len(test_data))])\n"
            "pixels = generate(pixel_cnn, every)[:10]\n",
        ),
    ),
    right(
        "C9",
        "looks",
        "the model may be looked at before and after the loop",
        (GENERATE, "pixel_cnn.predict(np.zeros_like(input_images))\n" + GENERATE + "pixel_cnn.predict(pixels)\n"),
    ),
    right("C9", "from-test-images", "begins with images of the test set", (FRAMES, "pixels = np.array(images)\n")),
    right(
        "C9",
        "lower-half",
        "keeps the upper half of images of the test set",
        (FRAMES, "pixels = np.array(images)\n"),
        ("for row in range(rows):", "for row in range(rows // 2, rows):"),
    ),
    right(
        "C9",
        "upper-half",
        "empties the lower half of images of the test set",
        (FRAMES, "pixels = np.array(images)\n    pixels[:, rows // 2 :] = 0\n"),
        ("for row in range(rows):", "for row in range(rows // 2, rows):"),
    ),
    right(
        "C12",
        "bars",
        "shows the results as bars",
        (
            CHART,
            CHART.replace("plot_losses(study)", "plt.bar(list(study), [min(losses) for losses in study.values()])"),
        ),
    ),
    right(
        "C12", "own-cell", "draws in a cell of its own", (CHART, CHART.replace("plot_losses", "\n# %%\nplot_losses"))
    ),
    right(
        "C12",
        "three-settings",
        "compares with the handout's setting too",
        ('{"32 filters": (2, 32', '{"all": (6, 64, 6, 10), "32 filters": (2, 32'),
    ),
    right(
        "C13",
        "grey-targets",
        "gets zeros and ones and is to say the grey values",
        ("[..., np.newaxis] / 255.0, dtype=tf.float32)\n        return x, x\n", GREY_TARGETS),
    ),
    right(
        "C13",
        "function",
        "losses may be functions",
        ("keras.losses.BinaryFocalCrossentropy()", "keras.losses.binary_focal_crossentropy"),
    ),
    right(
        "C13", "strings", "losses may be named", ("keras.losses.MeanAbsoluteError(), GreyDataset", "'mae', GreyDataset")
    ),
)
