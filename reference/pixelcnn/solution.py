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
        for _ in range(self.n_block):
            for _ in range(self.n_resnet):
                self.ul_list_gated_resnet.append(GatedResnet(self.n_filters))
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

# %%
pixel_cnn.compile(
    optimizer=keras.optimizers.Adam(
        learning_rate=0.0001, beta_1=0.95, beta_2=0.9995, epsilon=1e-6, use_ema=True, ema_momentum=0.9995
    ),
    loss="binary_crossentropy",
)

# %% [markdown]
# ## Load the pretrained weights (Section 4.3)
#
# `[C8]` Evaluate on the test data, load `pixel_cnn_e5.h5`, evaluate again: the result must improve.

# %%
# [C8]
# BEGIN SOLUTION C8
print("test loss before loading:", pixel_cnn.evaluate(test_data))
pixel_cnn.load_weights("pixel_cnn_e5.h5")
print("test loss after loading: ", pixel_cnn.evaluate(test_data))
# END SOLUTION

# %% [markdown]
# ## Rundown (Section 4.5)
#
# `[C11]` Train for 10 epochs after loading the weights and watch the validation loss.

# %%
# [C11]
# BEGIN SOLUTION C11
best = keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)
validation_data = CalligraphyDataset("./pa2/validation", BATCH_SIZE)  # a fifth of the training images, moved there
pixel_cnn.fit(train_data, epochs=10, validation_data=validation_data, callbacks=[best])
pixel_cnn.load_weights("best.weights.h5")
# END SOLUTION

# %% [markdown]
# ## Evaluation (Section 4.4)
#
# `[C9]` Generate 10 new images, pixel by pixel in raster order.

# %%
# [C9]
# BEGIN SOLUTION C9
pixels = np.zeros((10, 32, 32, 1), dtype=np.float32)
for row in range(32):
    for column in range(32):
        probability = pixel_cnn.predict(pixels, verbose=0)[:, row, column, 0]  # (10,)
        noise = np.random.uniform(size=probability.shape)
        pixels[:, row, column, 0] = np.where(noise < probability, 1.0, 0.0)
# END SOLUTION

# %% [markdown]
# `[C10]` Report the binary cross-entropy on the test set.

# %%
# [C10]
# BEGIN SOLUTION C10
print("test loss:", pixel_cnn.evaluate(test_data))
# END SOLUTION

# %% [markdown]
# ## Bonus (Section 4.6)
#
# `[C12]` Study the model parameters: two settings, with plots.

# %%
# [C12]

# %% [markdown]
# `[C13]` Study the loss function: one classification and one regression loss.

# %%
# [C13]
