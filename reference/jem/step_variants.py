"""Right solutions of handout B's functions and of its buffer, written as other people write them."""

from graders.model import Variant

NAMES = {
    "C3": "part1_train_step",
    "C4": "evaluate_accuracy",
    "C6": "energy",
    "C7": "sampling_step",
    "C8": "SampleBuffer",
    "C9": "part2_train_step",
}


def right(item: str, name: str, why: str, definition: str) -> Variant:
    """Return the variant in which the item's function or class is defined as given."""
    return Variant(f"{item}-{name}", item, why, replaces={NAMES[item]: definition})


TRAINING_STEP = (
    right(
        "C3",
        "sparse",
        "integer labels with the sparse cross-entropy are the same loss",
        """
def part1_train_step(optimizer, net, images, labels, sigma=0.03):
    images = images + tf.random.normal(images.shape, 0.0, sigma)
    with tf.GradientTape() as tape:
        logits = net(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    variables = net.trainable_weights
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return {"loss": float(loss), "accuracy": float(np.mean(np.argmax(logits, axis=1) == labels))}
""",
    ),
    right(
        "C3",
        "compiled",
        "a tf.function, a loss object, apply",
        """
cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)


@tf.function
def part1_train_step(optim, model, data, label, sigma=0.03):
    one_hot = tf.one_hot(label, 10)
    noise = tf.random.normal(shape=tf.shape(data), mean=0.0, stddev=sigma, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = cross_entropy(one_hot, model(data + noise, training=True))
    optim.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return {"loss": loss}
""",
    ),
    right(
        "C3",
        "clipped",
        "the noisy images may be clipped, noise may come from NumPy, the labels may be checked for their form",
        """
def part1_train_step(optim, model, data, label, sigma=0.03):
    label = tf.one_hot(tf.cast(tf.squeeze(label), tf.int32), depth=model.num_classes)
    noise = np.random.normal(0.0, sigma, size=data.shape).astype(np.float32)
    data = tf.clip_by_value(tf.cast(data, tf.float32) + noise, 0.0, 1.0)
    with tf.GradientTape() as tape:
        logits = model(data, training=True)
        losses = tf.nn.softmax_cross_entropy_with_logits(labels=label, logits=logits)
        loss = tf.reduce_sum(losses) / tf.cast(tf.shape(data)[0], tf.float32)
    grads = tape.gradient(loss, model.trainable_variables)
    optim.apply_gradients(list(zip(grads, model.trainable_variables)))
    return dict(loss=loss.numpy())
""",
    ),
    right(
        "C3",
        "probabilities",
        "cross-entropy of probabilities that a softmax makes, written out; the noise comes from a layer",
        """
def part1_train_step(optim, model, data, label, sigma: float = 0.03) -> dict:
    y = tf.one_hot(label, model.num_classes)
    noisy = keras.layers.GaussianNoise(sigma)(data, training=True)
    with tf.GradientTape(persistent=True) as tape:
        probabilities = tf.nn.softmax(model(noisy, training=True), axis=-1)
        loss = -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(probabilities), axis=1))
    grads = [tape.gradient(loss, variable) for variable in model.trainable_variables]
    optim.apply_gradients(zip(grads, model.trainable_variables))
    model(data[:1])  # once more, for a look
    return {"loss": loss, "lr": optim.learning_rate}
""",
    ),
    right(
        "C3",
        "keywords",
        "arguments by other names, some by keyword alone, and the labels smoothed by nothing",
        """
generator = tf.random.Generator.from_seed(4211)


def part1_train_step(opt, network, x, y, *, std=0.03, **unused):
    noise = std * generator.normal(tf.shape(x))
    x = x + noise
    target = np.eye(10, dtype=np.float32)[np.asarray(y)]
    with tf.GradientTape() as tape:
        losses = keras.losses.CategoricalCrossentropy(from_logits=True, reduction="none")(target, network(x))
        loss = keras.ops.mean(losses)
    variables = network.trainable_variables
    opt.apply_gradients([(g, v) for g, v in zip(tape.gradient(loss, variables), variables) if g is not None])
    return {"class_loss": loss, "loss": loss}
""",
    ),
)

