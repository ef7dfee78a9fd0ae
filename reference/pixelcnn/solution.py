# %% [markdown]
# # Autoregressive image modelling: PixelCNN on Chinese calligraphy
#
# Handout: COMP 4211 (Spring 2023), Programming Assignment 2. Fill in the cells marked `[C1]` to `[C13]`, top to bottom.
# Under each coding item stands a cell with `graders.check(...)`: it says within seconds what is right and what is not.
# Keep the result of every cell in the notebook that you hand in.

# %%
import glob
import os

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow import keras

import graders

# %% [markdown]
# ## Dataset and data generator (Section 4.1)
#
# `[C1]` The constructor keeps the batch size and the directory; `__len__` returns the number of batches.
#
# `[C2]` `__getitem__` returns two tensors `(batch, 32, 32, 1)`, the input and the target, here the same images:
# gray scale, 32x32, normalised to [0, 1], binarised at 0.33.


# %%
# [C1] [C2]
class CalligraphyDataset(keras.utils.Sequence):
    """Batches of binarised images of a folder of JPG files (Section 4.1)."""

    def __init__(self, image_dir, batch_size, **kwargs):
        # BEGIN SOLUTION C1
        super().__init__(**kwargs)
        self.image_dir = image_dir
        self.batch_size = batch_size
        self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))
        # END SOLUTION

    def __len__(self):
        """Return the number of batches; the last one may be smaller."""
        # BEGIN SOLUTION C1
        return int(np.ceil(len(self.image_paths) / self.batch_size))
        # END SOLUTION

    def __getitem__(self, idx):
        """Return batch `idx` twice, as input and as target: float32 (batch, 32, 32, 1) of zeros and ones."""
        # BEGIN SOLUTION C2
        start = idx * self.batch_size
        images = []
        for path in self.image_paths[start : start + self.batch_size]:
            gray = Image.open(path).convert("L")  # (H, W)
            small = gray.resize((32, 32), Image.BILINEAR)  # (32, 32)
            images.append(np.asarray(small, dtype=np.float32) / 255.0)
        x = np.stack(images)[..., np.newaxis]  # (batch, 32, 32, 1)
        x = tf.constant(np.where(x < 0.33, 0.0, 1.0), dtype=tf.float32)
        return x, x
        # END SOLUTION


# %% check C1 C2

# %%
# The data of the course: training images and test images as JPG files.
TRAIN_DIR = "./pa2/train"
TEST_DIR = "./pa2/test"
BATCH_SIZE = 32

train_data = CalligraphyDataset(TRAIN_DIR, BATCH_SIZE)
test_data = CalligraphyDataset(TEST_DIR, BATCH_SIZE)
print(len(train_data), "training batches,", len(test_data), "test batches")

# %%
examples, _ = train_data[0]
plt.figure(figsize=(8, 2))
for i in range(min(8, len(examples))):
    plt.subplot(1, 8, i + 1)
    plt.imshow(examples[i, :, :, 0], cmap="gray")
    plt.axis("off")
plt.show()

# %% [markdown]
# ## Provided functions (Section 4.2.3.1)
#
# You do not have to do anything here.


