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
    right("C9", "from-test-images", "begins with images of the test set", (FRAMES, "pixels = np.array(images)\n")),
    right(
        "C9",
        "lower-half",
        "keeps the upper half of images of the test set",
        (FRAMES, "pixels = np.array(images)\n"),
        ("for row in range(rows):", "for row in range(rows // 2, rows):"),
    ),
    right(
        "C13", "strings", "losses may be named", ("keras.losses.MeanAbsoluteError(), GreyDataset", "'mae', GreyDataset")
    ),
)
