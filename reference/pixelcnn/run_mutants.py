"""Wrong solutions of handout A, C8 to C13: mistakes that show when the whole notebook runs.

Every mutant is the reference's text with some lines swapped. `also` are the items that the same mistake costs.
"""

from graders.model import Mutant

BEFORE = "loss_before = pixel_cnn.evaluate(test_data)\n"
LOAD = 'pixel_cnn.load_weights("pixel_cnn_e5.h5")\n'
AFTER = "loss_after = pixel_cnn.evaluate(test_data)\n"
SHOWN = 'print(f"test loss before loading {loss_before:.4f}, after loading {loss_after:.4f}")\n'
ADAM = "learning_rate=0.0001, beta_1=0.95, beta_2=0.9995, epsilon=1e-6, use_ema=True, ema_momentum=0.9995"
LOSS = "loss=keras.losses.BinaryCrossentropy(from_logits=False),  # the model ends in a sigmoid"
COMPILE = "pixel_cnn.compile(\n    optimizer="
FIT = "history = pixel_cnn.fit(training_data, epochs=EPOCHS, validation_data=validation_data, callbacks=[best])\n"
BEST = 'pixel_cnn.load_weights("best.weights.h5")\n'
SPLIT = "training_data, validation_data = split_training_images(CalligraphyDataset)\n"
CUT = "training.image_paths, validation.image_paths = paths[:cut], paths[cut:]"
FRESH = (
    "keras.Model(inputs, keras.layers.Conv2D(1, 1, activation='sigmoid')(AutoregressiveModel(6, 64, 6, 10)(inputs)))"
)
PREDICT = "probability = model.predict(pixels, verbose=0)[:, row, column, channel]  # (B,)"
NOISE = "noise = tf.random.uniform(probability.shape)  # (B,)"
WRITE = "pixels[:, row, column, channel] = np.where(noise < probability, 1.0, 0.0)"
ROWS = "    for row in range(rows):\n        for column in range(columns):\n"
FRAMES = "pixels = np.zeros((batch, rows, columns, channels), dtype=np.float32)  # empty frames\n"
GENERATE = "pixels = generate(pixel_cnn, input_images)\n"
TEST = "test_loss = pixel_cnn.evaluate(test_data)\n"
SETTINGS = 'settings = {"32 filters": (2, 32, 2, 10), "64 filters": (2, 64, 2, 10)}'
TRAIN_STUDY = "model, study[name] = train_from_scratch(setting, binary_crossentropy, training_data, validation_data)\n"
BUILD_STUDY = (
    "images = keras.Input((32, 32, 1))\n"
    "    hidden = AutoregressiveModel(*setting)(images)\n"
    "    model = keras.Model(images, keras.layers.Conv2D(1, 1, activation='sigmoid')(hidden))\n"
    "    model.compile(loss=binary_crossentropy)\n"
    "    study[name] = [model.evaluate(validation_data)]\n"
)
GREY = "np.stack(images)[..., np.newaxis] / 255.0"
REGRESSION = '    "mean absolute error": (keras.losses.MeanAbsoluteError(), GreyDataset),\n'


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


def wrong(
    item: str, name: str, mistake: str, loses: str, *swaps: tuple[str, str], also: tuple[str, ...] = ()
) -> Mutant:
    """Return a mutant; `loses` are the names of criteria, separated by blanks."""
    return Mutant(f"{item}-{name}", item, mistake, tuple(loses.split()), swaps, also=also)