# %%
class Conv2d(keras.layers.Layer):
    """An ordinary 2D convolution, (B, H, W, C) -> (B, H', W', num_filters)."""

    def __init__(self, num_filters, filter_size=[3, 3], strides=[1, 1], padding="same", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.conv = keras.layers.Conv2D(
            num_filters,
            filter_size,
            strides,
            padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )

    def call(self, inputs):
        return self.conv(inputs)


def down_move(x, step=1):
    """Shift the features of x (B, H, W, C) down: zeros enter at the top, the bottom rows are dropped."""
    return tf.pad(x, [[0, 0], [step, 0], [0, 0], [0, 0]])[:, : x.shape[1], :, :]


def right_move(x, step=1):
    """Shift the features of x (B, H, W, C) to the right: zeros enter at the left, the last columns are dropped."""
    return tf.pad(x, [[0, 0], [0, 0], [step, 0], [0, 0]])[:, :, : x.shape[2], :]


def concat_elu(x):
    """ELU of x and of -x, side by side: (B, H, W, C) -> (B, H, W, 2C) (arXiv 1603.05201)."""
    return tf.nn.elu(tf.concat([x, -x], axis=-1))


# %% [markdown]
# ## Down-right moved 2D convolution (Section 4.2.3.2)
#
# `[C3]` Pad the top by (filter height - 1) rows and the left by (filter width - 1) columns, then convolve.
# The kernel is initialised by `RandomNormal` with mean 0 and standard deviation 0.05.


# %%
# [C3]
class DownRightMovedConv2d(keras.layers.Layer):
    """Causal convolution, (B, H, W, C) -> (B, H', W', num_filters); H' = H and W' = W at stride 1."""

    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        # BEGIN SOLUTION C3
        super().__init__(**kwargs)
        self.filter_size = [filter_size, filter_size] if isinstance(filter_size, int) else list(filter_size)
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            strides,
            padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION C3
        height, width = self.filter_size
        padded = tf.pad(inputs, [[0, 0], [height - 1, 0], [width - 1, 0], [0, 0]])
        return self.conv(padded)
        # END SOLUTION


# %% check C3

# %% [markdown]
# ## Down moved 2D convolution (Section 4.2.3.3)
#
# `[C4]` As above, but the width is padded on both sides with (filter width - 1) / 2 columns.


# %%
# [C4]
class DownMovedConv2d(keras.layers.Layer):
    """Convolution that sees no row below, (B, H, W, C) -> (B, H', W', num_filters)."""

    def __init__(self, num_filters, filter_size=[2, 2], strides=[1, 1], padding="valid", activation=None, **kwargs):
        # BEGIN SOLUTION C4
        super().__init__(**kwargs)
        self.filter_size = [filter_size, filter_size] if isinstance(filter_size, int) else list(filter_size)
        self.conv = keras.layers.Conv2D(
            num_filters,
            self.filter_size,
            strides,
            padding,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION C4
        height, width = self.filter_size
        side = (width - 1) // 2
        padded = tf.pad(inputs, [[0, 0], [height - 1, 0], [side, side], [0, 0]])
        return self.conv(padded)
        # END SOLUTION


# %% check C4

# %% [markdown]
# ## Customised dense operation (Section 4.2.3.4)
#
# `[C5]` Reshape (B, H, W, C) to (B*H*W, C), apply one `keras.layers.Dense`, reshape back to (B, H, W, num_units).


# %%
# [C5]
class TensorDense(keras.layers.Layer):
    """A dense layer on the channels of every pixel, (B, H, W, C) -> (B, H, W, num_units)."""

    def __init__(self, num_units, activation=None, **kwargs):
        # BEGIN SOLUTION C5
        super().__init__(**kwargs)
        self.num_units = num_units
        self.dense = keras.layers.Dense(
            num_units,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.05),
        )
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION C5
        _, height, width, channels = inputs.shape
        pixels = tf.reshape(inputs, [-1, channels])  # (B*H*W, C)
        return tf.reshape(self.dense(pixels), [-1, height, width, self.num_units])
        # END SOLUTION


# %% check C5

# %% [markdown]
# ## Gated residual block (Section 4.2.3.5)
#
# `[C6]` Activation, `nnLayer_1`, activation, `nnLayer_2`; split the result into F and G; input + F * sigmoid(G).


# %%
# [C6]
class GatedResnet(keras.layers.Layer):
    """Gated residual block, (B, H, W, num_filters) -> (B, H, W, num_filters)."""

    def __init__(self, num_filters, activation=concat_elu, **kwargs):
        # BEGIN SOLUTION C6
        super().__init__(**kwargs)
        self.nonlinearity = activation
        self.nnLayer_1 = DownRightMovedConv2d(num_filters)
        self.nnLayer_2 = DownRightMovedConv2d(num_filters * 2)
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION C6
        hidden = self.nnLayer_1(self.nonlinearity(inputs))  # (B, H, W, C)
        hidden = self.nnLayer_2(self.nonlinearity(hidden))  # (B, H, W, 2C)
        features, gate = tf.split(hidden, 2, axis=-1)  # (B, H, W, C) each
        return inputs + features * tf.sigmoid(gate)
        # END SOLUTION


# %% check C6

# %% [markdown]
# ## Putting it all together (Section 4.2.4)
#
# `[C7]` The two moved convolutions are given. Add N `GatedResnet` and one `TensorDense` for each of the M blocks,
# then one ELU and `out_dense`. Create the layers in the order of Section 4.2.5, else the given weights do not load.


# %%
# [C7]
class AutoregressiveModel(keras.layers.Layer):
    """The backbone of Figure 5, (B, H, W, C) -> (B, H, W, n_output)."""

    def __init__(self, n_resnet=5, n_filters=256, n_block=12, n_output=10, **kwargs):
        super().__init__(**kwargs)
        self.n_resnet = n_resnet
        self.n_filters = n_filters
        self.n_block = n_block
        self.n_output = n_output
        self.down_moved_conv2d = DownMovedConv2d(self.n_filters, filter_size=[1, 3])
        self.down_right_moved_conv2d = DownRightMovedConv2d(self.n_filters, filter_size=[2, 1])
        # BEGIN SOLUTION C7
        self.out_dense = TensorDense(self.n_output)
        self.ul_list_gated_resnet = []
        self.ul_list_dense_layer = []
        # In two loops: Keras 2 orders weights by list, Keras 3 by layer created, and so they are the same.
        for _ in range(self.n_block * self.n_resnet):
            self.ul_list_gated_resnet.append(GatedResnet(self.n_filters))
        for _ in range(self.n_block):
            self.ul_list_dense_layer.append(TensorDense(self.n_filters))
        # END SOLUTION

    def call(self, inputs):
        x = down_move(self.down_moved_conv2d(inputs)) + right_move(self.down_right_moved_conv2d(inputs))
        # BEGIN SOLUTION C7
        for block in range(self.n_block):
            start = block * self.n_resnet
            for resnet in self.ul_list_gated_resnet[start : start + self.n_resnet]:
                x = resnet(x)  # (B, H, W, n_filters)
            x = self.ul_list_dense_layer[block](x)  # (B, H, W, n_filters)
        return self.out_dense(tf.nn.elu(x))  # (B, H, W, n_output)
        # END SOLUTION


# %% check C7

# %%
# The model: the backbone, then a 1x1 convolution and a sigmoid, which gives the probability of a white pixel.
inputs = keras.Input(shape=(32, 32, 1))
features = AutoregressiveModel(6, 64, 6, 10)(inputs)
outputs = keras.layers.Conv2D(1, 1, activation="sigmoid")(features)
pixel_cnn = keras.Model(inputs, outputs)
pixel_cnn.summary()

# %% [markdown]
# Compile the model for the rundown of Section 4.5: Adam with the parameters of the handout, binary cross-entropy.

# %%
# [C11]
# BEGIN SOLUTION C11
pixel_cnn.compile(
    optimizer=keras.optimizers.Adam(
        learning_rate=0.0001, beta_1=0.95, beta_2=0.9995, epsilon=1e-6, use_ema=True, ema_momentum=0.9995
    ),
    loss=keras.losses.BinaryCrossentropy(from_logits=False),  # the model ends in a sigmoid
)
# END SOLUTION

# %% [markdown]
# ## Load the pretrained weights (Section 4.3)
#
# `[C8]` Evaluate on the test data, load `pixel_cnn_e5.h5`, evaluate again: the result must improve.

# %%
# [C8]
# BEGIN SOLUTION C8
loss_before = pixel_cnn.evaluate(test_data)
pixel_cnn.load_weights("pixel_cnn_e5.h5")
loss_after = pixel_cnn.evaluate(test_data)
print(f"test loss before loading {loss_before:.4f}, after loading {loss_after:.4f}")
# END SOLUTION

# %% [markdown]
# ## Rundown (Section 4.5)
#
# `[C11]` Split the training images 80:20 (Section 4.1), train for 10 epochs after loading the weights and watch the
# validation loss. Go on with the weights of the lowest validation loss.

# %%
# [C11]
# BEGIN SOLUTION C11
EPOCHS = 10


def split_training_images(dataset_class):
    """Return a training and a validation set, 80:20, of the images in TRAIN_DIR; no image is in both (Section 4.1)."""
    training, validation = dataset_class(TRAIN_DIR, BATCH_SIZE), dataset_class(TRAIN_DIR, BATCH_SIZE)
    paths = list(np.random.default_rng(0).permutation(training.image_paths))  # the same order at every call
    cut = int(0.8 * len(paths))
    training.image_paths, validation.image_paths = paths[:cut], paths[cut:]
    return training, validation


def plot_losses(losses):
    """Draw a line chart of losses by epoch; `losses` are lists by name."""
    for name, values in losses.items():
        plt.plot(range(1, len(values) + 1), values, label=name)
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()


training_data, validation_data = split_training_images(CalligraphyDataset)
# During fit, the validation loss and the checkpoint are those of the raw weights. At its end Keras puts the moving
# averages (use_ema) in their place; to load the checkpoint brings back the raw weights of the best epoch.
best = keras.callbacks.ModelCheckpoint(
    "best.weights.h5", monitor="val_loss", save_best_only=True, save_weights_only=True
)
history = pixel_cnn.fit(training_data, epochs=EPOCHS, validation_data=validation_data, callbacks=[best])
pixel_cnn.load_weights("best.weights.h5")
print(f"lowest validation loss {min(history.history['val_loss']):.4f}")
plot_losses({"training": history.history["loss"], "validation": history.history["val_loss"]})
# END SOLUTION

# %%
pixel_cnn.save_weights("pixel_cnn.weights.h5")

# %% [markdown]
# ## Evaluation (Section 4.4)
#
# `[C9]` Generate 10 new images of the size of 10 images of the test set: begin with empty frames, predict the pixels
# one by one in raster order, add noise, map each of them to 0 or 1. `deprocess_image` is given.


# %%
def deprocess_image(image):
    """Turn an image (H, W, 1) of values in [0, 1] into levels that matplotlib shows, uint8 (H, W, 3)."""
    return np.repeat(np.clip(image * 255.0, 0, 255).astype(np.uint8), 3, axis=-1)


# %%
# [C9]
# BEGIN SOLUTION C9
def generate(model, images):
    """Return as many new images as are given and of their size, float32 (B, H, W, C) of zeros and ones."""
    batch, rows, columns, channels = images.shape
    pixels = np.zeros((batch, rows, columns, channels), dtype=np.float32)  # empty frames
    for row in range(rows):
        for column in range(columns):
            for channel in range(channels):
                probability = model.predict(pixels, verbose=0)[:, row, column, channel]  # (B,)
                noise = tf.random.uniform(probability.shape)  # (B,)
                # White with the predicted probability: the threshold is the noise.
                pixels[:, row, column, channel] = np.where(noise < probability, 1.0, 0.0)
    return pixels


def show(images, title):
    """Show images (B, H, W, 1) in one line."""
    plt.figure(figsize=(len(images), 1.5))
    plt.suptitle(title)
    for i in range(len(images)):
        plt.subplot(1, len(images), i + 1)
        plt.imshow(deprocess_image(images[i]))
        plt.axis("off")
    plt.show()


input_images = test_data[0][0].numpy()[:10]  # (10, 32, 32, 1)
pixels = generate(pixel_cnn, input_images)
show(input_images, "images of the test set")
show(pixels, "generated images")
# END SOLUTION

# %% [markdown]
# `[C10]` Report the binary cross-entropy on the test set.

# %%
# [C10]
# BEGIN SOLUTION C10
test_loss = pixel_cnn.evaluate(test_data)
print(f"binary cross-entropy on the test set {test_loss:.4f}")
# END SOLUTION

# %% [markdown]
# ## Bonus (Section 4.6)
#
# `[C12]` Study the model parameters: two settings, with line charts. The pretrained weights do not fit them.


# %%
# [C12]
# BEGIN SOLUTION C12
def train_from_scratch(setting, loss, training, validation):
    """Build a model of a setting (N, filters, M, outputs), train it, return it and its validation losses."""
    images = keras.Input(shape=(32, 32, 1))
    hidden = AutoregressiveModel(*setting)(images)
    model = keras.Model(images, keras.layers.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss=loss)
    fitted = model.fit(training, epochs=STUDY_EPOCHS, validation_data=validation)
    return model, fitted.history["val_loss"]


STUDY_EPOCHS = 15  # more than above, because nothing is pretrained
settings = {"32 filters": (2, 32, 2, 10), "64 filters": (2, 64, 2, 10)}
study = {}
for name, setting in settings.items():
    binary_crossentropy = keras.losses.BinaryCrossentropy()
    model, study[name] = train_from_scratch(setting, binary_crossentropy, training_data, validation_data)
    print(f"{name}: test loss {model.evaluate(test_data):.4f}")
plot_losses(study)
# END SOLUTION

# %% [markdown]
# `[C13]` Study the loss function: `BinaryFocalCrossentropy` for classification and `MeanAbsoluteError` for regression,
# the latter on grey values between 0 and 1. Compare the generated images.


# %%
# [C13]
# BEGIN SOLUTION C13
class GreyDataset(CalligraphyDataset):
    """Batches of images that are not binarised, for regression."""

    def __getitem__(self, idx):
        """Return batch `idx` twice, as input and as target: float32 (batch, 32, 32, 1) of values in [0, 1]."""
        paths = self.image_paths[idx * self.batch_size : (idx + 1) * self.batch_size]
        images = [np.asarray(Image.open(path).convert("L").resize((32, 32), Image.BILINEAR)) for path in paths]
        x = tf.constant(np.stack(images)[..., np.newaxis] / 255.0, dtype=tf.float32)
        return x, x


# The sigmoid stays: its values lie between 0 and 1, as those of the images do in both tasks.
losses = {
    "binary focal cross-entropy": (keras.losses.BinaryFocalCrossentropy(), CalligraphyDataset),
    "mean absolute error": (keras.losses.MeanAbsoluteError(), GreyDataset),
}
study = {}
for name, (loss, dataset_class) in losses.items():
    model, study[name] = train_from_scratch((2, 64, 2, 10), loss, *split_training_images(dataset_class))
    print(f"{name}: test loss {model.evaluate(dataset_class(TEST_DIR, BATCH_SIZE)):.4f}")
    show(generate(model, input_images), name)
plot_losses(study)
# END SOLUTION