ACCURACY = (
    right(
        "C4",
        "percent",
        "an accuracy in percent, rounded, with a bar",
        """
def evaluate_accuracy(model, test_data):
    hits = []
    for images, labels in tqdm(test_data):
        logits = model(images)
        hits.append(np.argmax(logits.numpy(), axis=1) == labels.numpy())
    return round(100 * np.concatenate(hits).mean(), 2)
""",
    ),
    right(
        "C4",
        "metric",
        "a metric of Keras, whose result is a tensor",
        """
def evaluate_accuracy(model, dataset):
    metric = tf.keras.metrics.SparseCategoricalAccuracy()
    for x, y in dataset:
        metric.update_state(y, model(x, training=False))
    return metric.result()
""",
    ),
    right(
        "C4",
        "predict",
        "predict takes the whole data set",
        """
def evaluate_accuracy(model, dataset):
    labels = np.concatenate([label for _, label in dataset.as_numpy_iterator()])
    predicted = model.predict(dataset, verbose=0).argmax(axis=-1)
    return float((predicted == labels).mean())
""",
    ),
    right(
        "C4",
        "evaluate",
        "a compiled model evaluates itself",
        """
def evaluate_accuracy(model, dataset):
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model.evaluate(dataset, verbose=0)[1]
""",
    ),
    right(
        "C4",
        "weighted",
        "the mean of batches, each weighted by its size; softmax changes nothing",
        """
def evaluate_accuracy(model, dataset):
    accuracies, sizes = [], []
    for data, label in dataset:
        probabilities = tf.nn.softmax(model(data))
        good = tf.equal(tf.argmax(probabilities, 1, output_type=tf.int32), tf.cast(label, tf.int32))
        accuracies.append(tf.reduce_mean(tf.cast(good, tf.float32)))
        sizes.append(int(data.shape[0]))
    return np.average(accuracies, weights=sizes)
""",
    ),
    right(
        "C4",
        "one-by-one",
        "image by image, with tensors for counts",
        """
def evaluate_accuracy(model, dataset):
    correct = tf.constant(0.0)
    total = tf.constant(0.0)
    for image, label in dataset.unbatch():
        correct += tf.cast(tf.argmax(model(image[tf.newaxis])[0]) == tf.cast(label, tf.int64), tf.float32)
        total += 1
    return correct / total
""",
    ),
)

ENERGY = (
    right(
        "C6",
        "one-hot-sum",
        "the label's logit by a one-hot product; training=False",
        """
def energy(model, x, y=None):
    f = model(x, training=False)
    if y is not None:
        return -tf.reduce_sum(f * tf.one_hot(y, f.shape[-1]), axis=1)
    return -tf.math.reduce_logsumexp(f, axis=1)
""",
    ),
    right(
        "C6",
        "gather-nd",
        "the label's logit by pairs of indices",
        """
def energy(model, data, label=None):
    logits = model(data)
    if label is None:
        return tf.negative(tf.reduce_logsumexp(logits, 1))
    label = tf.cast(tf.reshape(label, [-1]), tf.int32)
    return -tf.gather_nd(logits, tf.stack([tf.range(tf.shape(logits)[0]), label], axis=1))
""",
    ),
    Variant(
        "C6-one-hot-labels",
        "C6",
        "labels may be expected one-hot, as the training step converts them",
        (
            (
                "sampled = sampling_step(model, sampled, ids)",
                "sampled = sampling_step(model, sampled, tf.one_hot(ids, 10))",
            ),
        ),
        {
            "energy": """
def energy(model, data, label=None):
    logits = model(data)
    if label is not None:
        return -tf.reduce_sum(tf.multiply(logits, label), axis=-1)
    return -tf.reduce_logsumexp(logits, axis=-1)
"""
        },
    ),
    right(
        "C6",
        "stable-by-hand",
        "the log-sum-exp by hand, with the largest logit taken out",
        """
def energy(model, data, label=None):
    logits = model(tf.convert_to_tensor(data))
    if label is None:
        top = tf.reduce_max(logits, axis=1, keepdims=True)
        return -(tf.squeeze(top, 1) + tf.math.log(tf.reduce_sum(tf.exp(logits - top), axis=1)))
    energies = [-logits[i, int(label[i])] for i in range(len(label))]
    return tf.stack(energies)
""",
    ),
    right(
        "C6",
        "by-cross-entropy",
        "E(x, y) is the cross-entropy plus E(x)",
        """
class EnergyFunction:
    def __call__(self, model, data, label=None):
        logits = model(data)
        e = -keras.ops.logsumexp(logits, axis=-1)
        if label is None:
            return e
        return e + tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)


energy = EnergyFunction()


def unused_energy():
    pass
""",
    ),
)