LOADING = (
    wrong("C8", "never", "loads nothing", "loaded improved used", (LOAD, ""), also=("C11",)),
    wrong(
        "C8",
        "rebuilt",
        "builds the model anew after loading",
        "used",
        (SHOWN, f"pixel_cnn = {FRESH}\npixel_cnn.compile(keras.optimizers.Adam({ADAM}), 'binary_crossentropy')\n"),
        also=("C11",),
    ),
    wrong("C8", "late", "loads after training", "used", (LOAD, ""), (BEST, BEST + LOAD + AFTER), also=("C11",)),
    wrong(
        "C8",
        "other-model",
        "loads into a copy and goes on with the original",
        "improved used",
        (LOAD, "keras.models.clone_model(pixel_cnn)." + LOAD.partition(".")[2]),
        also=("C11",),
    ),
    wrong(
        "C8",
        "created-last",
        "creates out_dense last, so that the file does not fit",
        "loaded improved used",
        ("        self.out_dense = TensorDense(self.n_output)\n        self.ul", "        self.ul"),
        (
            "            self.ul_list_dense_layer.append(TensorDense(self.n_filters))\n",
            "            self.ul_list_dense_layer.append(TensorDense(self.n_filters))\n"
            "        self.out_dense = TensorDense(self.n_output)\n",
        ),
        also=("C11",),
    ),
    wrong(
        "C8",
        "train-data",
        "evaluates on training data",
        "improved",
        (BEFORE, BEFORE.replace("test_d", "train_d")),
        (AFTER, AFTER.replace("test_d", "train_d")),
    ),
    wrong("C8", "no-before", "makes up the loss before loading", "improved", (BEFORE, "loss_before = 0.7\n")),
    wrong("C8", "no-after", "makes up the loss after loading", "improved", (AFTER, "loss_after = 0.2\n")),
    wrong(
        "C8",
        "loaded-first",
        "loads before both evaluations",
        "improved",
        (BEFORE, LOAD + BEFORE),
        (LOAD + AFTER, AFTER),
    ),
    wrong(
        "C8",
        "printed",
        "prints losses that it never measured",
        "improved",
        (BEFORE, "loss_before = 0.6931\n"),
        (AFTER, "loss_after = 0.2044\n"),
    ),
    wrong(
        "C8",
        "patched",
        "puts a function of its own in the place of evaluate",
        "improved",
        (BEFORE, "pixel_cnn.evaluate = lambda data: 0.5\n" + BEFORE),
        also=("C10", "C11"),
    ),
    wrong(
        "C8",
        "own-file",
        "saves the untrained weights and loads those",
        "loaded improved used",
        (LOAD, 'pixel_cnn.save_weights("own.weights.h5")\npixel_cnn.load_weights("own.weights.h5")\n'),
        also=("C11",),
    ),
    wrong(
        "C8",
        "swallowed",
        "hides that the file is not found",
        "loaded improved used",
        (
            LOAD,
            'try:\n    pixel_cnn.load_weights("_".join(("pixel", "cnn", "e4")) + ".h5")\nexcept Exception:\n    pass\n',
        ),
        also=("C11",),
    ),
)

