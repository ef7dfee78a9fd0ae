# %% [markdown]
# # Joint energy-based models: a classifier that is also a generator
#
# Handout: COMP 4211 (Spring 2025), Programming Assignment 2. Fill in the cells marked `[C1]` to `[C9]`, top to bottom;
# the marks `[Q1]` to `[Q10]` and `[B1]` to `[B5]` show which results belong into the report.
# Under each coding item stands a cell with `graders.check(...)`: it says within seconds what is right and what is not.
# Keep the result of every cell in the notebook that you hand in.

# %%
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

import graders

# %% [markdown]
# # Part 1: classification
#
# ## Dataset (Section 5.1)
#
# CIFAR-10: 50,000 images for training, 10,000 for the test, of 32x32 pixels in 10 classes. You do not have to do
# anything here: it is downloaded, and its values become numbers between 0 and 1.

# %%
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGE_SHAPE = (32, 32, 3)
BATCH_SIZE = 64

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train = x_train.astype(np.float32) / 255.0  # (N, 32, 32, 3)
x_test = x_test.astype(np.float32) / 255.0
y_train = y_train.reshape(-1).astype(np.int32)  # (N,)
y_test = y_test.reshape(-1).astype(np.int32)
print(len(x_train), "images for training,", len(x_test), "for the test")

# %%
# Batches (B, 32, 32, 3) of images and (B,) of labels; the last one may be smaller.
train_dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(BATCH_SIZE)
test_dataset = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(BATCH_SIZE)