SAMPLING_STEP = (
    Variant(
        "C7-sample-step",
        "C7",
        "Sections 6.3 and 7 call it sample_step",
        (
            ("def sampling_step(model, data,", "def sample_step(model, data,"),
            (
                "        sampled = sampling_step(model, sampled, ids)",
                "        sampled = sample_step(model, sampled, ids)",
            ),
            (
                "images = sampling_step(model, images, label)\n    return images.numpy()",
                "images = sample_step(model, images, label)\n    return images.numpy()",
            ),
            ("images = sampling_step(model, images, labels, step", "images = sample_step(model, images, labels, step"),
            (
                "images = sampling_step(model, images, label)\n        if",
                "images = sample_step(model, images, label)\n        if",
            ),
        ),
    ),
    right(
        "C7",
        "variable",
        "the images may become a variable, and an optimizer may take the step",
        """
def sampling_step(model, data, label=None, step_size=1, noise_amp=0.01):
    x = tf.Variable(data)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(energy(model, x, label))
    keras.optimizers.SGD(learning_rate=float(step_size)).apply_gradients([(tape.gradient(loss, x), x)])
    x.assign_add(tf.random.normal(x.shape, 0.0, noise_amp))
    return tf.clip_by_value(x, 0, 1)
""",
    ),
    right(
        "C7",
        "noise-first",
        "the noise may be added before the gradient is taken, and the names may differ",
        """
def sampling_step(f, x_t, y=None, alpha=1, noise_map=0.01):
    x_t = tf.convert_to_tensor(x_t)
    x_t = x_t + noise_map * tf.random.normal(x_t.shape)
    with tf.GradientTape() as tape:
        tape.watch(x_t)
        energies = energy(f, x_t, y)
        if y is None:
            energies = energy(f, x_t)
    g = tape.gradient(energies, x_t)
    return tf.clip_by_value(x_t - alpha * g, 0.0, 1.0)
""",
    ),
    right(
        "C7",
        "compiled",
        "a tf.function; the energy written out",
        """
@tf.function(reduce_retracing=True)
def sampling_step(model, data, label=None, step_size=1, noise_amp=0.01):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(data)
        logits = model(data, training=False)
        if label is None:
            e = -tf.reduce_logsumexp(logits, axis=1)
        else:
            e = -tf.gather(logits, label, axis=1, batch_dims=1)
        e = tf.reduce_sum(e)
    grad = tape.gradient(e, data)
    data -= step_size * grad
    data += tf.random.normal(tf.shape(data), mean=0.0, stddev=noise_amp)
    return tf.minimum(tf.maximum(data, 0.0), 1.0)
""",
    ),
    right(
        "C7",
        "numpy",
        "noise and the last step in NumPy",
        """
def sampling_step(model, data, label=None, step_size=1, noise_amp=0.01):
    data = tf.cast(data, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(data)
        e = tf.math.reduce_sum(energy(model, data) if label is None else energy(model, data, label))
    step = step_size * tape.gradient(e, data).numpy()
    noise = np.random.randn(*data.shape) * noise_amp
    return tf.constant(np.clip(data.numpy() - step + noise, 0.0, 1.0).astype("float32"))
""",
    ),
)