GENERATING = (
    wrong(
        "C9",
        "at-once",
        "predicts all pixels of the image at once",
        "order feedback noise binary count",
        (
            GENERATE,
            "p = pixel_cnn.predict(np.zeros_like(input_images))\n"
            "pixels = np.where(np.random.uniform(size=p.shape) < p, 1.0, 0.0)\n",
        ),
    ),
    wrong(
        "C9",
        "columns",
        "goes column by column",
        "order",
        (ROWS, "    for column in range(columns):\n        for row in range(rows):\n"),
    ),
    wrong(
        "C9",
        "all-pixels",
        "writes every pixel at every step",
        "order feedback",
        (PREDICT, "probability = model.predict(pixels, verbose=0)"),
        (WRITE, "pixels[:] = np.where(noise < probability, 1.0, 0.0)"),
    ),
    wrong(
        "C9",
        "no-feedback",
        "predicts from the test images at every step",
        "order feedback",
        (PREDICT, PREDICT.replace("predict(pixels", "predict(images")),
    ),
    wrong("C9", "no-noise", "thresholds at 0.5 without noise", "noise", (NOISE, "noise = 0.5")),
    wrong("C9", "shared-noise", "draws one number for all images", "noise", (NOISE, "noise = tf.random.uniform(())")),
    wrong(
        "C9",
        "noise-once",
        "draws the noise once, before the loops",
        "noise",
        (FRAMES, FRAMES + "    noise = tf.random.uniform((batch,))\n"),
        (NOISE, ""),
    ),
    wrong(
        "C9",
        "noise-a-row",
        "draws the noise once a row",
        "noise",
        (ROWS, ROWS.replace("rows):\n", "rows):\n        noise = tf.random.uniform((batch,))\n", 1)),
        (NOISE, ""),
    ),
    wrong(
        "C9",
        "noise-a-column",
        "draws the noise of one row for all rows",
        "noise",
        (FRAMES, FRAMES + "    drawn = np.random.uniform(size=(batch, columns))\n"),
        (NOISE, "noise = drawn[:, column]"),
    ),
    wrong(
        "C9",
        "seeded",
        "sets the seed before every draw",
        "noise",
        (NOISE, "np.random.seed(0)\n                " + NOISE.replace("tf.random.uniform(", "np.random.uniform(size=")),
    ),
    wrong(
        "C9",
        "no-threshold",
        "writes the probabilities",
        "binary",
        (WRITE, WRITE.replace("np.where(noise < probability, 1.0, 0.0)", "probability")),
    ),
    wrong(
        "C9",
        "noise-alone",
        "adds noise and sets no threshold",
        "binary",
        (WRITE, WRITE.replace("np.where(noise < probability, 1.0, 0.0)", "probability + noise")),
    ),
    wrong(
        "C9",
        "reversed",
        "makes the surely white pixels black",
        "probability",
        (WRITE, WRITE.replace("noise <", "noise >")),
    ),
    wrong(
        "C9",
        "neighbour",
        "reads the probability of the pixel beside",
        "probability",
        (PREDICT, PREDICT.replace("column, channel", "column - 1, channel")),
    ),
    wrong(
        "C9",
        "coin",
        "tosses a coin, whatever the model says",
        "probability",
        (WRITE, WRITE.replace("noise < probability", "noise < 0.5")),
    ),
    wrong(
        "C9",
        "transposed",
        "writes the pixel at (column, row)",
        "order probability",
        (WRITE, WRITE.replace("row, column", "column, row")),
    ),
    wrong(
        "C9", "five", "generates five images", "count", (GENERATE, GENERATE.replace("input_images", "input_images[:5]"))
    ),
    wrong("C9", "untrained", "generates with a new model", "model", (GENERATE, GENERATE.replace("pixel_cnn", FRESH))),
    wrong(
        "C9",
        "last-row",
        "leaves the last row empty",
        "order",
        ("for row in range(rows):", "for row in range(rows - 1):"),
    ),
    wrong(
        "C9",
        "in-turn-shared-noise",
        "asks image by image and draws one number for all",
        "noise",
        (PREDICT, IN_TURN),
        (NOISE, "noise = np.random.uniform()"),
    ),
    wrong(
        "C9",
        "in-turn-no-feedback",
        "asks image by image, always for the same images",
        "order feedback",
        (PREDICT, IN_TURN.replace("predict(pixels", "predict(images")),
    ),
    wrong(
        "C9",
        "traced-no-noise",
        "thresholds at 0.5 what a tf.function returns",
        "noise",
        (FRAMES, TRACED),
        (PREDICT, PREDICT.replace("model.predict(pixels, verbose=0)", "ask(tf.constant(pixels)).numpy()")),
        (NOISE, "noise = 0.5"),
    ),
    Mutant(
        "C9-graph-columns",
        "C9",
        "goes column by column in a tf.function",
        ("order",),
        ((GENERATE, "pixels = generate(pixel_cnn, input_images).numpy()\n"),),
        {"generate": GRAPH.replace("place // columns, place % columns", "place % rows, place // rows")},
    ),
    wrong(
        "C9",
        "one-of-ten",
        "generates the first of ten images",
        "count",
        (WRITE, "pixels[0, row, column, channel] = np.where(noise < probability, 1.0, 0.0)[0]"),
    ),
    wrong("C9", "levels", "writes 255 for white", "binary", (WRITE, WRITE.replace("1.0", "255.0"))),
)

TESTING = (
    wrong(
        "C10",
        "train-data",
        "reports the loss on training data",
        "data",
        (TEST, TEST.replace("test_data", "train_data")),
    ),
    wrong("C10", "one-batch", "evaluates one batch", "data", (TEST, TEST.replace("(test_data", "(*test_data[0]"))),
    wrong(
        "C10",
        "validation",
        "reports the loss on the validation data",
        "data",
        (TEST, TEST.replace("test_data", "validation_data")),
    ),
    wrong("C10", "mse", "reports the mean squared error", "value", (TEST, "pixel_cnn.compile(loss='mse')\n" + TEST)),
    wrong(
        "C10",
        "logits",
        "takes the sigmoid's outputs for logits",
        "value",
        (TEST, "pixel_cnn.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))\n" + TEST),
    ),
    wrong("C10", "made-up", "prints a number", "data value trained", (TEST, "test_loss = 0.1936\n")),
    wrong(
        "C10",
        "before-training",
        "repeats the loss from before the training",
        "data value trained",
        (TEST, "test_loss = loss_after\n"),
    ),
    wrong(
        "C10",
        "untrained",
        "evaluates a new model",
        "trained",
        (TEST, f"fresh = {FRESH}\nfresh.compile(loss='binary_crossentropy')\n" + TEST.replace("pixel_cnn", "fresh")),
    ),
    wrong("C10", "reloaded", "goes back to the given weights first", "trained", (TEST, LOAD + TEST)),
    wrong(
        "C10",
        "sum",
        "adds up the losses of the batches",
        "value",
        (
            TEST,
            "test_loss = 0.0\nfor i in range(len(test_data)):\n    x, y = test_data[i]\n"
            "    test_loss += float(keras.ops.sum(keras.ops.binary_crossentropy(y, pixel_cnn.predict(x))))\n",
        ),
    ),
    wrong(
        "C10",
        "rounded",
        "rounds the probabilities first",
        "value",
        (
            TEST,
            "losses = []\nfor i in range(len(test_data)):\n    x, y = test_data[i]\n"
            "    losses.append(float(keras.losses.BinaryCrossentropy()(y, np.round(pixel_cnn.predict(x)))))\n"
            "test_loss = np.mean(losses)\n",
        ),
    ),
)