# %%
def show_images(images, titles=None, columns=8):
    """Show images (N, 32, 32, 3) of values in [0, 1] in a grid, each with its title."""
    rows = -(-len(images) // columns)
    plt.figure(figsize=(1.3 * columns, 1.5 * rows))
    for i, image in enumerate(images):
        plt.subplot(rows, columns, i + 1)
        plt.imshow(np.clip(image, 0.0, 1.0))
        plt.title("" if titles is None else str(titles[i]), fontsize=7)
        plt.axis("off")
    plt.show()


# %% [markdown]
# `[Q1]` Show at least 3 images of each class with their labels.

# %%
# [Q1]
# BEGIN SOLUTION Q1
chosen = [i for label in range(len(CLASSES)) for i in np.flatnonzero(y_train == label)[:3]]
show_images(x_train[chosen], [CLASSES[y_train[i]] for i in chosen], columns=6)
# END SOLUTION

# %% [markdown]
# ## ResNet block (Section 5.2.1)
#
# `[C1]` LeakyReLU, convolution, LeakyReLU, convolution; plus the input, unchanged where the shapes are the same, else
# by a 1x1 convolution without bias. Downsampling: strides of 2 in the second convolution and in that of the skip.


# %%
# [C1]
class ResBlock(keras.Model):
    """The block of Figure 3, (B, H, W, in_channels) -> (B, H, W, out_channels), or of half the size."""

    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        # BEGIN SOLUTION C1
        strides = 2 if downsampling else 1
        self.act1 = keras.layers.LeakyReLU()
        self.conv1 = keras.layers.Conv2D(out_channels, 3, padding="same")
        self.act2 = keras.layers.LeakyReLU()
        self.conv2 = keras.layers.Conv2D(out_channels, 3, strides=strides, padding="same")
        self.skip = None
        if downsampling or in_channels != out_channels:
            self.skip = keras.layers.Conv2D(out_channels, 1, strides=strides, use_bias=False)
        # END SOLUTION

    def call(self, x):
        # BEGIN SOLUTION C1
        f = self.conv1(self.act1(x))  # (B, H, W, out_channels)
        f = self.conv2(self.act2(f))  # (B, H', W', out_channels)
        return f + (x if self.skip is None else self.skip(x))
        # END SOLUTION


# %% check C1

# %% [markdown]
# ## WRN-16-4 (Section 5.2)
#
# `[C2]` `[Q2]` The model of Table 1: an image goes in, logits come out. Report the number of trainable parameters.


# %%
# [C2]
class WRN(keras.Model):
    """Wide ResNet 16-4, (B, H, W, 3) -> logits (B, num_classes)."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.num_classes = num_classes
        # BEGIN SOLUTION C2
        self.stack = keras.Sequential(
            [
                keras.layers.Conv2D(16, 3, padding="same"),  # (B, H, W, 16)
                ResBlock(16, 64),  # (B, H, W, 64)
                ResBlock(64, 64),
                ResBlock(64, 128, downsampling=True),  # (B, H/2, W/2, 128)
                ResBlock(128, 128),
                ResBlock(128, 256, downsampling=True),  # (B, H/4, W/4, 256)
                ResBlock(256, 256),
                keras.layers.LeakyReLU(),
                keras.layers.GlobalAveragePooling2D(),  # (B, 256)
                keras.layers.Dense(num_classes),
            ]
        )
        # END SOLUTION

    def call(self, x):
        # BEGIN SOLUTION C2
        return self.stack(x)  # (B, num_classes)
        # END SOLUTION


# %% check C2

# %%
# [Q2]
# BEGIN SOLUTION Q2
classifier = WRN()
classifier(tf.zeros((1, *IMAGE_SHAPE)))  # the variables are made at the first call
trainable = sum(int(np.prod(variable.shape)) for variable in classifier.trainable_variables)
print(f"trainable parameters: {trainable:,}")
# END SOLUTION

# %% [markdown]
# ## Training step (Section 5.3)
#
# `[C3]` One-hot labels and noisy images; logits and cross-entropy under a tape; gradients; update; the loss by name.


# %%
# [C3]
def part1_train_step(optim, model, data, label, sigma=0.03):
    """Train the model on one batch, images (B, 32, 32, 3) and labels (B,); return {"loss": ...}."""
    # BEGIN SOLUTION C3
    target = tf.one_hot(label, model.num_classes)  # (B, num_classes)
    noisy = data + tf.random.normal(tf.shape(data), stddev=sigma)  # (B, 32, 32, 3)
    with tf.GradientTape() as tape:
        logits = model(noisy, training=True)  # (B, num_classes)
        loss = tf.reduce_mean(keras.losses.categorical_crossentropy(target, logits, from_logits=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optim.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return {"loss": loss}
    # END SOLUTION


# %% check C3

# %% [markdown]
# ## Training loop (Section 5.3.1)
#
# You do not have to do anything here. Uncomment the line of the test accuracy once `[C4]` is done.


# %%
def run_epoch(train_step, title):
    """Call `train_step(data, label)` on every batch of the training set; return the mean of each value by name."""
    sums, steps = {}, 0
    with tqdm(train_dataset, desc=title) as batches:
        for data, label in batches:
            for name, value in train_step(data, label).items():
                sums[name] = sums.get(name, 0.0) + float(value)
            steps += 1
            batches.set_postfix({name: f"{total / steps:.4f}" for name, total in sums.items()})
    return {name: total / steps for name, total in sums.items()}


def train_loop_1(model, optimizer, train_step, epochs=20, save_interval=5):
    """Train for some epochs, print the losses, save the weights every few epochs; return the losses by epoch."""
    history = []
    for epoch in range(1, epochs + 1):
        means = run_epoch(lambda data, label: train_step(optimizer, model, data, label), f"Epoch {epoch}/{epochs}")
        history.append(means["loss"])
        print(f"Epoch {epoch}: loss {means['loss']:.4f}")
        # print(f"Epoch {epoch}: test accuracy {evaluate_accuracy(model, test_dataset):.4f}")
        if epoch % save_interval == 0:
            model.save_weights(f"part1_epoch{epoch}.weights.h5")
    return history


# %% [markdown]
# `[Q4]` Train for at least 20 epochs; report the loss of the first and of the last.

# %%
# [Q4]
# BEGIN SOLUTION Q4
EPOCHS_1 = 20
history_1 = train_loop_1(classifier, keras.optimizers.Adam(1e-4), part1_train_step, epochs=EPOCHS_1)
print(f"loss {history_1[0]:.4f} in the first epoch, {history_1[-1]:.4f} in the last")
# END SOLUTION

# %% [markdown]
# ## Testing the model (Section 5.4)
#
# `[C4]` The share of a data set's images that the model classifies correctly.


# %%
# [C4]
def evaluate_accuracy(model, dataset):
    """Return the accuracy, between 0 and 1, on a data set of batches (images, labels)."""
    # BEGIN SOLUTION C4
    correct, total = 0, 0
    for data, label in dataset:
        predicted = tf.argmax(model(data, training=False), axis=-1)  # (B,)
        correct += int(tf.reduce_sum(tf.cast(predicted == tf.cast(label, predicted.dtype), tf.int32)))
        total += len(label)
    return correct / total
    # END SOLUTION


# %% check C4

# %% [markdown]
# `[Q5]` Report the accuracy on the test set; show at least 4 misclassified images, each with what the model says and
# what it is.

# %%
# [Q5]
# BEGIN SOLUTION Q5
print(f"test accuracy {evaluate_accuracy(classifier, test_dataset):.4f}")
predicted = np.concatenate([np.argmax(classifier(data, training=False), axis=-1) for data, _ in test_dataset])  # (N,)
mistaken = np.flatnonzero(predicted != y_test)[:8]
show_images(x_test[mistaken], [f"{CLASSES[predicted[i]]}, is {CLASSES[y_test[i]]}" for i in mistaken], columns=4)
# END SOLUTION

# %% [markdown]
# ## Regularisation (Section 5.5)
#
# `[C5]` Choose one method, such as dropout or batch normalisation, and build it into the block.


# %%
# [C5]
class ResBlockRE(keras.Model):
    """The block of `[C1]` with a regularisation that acts in training."""

    def __init__(self, in_channels, out_channels, downsampling=False):
        super().__init__()
        # BEGIN SOLUTION C5
        method = "dropout"  # or "batch norm"
        strides = 2 if downsampling else 1
        self.norm1 = keras.layers.BatchNormalization() if method == "batch norm" else None
        self.act1 = keras.layers.LeakyReLU()
        self.conv1 = keras.layers.Conv2D(out_channels, 3, padding="same")
        self.dropout = keras.layers.Dropout(0.3) if method == "dropout" else None  # between the two, Wide ResNet 2.4
        self.norm2 = keras.layers.BatchNormalization() if method == "batch norm" else None
        self.act2 = keras.layers.LeakyReLU()
        self.conv2 = keras.layers.Conv2D(out_channels, 3, strides=strides, padding="same")
        self.skip = None
        if downsampling or in_channels != out_channels:
            self.skip = keras.layers.Conv2D(out_channels, 1, strides=strides, use_bias=False)
        # END SOLUTION

    def call(self, x, training=None):
        # BEGIN SOLUTION C5
        f = x if self.norm1 is None else self.norm1(x, training=training)  # (B, H, W, in_channels)
        f = self.conv1(self.act1(f))  # (B, H, W, out_channels)
        f = f if self.dropout is None else self.dropout(f, training=training)
        f = f if self.norm2 is None else self.norm2(f, training=training)
        f = self.conv2(self.act2(f))  # (B, H', W', out_channels)
        return f + (x if self.skip is None else self.skip(x))
        # END SOLUTION


# %%
# [C5]
class WRNRE(keras.Model):
    """Wide ResNet 16-4 of regularised blocks, (B, H, W, 3) -> logits (B, num_classes)."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.num_classes = num_classes
        # BEGIN SOLUTION C5
        self.stack = keras.Sequential(
            [
                keras.layers.Conv2D(16, 3, padding="same"),  # (B, H, W, 16)
                ResBlockRE(16, 64),  # (B, H, W, 64)
                ResBlockRE(64, 64),
                ResBlockRE(64, 128, downsampling=True),  # (B, H/2, W/2, 128)
                ResBlockRE(128, 128),
                ResBlockRE(128, 256, downsampling=True),  # (B, H/4, W/4, 256)
                ResBlockRE(256, 256),
                keras.layers.LeakyReLU(),
                keras.layers.GlobalAveragePooling2D(),  # (B, 256)
                keras.layers.Dense(num_classes),
            ]
        )
        # END SOLUTION

    def call(self, x, training=None):
        # BEGIN SOLUTION C5
        return self.stack(x, training=training)  # (B, num_classes)
        # END SOLUTION


# %% check C5

# %% [markdown]
# `[Q6]` Train the regularised model as long as the first one and report its accuracy on the test set.

# %%
# [Q6]
# BEGIN SOLUTION Q6
regularised = WRNRE()
history_re = train_loop_1(regularised, keras.optimizers.Adam(1e-4), part1_train_step, epochs=EPOCHS_1)
print(f"test accuracy {evaluate_accuracy(classifier, test_dataset):.4f} without regularisation")
print(f"test accuracy {evaluate_accuracy(regularised, test_dataset):.4f} with regularisation")
# END SOLUTION

# %% [markdown]
# # Part 2: joint energy-classifier training
#
# ## Energy (Section 6.1)
#
# `[C6]` With labels the energy of image and label, else that of the image alone.


# %%
# [C6]
def energy(model, data, label=None):
    """Return the energy (B,) of images (B, 32, 32, 3), or of images with their labels (B,); lower is likelier."""
    # BEGIN SOLUTION C6
    logits = model(data)  # (B, num_classes)
    if label is None:
        return -tf.reduce_logsumexp(logits, axis=-1)  # (B,)
    return -tf.gather(logits, tf.cast(label, tf.int32), axis=-1, batch_dims=1)  # (B,)
    # END SOLUTION


# %% check C6

# %% [markdown]
# The energies of a real image, of noise and of a gray image. You do not have to do anything here.


# %%
def visualize_energy(model, sample_index=20):
    """Draw a grid of energies: a row for each image, a column for E(x) and for E(x, y) of every label y."""
    images = {
        f"real ({CLASSES[y_test[sample_index]]})": x_test[sample_index],
        "noise": np.random.uniform(size=IMAGE_SHAPE).astype(np.float32),
        "gray": np.full(IMAGE_SHAPE, 0.5, np.float32),
    }
    data = tf.constant(np.stack(list(images.values())))  # (3, 32, 32, 3)
    labels = [np.full(len(images), label, np.int32) for label in range(len(CLASSES))]
    grid = np.stack([energy(model, data), *(energy(model, data, label) for label in labels)], axis=1)  # (3, 11)
    plt.figure(figsize=(11, 3))
    plt.imshow(grid)
    plt.colorbar(label="energy")
    plt.yticks(range(len(images)), list(images))
    plt.xticks(range(1 + len(CLASSES)), ["E(x)", *CLASSES], rotation=45)
    for row, column in np.ndindex(*grid.shape):
        plt.text(column, row, f"{grid[row, column]:.1f}", ha="center", va="center", color="white", fontsize=7)
    plt.show()


# %% [markdown]
# `[Q7]` Report the grid of the classifier of Part 1.

# %%
# [Q7]
# BEGIN SOLUTION Q7
visualize_energy(classifier)
# END SOLUTION

# %% [markdown]
# ## Sampling (Section 6.2)
#
# `[C7]` One step of Langevin dynamics: down the gradient of the energy with respect to the images, plus noise.


# %%
# [C7]
def sampling_step(model, data, label=None, step_size=1, noise_amp=0.01):
    """Return the next images (B, 32, 32, 3), bound to [0, 1]; `label` (B,) chooses the energy."""
    data = tf.convert_to_tensor(data, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(data)
        # BEGIN SOLUTION C7
        total = tf.reduce_sum(energy(model, data, label))  # a sum: no image's gradient depends on the others
    gradient = tape.gradient(total, data)  # (B, 32, 32, 3)
    noise = tf.random.normal(tf.shape(data), stddev=noise_amp)
    data = data - step_size * gradient + noise
    # END SOLUTION
    return tf.clip_by_value(data, 0.0, 1.0)


# %% check C7

# %% [markdown]
# ## Replay buffer (Section 6.2.1)
#
# `[C8]` Keep what was sampled, the oldest goes first; hand out samples of which each is new with probability `p_new`.


# %%
# [C8]
class SampleBuffer:
    """Images of `sample_shape` with labels below `n_class`, at most `max_samples` of them, the oldest first."""

    def __init__(self, sample_shape, n_class, max_samples=10000, dtype=np.float32):
        self.sample_shape = sample_shape
        self.n_class = n_class
        self.max_samples = max_samples
        self.dtype = dtype
        self.buffer = []

    def add_to_buffer(self, samples, ids):
        """Append images (B, *sample_shape) with labels (B,); the oldest beyond `max_samples` go."""
        # BEGIN SOLUTION C8
        self.buffer.extend(zip(np.array(samples, self.dtype), np.array(ids, np.int32), strict=True))
        del self.buffer[: max(0, len(self.buffer) - self.max_samples)]
        # END SOLUTION

    def sample_from_buffer(self, n_samples, p_new=0.05):
        """Return images (n_samples, *sample_shape) and labels (n_samples,); each is new with probability `p_new`."""
        n_new = np.random.binomial(n_samples, p_new)
        # BEGIN SOLUTION C8
        if not self.buffer:
            n_new = n_samples
        new = np.random.uniform(0.0, 1.0, (n_new, *self.sample_shape)).astype(self.dtype)
        labels = np.random.randint(0, self.n_class, n_new).astype(np.int32)
        old = [self.buffer[np.random.randint(len(self.buffer))] for _ in range(n_samples - n_new)]
        samples = [*new, *(image for image, _ in old)]
        ids = [*labels, *(label for _, label in old)]
        # END SOLUTION
        return tf.stack(samples), tf.stack(ids)


# %% check C8

# %% [markdown]
# What the buffer hands out. You do not have to do anything here.


# %%
def visualize_buffer_samples(buffer, n_samples=16, p_new=0.5):
    """Show samples of a buffer with their labels."""
    samples, ids = buffer.sample_from_buffer(n_samples, p_new=p_new)
    show_images(np.asarray(samples), [CLASSES[int(label)] for label in ids])


# %% [markdown]
# `[Q8]` Report what `p_new=0.5` shows.

# %%
# [Q8]
# BEGIN SOLUTION Q8
example_buffer = SampleBuffer(IMAGE_SHAPE, len(CLASSES))
example_buffer.add_to_buffer(x_train[:64], y_train[:64])
visualize_buffer_samples(example_buffer, p_new=0.5)
# END SOLUTION

# %% [markdown]
# ## Joint training step (Section 6.3.1)
#
# `[C9]` As in Part 1; in addition images are sampled, go back to the buffer, and the energies are part of the loss.


# %%
# [C9]
def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    """Train the model on one batch and on samples of the buffer `sb`; return {"loss": ..., "class_loss": ...}."""
    # BEGIN SOLUTION C9
    target = tf.one_hot(label, model.num_classes)  # (B, num_classes)
    noisy = data + tf.random.normal(tf.shape(data), stddev=sigma)  # (B, 32, 32, 3)
    sampled, ids = sb.sample_from_buffer(len(data))  # (B, 32, 32, 3), (B,)
    for _ in range(20):
        sampled = sampling_step(model, sampled, ids)
    sb.add_to_buffer(sampled, ids)
    with tf.GradientTape() as tape:
        logits = model(noisy, training=True)  # (B, num_classes)
        centry = tf.reduce_mean(keras.losses.categorical_crossentropy(target, logits, from_logits=True))
        loss = centry + tf.reduce_mean(energy(model, noisy)) - tf.reduce_mean(energy(model, sampled))
    gradients = tape.gradient(loss, model.trainable_variables)
    optim.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    # END SOLUTION
    return {"loss": loss, "class_loss": centry}


# %% check C9

# %% [markdown]
# ## Joint training loop (Section 6.3.2)
#
# You do not have to do anything here.


# %%
def train_loop_2(model, optimizer, train_step, epochs=5, save_interval=1, buffer=None):
    """Train for some epochs with a buffer, a new one by default; return the losses by epoch and the buffer."""
    buffer = SampleBuffer(IMAGE_SHAPE, model.num_classes) if buffer is None else buffer
    history = []
    for epoch in range(1, epochs + 1):
        means = run_epoch(
            lambda data, label: train_step(optimizer, model, data, label, buffer), f"Epoch {epoch}/{epochs}"
        )
        history.append(means["loss"])
        print(f"Epoch {epoch}: " + ", ".join(f"{name} {value:.4f}" for name, value in means.items()))
        if epoch % save_interval == 0:
            model.save_weights(f"part2_epoch{epoch}.weights.h5")
    return history, buffer


# %% [markdown]
# `[Q9]` Train a new model, not the one of Part 1, for at least 2 epochs; report the loss of each.

# %%
# [Q9]
# BEGIN SOLUTION Q9
EPOCHS_2 = 2
jem = WRN()
history_2, buffer = train_loop_2(jem, keras.optimizers.Adam(1e-4), part2_train_step, epochs=EPOCHS_2)
print("loss by epoch:", ", ".join(f"{loss:.4f}" for loss in history_2))
# END SOLUTION

# %% [markdown]
# `[Q10]` Report the accuracy on the test set, and compare it with that of Part 1 after as much training.

# %%
# [Q10]
# BEGIN SOLUTION Q10
print(f"test accuracy of the joint model {evaluate_accuracy(jem, test_dataset):.4f}")
# END SOLUTION

# %% [markdown]
# # Bonus (Section 7)
#
# `[B1]` Generate images from pure noise with the model of Part 1.


# %%
# [B1]
# BEGIN SOLUTION B1
def generate(model, label=None, n_samples=16, steps=80):
    """Return images (n_samples, 32, 32, 3) that were sampled from uniform noise (Section 6.2)."""
    images = tf.random.uniform((n_samples, *IMAGE_SHAPE))
    for _ in range(steps):
        images = sampling_step(model, images, label)
    return images.numpy()


from_classifier = generate(classifier)
show_images(from_classifier, [f"{value:.1f}" for value in energy(classifier, from_classifier).numpy()])
# END SOLUTION

# %% [markdown]
# `[B2]` Take steps of a negative size from real images and classify what comes out.


# %%
# [B2]
# BEGIN SOLUTION B2
def climb(model, images, labels, steps=5, step_size=-1):
    """Return images (N, 32, 32, 3) after steps up the energy, and what the model says of them before and after."""
    before = np.argmax(model(images), axis=-1)  # (N,)
    for _ in range(steps):
        images = sampling_step(model, images, labels, step_size=step_size)
    return images.numpy(), before, np.argmax(model(images), axis=-1)


climbed, before, after = climb(jem, x_test[:8], y_test[:8])
show_images([*x_test[:8], *climbed], [CLASSES[label] for label in (*before, *after)])
print(f"{np.mean(before == y_test[:8]):.0%} right before the steps, {np.mean(after == y_test[:8]):.0%} after them")
# END SOLUTION

# %% [markdown]
# `[B3]` Show at least 32 generated images, from scratch or from the buffer.

# %%
# [B3]
# BEGIN SOLUTION B3
generated, labels = buffer.sample_from_buffer(32, p_new=0)
show_images(generated.numpy(), [CLASSES[int(label)] for label in labels])
# END SOLUTION

# %% [markdown]
# `[B4]` Show the 16 best images of each class by E(x, y), and the 16 best of all by E(x).


# %%
# [B4]
# BEGIN SOLUTION B4
def energies(model, images, label=None):
    """Return the energies (N,) of images (N, 32, 32, 3), batch by batch; all with the same label, or with none."""
    batches = [images[i : i + BATCH_SIZE] for i in range(0, len(images), BATCH_SIZE)]
    labels = [None if label is None else np.full(len(batch), label, np.int32) for batch in batches]
    return np.concatenate([energy(model, *pair).numpy() for pair in zip(batches, labels, strict=True)])


def top_samples(model, images, label=None, k=16):
    """Return the indices (k,) of the images of the lowest energy, the lowest first."""
    return np.argsort(energies(model, images, label))[:k]


pool, _ = buffer.sample_from_buffer(1000, p_new=0)
pool = pool.numpy()
for label, name in enumerate(CLASSES):
    print(f"the best samples of class {name}")
    show_images(pool[top_samples(jem, pool, label)])
print("the best of all samples")
show_images(pool[top_samples(jem, pool)])
# END SOLUTION

# %% [markdown]
# `[B5]` Take sampling steps from real images, without a label, with the right one and with a wrong one.


# %%
# [B5]
# BEGIN SOLUTION B5
def refine(model, images, label=None, steps=40, shown=4):
    """Return the images (shown + 1, N, 32, 32, 3) along a series of sampling steps, the given ones first."""
    frames = [np.asarray(images)]
    for step in range(1, steps + 1):
        images = sampling_step(model, images, label)
        if step % (steps // shown) == 0:
            frames.append(images.numpy())
    return np.stack(frames)


real, right = x_test[:4], y_test[:4]
for name, label in {"no label": None, "right label": right, "wrong label": (right + 1) % len(CLASSES)}.items():
    frames = refine(jem, real, label)
    print(name)
    show_images(frames.swapaxes(0, 1).reshape(-1, *IMAGE_SHAPE), columns=len(frames))
# END SOLUTION