SAMPLE_BUFFER = (
    right(
        "C8",
        "deque",
        "a deque forgets by itself; each sample tosses its own coin, so that new ones stand between old ones",
        """
import collections
import random


class SampleBuffer:
    def __init__(self, sample_shape, n_class, max_samples=10000, dtype=np.float32):
        self.shape, self.classes, self.dtype = tuple(sample_shape), n_class, dtype
        self.buffer = collections.deque(maxlen=max_samples)

    def add_to_buffer(self, samples, ids):
        for sample, label in zip(samples, ids):
            self.buffer.append((sample, label))

    def sample_from_buffer(self, n_samples, p_new=0.05):
        xs, ys = [], []
        for _ in range(n_samples):
            if not self.buffer or random.random() < p_new:
                xs.append(tf.random.uniform(self.shape))
                ys.append(tf.random.uniform((), 0, self.classes, dtype=tf.int32))
            else:
                x, y = random.choice(self.buffer)
                xs.append(x)
                ys.append(tf.cast(y, tf.int32))
        return tf.stack(xs), tf.stack(ys)
""",
    ),
    right(
        "C8",
        "arrays",
        "two arrays in place of a list; old samples first, drawn without replacement, arrays returned",
        """
class SampleBuffer:
    def __init__(self, sample_shape, n_class, max_samples=10000, dtype=np.float32):
        self.sample_shape = sample_shape
        self.n_class = n_class
        self.max_samples = max_samples
        self.images = np.zeros((0, *sample_shape), dtype)
        self.labels = np.zeros(0, np.int64)

    def add_to_buffer(self, samples, ids):
        self.images = np.concatenate([self.images, samples])[-self.max_samples :]
        self.labels = np.concatenate([self.labels, ids])[-self.max_samples :]

    def sample_from_buffer(self, n_samples, p_new=0.05):
        is_new = np.random.rand(n_samples) < p_new
        if len(self.images) == 0:
            is_new[:] = True
        n_old = int(np.sum(~is_new))
        places = np.random.choice(len(self.images), n_old, replace=False) if n_old else np.zeros(0, int)
        new = np.random.random_sample((n_samples - n_old, *self.sample_shape)).astype("float32")
        labels = np.random.choice(self.n_class, n_samples - n_old)
        return np.concatenate([self.images[places], new]), np.concatenate([self.labels[places], labels])
""",
    ),
    right(
        "C8",
        "two-lists",
        "a list of images and one of labels, sliced from the end; noise-first, as in the tutorial",
        """
class SampleBuffer(object):
    def __init__(self, shape, num_classes, capacity=10000, dtype=np.float32):
        self.shape, self.num_classes, self.capacity, self.dtype = shape, num_classes, capacity, dtype
        self.buffer = []
        self.buffer_ids = []

    def add_to_buffer(self, samples, ids):
        self.buffer = (self.buffer + list(tf.unstack(samples)))[-self.capacity :]
        self.buffer_ids = (self.buffer_ids + [int(i) for i in ids])[-self.capacity :]

    def sample_from_buffer(self, n, p=0.05):
        n_new = np.random.binomial(n, p) if self.buffer else n
        samples = list(tf.random.uniform((n_new, *self.shape), 0, 1))
        ids = list(np.random.randint(self.num_classes, size=n_new))
        for i in np.random.randint(0, max(1, len(self.buffer)), size=n - n_new):
            samples.append(self.buffer[i])
            ids.append(self.buffer_ids[i])
        return (tf.stack(samples), tf.stack(ids))
""",
    ),
    right(
        "C8",
        "pop-one-by-one",
        "pairs of tensors; the oldest are popped one by one; the batch is shuffled at the end",
        """
class SampleBuffer:
    def __init__(self, sample_shape, n_class, max_samples=10000, dtype=np.float32):
        self.sample_shape = sample_shape
        self.n_class = n_class
        self.max_samples = max_samples
        self.dtype = dtype
        self.buffer = []

    def add_to_buffer(self, samples, ids):
        for i in range(samples.shape[0]):
            self.buffer.append((samples[i], ids[i]))
            while len(self.buffer) > self.max_samples:
                self.buffer.pop(0)

    def sample_from_buffer(self, n_samples, p_new=0.05):
        n_new = np.random.binomial(n_samples, p_new)
        if len(self.buffer) == 0:
            n_new = n_samples
        pairs = [self.buffer[i] for i in np.random.choice(max(1, len(self.buffer)), n_samples - n_new)]
        for _ in range(n_new):
            image = np.random.uniform(size=self.sample_shape).astype(self.dtype)
            pairs.append((image, np.random.randint(self.n_class)))
        np.random.default_rng().shuffle(pairs)
        images, labels = zip(*pairs)
        images = [tf.cast(image, tf.float32) for image in images]
        return tf.stack(images), tf.stack([tf.cast(label, tf.int32) for label in labels])
""",
    ),
)