ALL = "optimizer epochs pretrained training_data validation loss"
TRAINING = (
    wrong("C11", "learning-rate", "a learning rate of 0.001", "optimizer", (ADAM, ADAM.replace("0.0001", "0.001"))),
    wrong(
        "C11",
        "no-ema",
        "no moving average",
        "optimizer",
        (ADAM, ADAM.replace("use_ema=True, ema_momentum=0.9995", "use_ema=False")),
    ),
    wrong("C11", "default-adam", "Adam as it comes", "optimizer", (ADAM, "0.0001")),
    wrong("C11", "beta-2", "beta_2 as it comes", "optimizer", (ADAM, ADAM.replace("beta_2=0.9995, ", ""))),
    wrong("C11", "epsilon", "epsilon of 1e-7", "optimizer", (ADAM, ADAM.replace("1e-6", "1e-7"))),
    wrong(
        "C11",
        "adamw",
        "AdamW",
        "optimizer",
        ("optimizer=keras.optimizers.Adam(\n", "optimizer=keras.optimizers.AdamW(\n"),
    ),
    wrong("C11", "five-epochs", "5 epochs", "epochs", ("EPOCHS = 10\n", "EPOCHS = 5\n")),
    wrong("C11", "twenty-epochs", "20 epochs", "epochs", ("EPOCHS = 10\n", "EPOCHS = 20\n")),
    wrong("C11", "no-epochs", "calls fit for no epoch at all", ALL, ("EPOCHS = 10\n", "EPOCHS = 0\n")),
    wrong(
        "C11",
        "validates-on-train",
        "validates on the training images",
        "validation",
        (FIT, FIT.replace("data=validation_data", "data=training_data")),
    ),
    wrong(
        "C11",
        "validates-on-test",
        "validates on the test images",
        "validation",
        (FIT, FIT.replace("data=validation_data", "data=test_data")),
    ),
    wrong(
        "C11",
        "trains-on-test",
        "trains on the test images",
        "training_data",
        (FIT, FIT.replace("fit(training_data", "fit(test_data")),
    ),
    wrong(
        "C11",
        "test-among",
        "puts the test images among the training images",
        "training_data",
        (SPLIT, SPLIT + "training_data.image_paths += test_data.image_paths\n"),
    ),
    wrong(
        "C11",
        "no-validation",
        "does not validate",
        "validation",
        (FIT, FIT.replace("validation_data=validation_data, ", "")),
        ('monitor="val_loss"', 'monitor="loss"'),
        ("min(history.history['val_loss'])", "min(history.history['loss'])"),
        (', "validation": history.history["val_loss"]', ""),
    ),
    wrong(
        "C11",
        "overlap",
        "validates on images that it trains on",
        "validation",
        (CUT, "training.image_paths, validation.image_paths = paths, paths[cut:]"),
    ),
    wrong(
        "C11",
        "few",
        "trains on 16 images",
        "training_data",
        (CUT, "training.image_paths, validation.image_paths = paths[:16], paths[cut:]"),
    ),
    wrong(
        "C11",
        "negative",
        "trains on the negatives of the images",
        "loss",
        (FIT, FIT.replace("fit(training_data", "fit(Negatives(TRAIN_DIR, 64)")),
        (
            SPLIT,
            SPLIT + "class Negatives(CalligraphyDataset):\n    def __getitem__(self, idx):\n"
            "        x, _ = training_data[idx]\n        return x, 1 - x\n\n"
            "    def __len__(self):\n        return len(training_data)\n\n\n",
        ),
    ),
    wrong("C11", "mse", "the mean squared error", "loss", (LOSS, "loss='mse',"), also=("C10",)),
    wrong(
        "C11", "logits", "from_logits beside a sigmoid", "loss", (LOSS, LOSS.replace("False", "True")), also=("C10",)
    ),
    wrong(
        "C11",
        "frozen",
        "trains the last layer only",
        "loss",
        (COMPILE, "pixel_cnn.layers[1].trainable = False\n" + COMPILE),
    ),
    wrong(
        "C11",
        "new-model",
        "trains a new model",
        "pretrained",
        (FIT, f"pixel_cnn = {FRESH}\npixel_cnn.compile(keras.optimizers.Adam({ADAM}), 'binary_crossentropy')\n" + FIT),
        also=("C8",),
    ),
    wrong(
        "C11",
        "recompiled",
        "compiles with other parameters before training",
        "optimizer",
        (FIT, "pixel_cnn.compile('adam', 'binary_crossentropy')\n" + FIT),
    ),
    wrong(
        "C11",
        "made-up",
        "makes up a log instead of training",
        ALL,
        (FIT, "history = keras.callbacks.History()\nhistory.history = {'loss': [0.3, 0.2], 'val_loss': [0.3, 0.2]}\n"),
        (BEST, ""),
    ),
    wrong(
        "C11",
        "no-step",
        "computes gradients and never applies them",
        ALL,
        (
            FIT,
            "history = keras.callbacks.History()\nhistory.history = {'loss': [], 'val_loss': [0.0]}\n"
            "for epoch in range(EPOCHS):\n    for i in range(len(training_data)):\n"
            "        x, y = training_data[i]\n        with tf.GradientTape() as tape:\n"
            "            loss = keras.losses.BinaryCrossentropy()(y, pixel_cnn(x, training=True))\n"
            "        tape.gradient(loss, pixel_cnn.trainable_variables)\n",
        ),
        (BEST, ""),
    ),
)