JOINT_STEP = (
    right(
        "C9",
        "one-batch",
        "data and samples go through the model together; the energies are taken from the logits",
        """
def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    batch = tf.shape(data)[0]
    target = tf.one_hot(label, model.num_classes)
    data = data + tf.random.normal(tf.shape(data), stddev=sigma)
    samples, ids = sb.sample_from_buffer(int(batch))
    for step in range(20):
        samples = sampling_step(model, samples, ids)
    samples = tf.stop_gradient(samples)
    sb.add_to_buffer(samples, ids)
    with tf.GradientTape() as tape:
        logits = model(tf.concat([data, samples], axis=0), training=True)
        real, fake = logits[:batch], logits[batch:]
        centry = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, real))
        e_real, e_fake = -tf.reduce_logsumexp(real, 1), -tf.reduce_logsumexp(fake, 1)
        loss = centry + tf.reduce_mean(e_real - e_fake)
    variables = model.trainable_variables
    optim.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return {"loss": loss, "class_loss": centry}
""",
    ),
    right(
        "C9",
        "clean-energy",
        "E(x) of the clean images; samples first; arrays go to the buffer",
        """
def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    x_sample, y_sample = sb.sample_from_buffer(n_samples=data.shape[0], p_new=0.05)
    i = 0
    while i < 20:
        x_sample = sampling_step(model, x_sample, label=y_sample, step_size=1, noise_amp=0.01)
        i += 1
    sb.add_to_buffer(samples=x_sample.numpy(), ids=np.array(y_sample))
    noisy = data + sigma * np.random.randn(*data.shape).astype(np.float32)
    criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        centry = criterion(label, model(noisy))
        loss = centry + tf.reduce_mean(energy(model, data)) - tf.reduce_mean(energy(model, x_sample))
    grads = tape.gradient(loss, model.trainable_weights)
    optim.apply(grads, model.trainable_weights)
    return {"loss": float(loss), "class_loss": float(centry)}
""",
    ),
    right(
        "C9",
        "vectors",
        "all terms as vectors, averaged together at the end",
        """
def part2_train_step(optimizer, net, x, y, buffer, std=0.03):
    x = x + tf.random.normal(x.shape) * std
    fake, fake_y = buffer.sample_from_buffer(len(x))
    for _ in tf.range(20):
        fake = sampling_step(net, fake, fake_y)
    buffer.add_to_buffer(fake, fake_y)
    with tf.GradientTape() as tape:
        centry = keras.losses.sparse_categorical_crossentropy(y, net(x, training=True), from_logits=True)
        loss = tf.reduce_mean(centry + energy(net, x) - energy(net, fake))
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return {"loss": loss, "class_loss": tf.reduce_mean(centry)}
""",
    ),
    right(
        "C9",
        "stopped",
        "sampling under the tape, whose gradient is stopped; added to the buffer after the update; sums throughout",
        """
def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    with tf.GradientTape() as tape:
        noisy = tf.clip_by_value(data + tf.random.normal(tf.shape(data), 0, sigma), 0, 1)
        image, ids = sb.sample_from_buffer(data.shape[0])
        with tape.stop_recording():
            for _ in range(20):
                image = sampling_step(model, image, ids)
        logits = model(noisy, training=True)
        centry = tf.reduce_sum(keras.losses.categorical_crossentropy(tf.one_hot(label, 10), logits, from_logits=True))
        real = tf.reduce_sum(energy(model, noisy))
        fake = tf.reduce_sum(energy(model, image))
        loss = centry + real - fake
    grads = tape.gradient(loss, model.trainable_variables)
    optim.apply_gradients(zip(grads, model.trainable_variables))
    sb.add_to_buffer(image, ids)
    return {"loss": loss, "class_loss": centry, "real": real, "fake": fake}
""",
    ),
    right(
        "C9",
        "helper",
        "the sampling stands in a function of its own, compiled; cross-entropy plus E(x) is -f(x)[y]",
        """
@tf.function
def sample_images(model, images, labels, steps=20):
    for _ in range(steps):
        images = sampling_step(model, images, labels)
    return images


def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    noise = tf.random.normal(mean=0.0, stddev=sigma, shape=data.shape)
    samples, classes = sb.sample_from_buffer(data.shape[0])
    samples = sample_images(model, samples, classes)
    sb.add_to_buffer(samples, classes)
    with tf.GradientTape() as tape:
        logits = model(data + noise)
        centry = -tf.reduce_mean(tf.gather(tf.nn.log_softmax(logits), label, axis=1, batch_dims=1))
        joint = -tf.reduce_mean(tf.gather(logits, label, axis=1, batch_dims=1))
        loss = joint - tf.reduce_mean(energy(model, samples))
    optim.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return {"loss": loss, "class_loss": centry}
""",
    ),
)


VARIANTS: tuple[Variant, ...] = (*TRAINING_STEP, *ACCURACY, *ENERGY, *SAMPLING_STEP, *SAMPLE_BUFFER, *JOINT_STEP)