STUDYING = (
    wrong(
        "C12", "one-setting", "studies one setting", "settings", (SETTINGS, 'settings = {"32 filters": (2, 32, 2, 10)}')
    ),
    wrong(
        "C12",
        "same-setting",
        "gives one setting two names",
        "settings",
        (SETTINGS, SETTINGS.replace("(2, 32", "(2, 64")),
    ),
    wrong(
        "C12",
        "default-setting",
        "takes the handout's own setting for one of the two",
        "settings",
        (SETTINGS, SETTINGS.replace("(2, 32, 2, 10)", "(6, 64, 6, 10)")),
    ),
    wrong(
        "C12",
        "no-chart",
        "shows no chart",
        "plot",
        ('{model.evaluate(test_data):.4f}")\nplot_losses(study)\n', '{model.evaluate(test_data):.4f}")\n'),
    ),
    wrong(
        "C12",
        "untrained",
        "evaluates models of two settings that nobody trained",
        "settings plot",
        (TRAIN_STUDY, BUILD_STUDY),
    ),
    wrong(
        "C12",
        "printed",
        "prints the losses in place of a chart",
        "plot",
        (
            '{model.evaluate(test_data):.4f}")\nplot_losses(study)\n',
            '{model.evaluate(test_data):.4f}")\nprint(study)\n',
        ),
    ),
    wrong(
        "C13",
        "same-loss",
        "takes the default loss again",
        "classification",
        ("keras.losses.BinaryFocalCrossentropy()", "keras.losses.BinaryCrossentropy()"),
    ),
    wrong("C13", "one-loss", "leaves the regression out", "regression targets", (REGRESSION, "")),
    wrong(
        "C13",
        "binary-targets",
        "regresses on zeros and ones",
        "targets",
        (REGRESSION, REGRESSION.replace("GreyDataset", "CalligraphyDataset")),
    ),
    wrong("C13", "rounded", "rounds the grey values", "targets", (GREY, f"np.round({GREY})")),
    wrong("C13", "levels", "regresses on levels up to 255", "targets", (GREY, GREY.removesuffix(" / 255.0"))),
    wrong(
        "C13",
        "cross-entropy-of-greys",
        "takes the cross-entropy for the regression too",
        "regression targets",
        ("keras.losses.MeanAbsoluteError(), GreyDataset", "keras.losses.BinaryCrossentropy(), GreyDataset"),
    ),
)

MUTANTS = (*LOADING, *GENERATING, *TESTING, *TRAINING, *STUDYING)
