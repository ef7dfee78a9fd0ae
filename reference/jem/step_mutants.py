"""Wrong solutions of handout B's functions and of its buffer (C3, C4, C6 to C9); the blocks stand in mutants.py.

Nearly every mutant is the reference's own function with a line or two swapped, so that the mistake is all there is to
read.
"""

import ast
from pathlib import Path

from graders.model import Mutant

SOLUTION = Path(__file__).with_name("solution.py").read_text(encoding="utf-8")
DEFINITIONS = {
    node.name: ast.get_source_segment(SOLUTION, node) or ""
    for node in ast.parse(SOLUTION).body
    if isinstance(node, (ast.ClassDef, ast.FunctionDef))
}
NAMES = {
    "C3": "part1_train_step",
    "C4": "evaluate_accuracy",
    "C6": "energy",
    "C7": "sampling_step",
    "C8": "SampleBuffer",
    "C9": "part2_train_step",
}


def wrong(
    item: str, name: str, mistake: str, loses: tuple[str, ...], *swaps: tuple[str, str], also: tuple[str, ...] = ()
) -> Mutant:
    """Return the mutant of an item in which every old text, found exactly once, gives way to its new one."""
    definition = DEFINITIONS[NAMES[item]]
    for old, new in swaps:
        if definition.count(old) != 1:
            raise ValueError(f"{item} {name}: {definition.count(old)} times in {NAMES[item]}: {old!r}")
        definition = definition.replace(old, new)
    return Mutant(f"{item}-{name}", item, mistake, loses, replaces={NAMES[item]: definition}, also=also)


# Lines of the reference that many mutants swap.
NOISY = "data + tf.random.normal(tf.shape(data), stddev=sigma)"
TARGET = "target = tf.one_hot(label, model.num_classes)"
CROSS_ENTROPY = "tf.reduce_mean(keras.losses.categorical_crossentropy(target, logits, from_logits=True))"
APPLY = "optim.apply_gradients(zip(gradients, model.trainable_variables, strict=True))"
GRADIENTS = "tape.gradient(loss, model.trainable_variables)"
RETURN = 'return {"loss": loss}'

# C3: the training step of Part 1 --------------------------------------------------------------------------------------

TRAINING_STEP = (
    wrong("C3", "no-noise", "forgets the noise", ("noise", "sigma"), (NOISY, "data")),
    wrong(
        "C3",
        "noise-thrown-away",
        "adds noise, then calls the model with the data",
        ("noise",),
        ("model(noisy,", "model(data,"),
    ),
    wrong(
        "C3",
        "uniform",
        "adds uniform noise of the right deviation",
        ("noise",),
        (NOISY, "data + tf.random.uniform(tf.shape(data), -sigma * 3**0.5, sigma * 3**0.5)"),
    ),
    wrong(
        "C3",
        "uniform-sigma",
        "adds uniform noise from -sigma to sigma",
        ("noise", "sigma"),
        (NOISY, "data + tf.random.uniform(tf.shape(data), -sigma, sigma)"),
    ),
    wrong(
        "C3",
        "positive",
        "takes noise from 0 to sigma, which brightens all images",
        ("noise",),
        (NOISY, "data + sigma * tf.random.uniform(tf.shape(data))"),
    ),
    wrong("C3", "variance", "takes sigma for the variance", ("sigma",), ("stddev=sigma", "stddev=sigma**0.5")),
    wrong("C3", "squared", "squares sigma", ("sigma",), ("stddev=sigma", "stddev=sigma**2")),
    wrong("C3", "standard-normal", "forgets sigma", ("sigma",), (", stddev=sigma", "")),
    wrong("C3", "fixed-sigma", "ignores the argument", ("sigma",), ("stddev=sigma", "stddev=0.03")),
    wrong("C3", "default", "has another default sigma", ("sigma",), ("sigma=0.03", "sigma=0.1")),
    wrong(
        "C3",
        "one-for-all-images",
        "adds the same noise to all images of a batch",
        ("noise",),
        ("tf.shape(data)", "data.shape[1:]"),
    ),
    wrong("C3", "one-for-all-channels", "adds gray noise", ("noise",), ("tf.shape(data)", "(len(data), 32, 32, 1)")),
    wrong(
        "C3", "one-per-image", "adds one number to each image", ("noise",), ("tf.shape(data)", "(len(data), 1, 1, 1)")
    ),
    wrong(
        "C3",
        "same-every-call",
        "seeds its noise in every call",
        ("noise",),
        (NOISY, "data + tf.random.stateless_normal(tf.shape(data), seed=(1, 2), stddev=sigma)"),
    ),
    wrong(
        "C3",
        "numpy-seed",
        "seeds NumPy in every call",
        ("noise",),
        (NOISY, "data + np.random.RandomState(0).normal(0.0, sigma, data.shape).astype(np.float32)"),
    ),
    wrong(
        "C3",
        "multiplies",
        "multiplies with the noise",
        ("noise",),
        (NOISY, "data * tf.random.normal(tf.shape(data), 1.0, sigma)"),
    ),
    wrong(
        "C3",
        "in-place",
        "adds the noise to the array that it was given",
        ("data",),
        (f"noisy = {NOISY}", "data += np.random.normal(0.0, sigma, data.shape).astype(np.float32)\n    noisy = data"),
    ),
    wrong(
        "C3",
        "softmax-twice",
        "takes the softmax and says that these are logits",
        ("gradients",),
        ("logits = model(noisy, training=True)", "logits = tf.nn.softmax(model(noisy, training=True))"),
    ),
    wrong("C3", "not-from-logits", "takes logits for probabilities", ("gradients",), (", from_logits=True", "")),
    wrong("C3", "sum", "sums over the batch", ("gradients", "loss"), ("tf.reduce_mean(", "tf.reduce_sum(")),
    wrong(
        "C3",
        "vector",
        "does not average the losses",
        ("gradients", "loss"),
        (CROSS_ENTROPY, "keras.losses.categorical_crossentropy(target, logits, from_logits=True)"),
    ),
    wrong(
        "C3",
        "squared-error",
        "uses the squared error",
        ("gradients",),
        (CROSS_ENTROPY, "tf.reduce_mean((target - tf.nn.softmax(logits)) ** 2)"),
    ),
    wrong(
        "C3",
        "arguments-swapped",
        "swaps labels and logits",
        ("gradients",),
        ("(target, logits, from_logits", "(logits, target, from_logits"),
    ),
    wrong(
        "C3", "binary", "uses binary cross-entropy", ("gradients",), ("categorical_crossentropy", "binary_crossentropy")
    ),
    wrong(
        "C3",
        "ascent",
        "goes up the gradient",
        ("gradients",),
        (GRADIENTS, "[-g for g in tape.gradient(loss, model.trainable_variables)]"),
    ),
    wrong(
        "C3",
        "clean-loss",
        "adds the noise to the logits",
        ("noise",),
        ("model(noisy, training=True)", "model(data, training=True)"),
        (NOISY, "tf.random.normal(tf.shape(label), stddev=sigma)"),
    ),
    wrong(
        "C3",
        "all-variables",
        "trains all variables, the fixed ones too",
        ("update",),
        (GRADIENTS, "tape.gradient(loss, model.variables)"),
        (APPLY, "optim.apply_gradients(zip(gradients, model.variables))"),
    ),
    wrong("C3", "no-update", "forgets to apply the gradients", ("update", "gradients"), (f"    {APPLY}\n", "")),
    wrong("C3", "twice", "applies the gradients twice", ("update",), (APPLY, f"{APPLY}\n    {APPLY}")),
    wrong(
        "C3",
        "first-only",
        "trains the first variable alone",
        ("update", "gradients"),
        (APPLY, "optim.apply_gradients([(gradients[0], model.trainable_variables[0])])"),
    ),
    wrong(
        "C3",
        "by-hand",
        "updates by hand, with a rate of its own",
        ("update", "gradients"),
        (
            APPLY,
            "for variable, gradient in zip(model.trainable_variables, gradients):\n"
            "        variable.assign_sub(1e-4 * gradient)",
        ),
    ),
    wrong("C3", "loss-alone", "returns the loss itself", ("loss",), (RETURN, "return loss")),
    wrong("C3", "no-return", "returns nothing", ("loss",), (RETURN, "return None")),
    wrong("C3", "other-key", "calls the loss by another name", ("loss",), (RETURN, 'return {"Loss": loss}')),
    wrong("C3", "constant-loss", "returns a loss that looks right", ("loss",), (RETURN, 'return {"loss": 2.3026}')),
    wrong(
        "C3",
        "zero-gradients",
        "hands zeros to the optimizer",
        ("gradients",),
        (APPLY, "optim.apply_gradients([(0 * g, v) for g, v in zip(gradients, model.trainable_variables)])"),
    ),
    wrong(
        "C3",
        "not-training",
        "tells the model that it does not train",
        ("mode",),
        ("training=True", "training=False"),
    ),
    wrong(
        "C3",
        "next-label",
        "counts the classes from 1",
        ("gradients", "loss"),
        (TARGET, "target = tf.one_hot(label - 1, model.num_classes)"),
    ),
)

# C4: the accuracy -----------------------------------------------------------------------------------------------------

COUNT = "correct += int(tf.reduce_sum(tf.cast(predicted == tf.cast(label, predicted.dtype), tf.int32)))"
PREDICTED = "predicted = tf.argmax(model(data, training=False), axis=-1)"

ACCURACY = (
    wrong(
        "C4",
        "mean-of-batches",
        "averages the accuracies of batches",
        ("batches",),
        (COUNT, "correct += float(tf.reduce_mean(tf.cast(predicted == tf.cast(label, predicted.dtype), tf.float32)))"),
        ("total += len(label)", "total += 1"),
    ),
    wrong(
        "C4",
        "last-batch",
        "counts the last batch alone",
        ("whole", "batches"),
        ("correct +=", "correct ="),
        ("total += len", "total = len"),
    ),
    wrong(
        "C4",
        "first-batch",
        "returns after the first batch",
        ("whole", "batches"),
        ("    return correct / total", "        return correct / total"),
    ),
    wrong(
        "C4",
        "drops-last",
        "leaves out a batch that is not full",
        ("batches",),
        (
            "        predicted =",
            "        size = max(len(data), total and size)\n"
            "        if len(data) < size:\n            continue\n        predicted =",
        ),
    ),
    wrong(
        "C4",
        "fixed-total",
        "divides by the size of the handout's test set",
        ("value", "whole", "batches"),
        ("correct / total", "correct / 10000"),
    ),
    wrong(
        "C4",
        "fixed-batch",
        "multiplies the batches by the size of the first",
        ("batches",),
        ("total += len(label)", "total += 4"),
    ),
    wrong("C4", "count", "returns the count", ("value",), ("return correct / total", "return correct")),
    wrong(
        "C4", "error", "returns the error", ("value", "whole", "batches"), ("correct / total", "1 - correct / total")
    ),
    wrong("C4", "argmin", "takes the smallest logit", ("value",), ("tf.argmax", "tf.argmin")),
    wrong(
        "C4",
        "axis",
        "takes the largest logit of each class",
        ("value",),
        (PREDICTED, "predicted = tf.argmax(model(data, training=False), axis=0)[: len(data)]"),
    ),
    wrong("C4", "trains", "evaluates in training mode", ("unchanged",), ("training=False", "training=True")),
    wrong(
        "C4",
        "updates",
        "changes the weights meanwhile",
        ("unchanged",),
        (
            COUNT,
            f"{COUNT}\n        model.trainable_variables[0].assign(model.trainable_variables[0] + 1e-3)",
        ),
    ),
    wrong(
        "C4",
        "constant",
        "returns an accuracy that looks good",
        ("value", "whole", "batches"),
        ("return correct / total", "return 0.8231"),
    ),
    wrong(
        "C4",
        "perfect",
        "returns 1 without a look at the model",
        ("value", "whole", "batches"),
        ("return correct / total", "return 1.0"),
    ),
    wrong("C4", "integer", "divides without remainder", ("value",), ("correct / total", "correct // total")),
    wrong(
        "C4",
        "labels-with-labels",
        "compares the labels with themselves",
        ("value",),
        (PREDICTED, "predicted = tf.cast(label, tf.int64)"),
    ),
    wrong(
        "C4",
        "by-batch",
        "returns a list of accuracies",
        ("whole",),
        ("correct, total = 0, 0", "found = []"),
        (
            COUNT,
            "found.append(float(tf.reduce_mean(tf.cast(predicted == tf.cast(label, predicted.dtype), tf.float32))))",
        ),
        ("        total += len(label)\n", ""),
        ("return correct / total", "return found"),
    ),
    wrong(
        "C4",
        "global-metric",
        "keeps the counts of earlier calls",
        ("batches",),
        (
            "correct, total = 0, 0",
            "counts = evaluate_accuracy.__dict__\n"
            "    correct, total = counts.get('correct', 0), counts.get('total', 0)",
        ),
        ("return correct / total", "counts.update(correct=correct, total=total)\n    return correct / total"),
    ),
)

# C6: the energy -------------------------------------------------------------------------------------------------------

LOGSUMEXP = "return -tf.reduce_logsumexp(logits, axis=-1)"
GATHER = "return -tf.gather(logits, tf.cast(label, tf.int32), axis=-1, batch_dims=1)"

ENERGY = (
    wrong(
        "C6",
        "sign",
        "forgets the minus before the log-sum-exp",
        ("unconditional",),
        (LOGSUMEXP, LOGSUMEXP.replace("-tf", "tf")),
    ),
    wrong(
        "C6",
        "label-sign",
        "forgets the minus before the logit",
        ("conditional",),
        (GATHER, GATHER.replace("-tf", "tf")),
    ),
    wrong(
        "C6",
        "mean",
        "takes the mean of the logits",
        ("unconditional",),
        (LOGSUMEXP, "return -tf.reduce_mean(logits, axis=-1)"),
    ),
    wrong(
        "C6",
        "maximum",
        "takes the largest logit",
        ("unconditional",),
        (LOGSUMEXP, "return -tf.reduce_max(logits, axis=-1)"),
    ),
    wrong("C6", "axis", "sums over the batch", ("shape", "unconditional"), (LOGSUMEXP, LOGSUMEXP.replace("-1)", "0)"))),
    wrong(
        "C6",
        "all",
        "sums over batch and classes",
        ("shape", "unconditional"),
        (LOGSUMEXP, "return -tf.reduce_logsumexp(logits)"),
    ),
    wrong(
        "C6",
        "averaged",
        "averages over the batch",
        ("shape", "unconditional"),
        (LOGSUMEXP, "return -tf.reduce_mean(tf.reduce_logsumexp(logits, axis=-1))"),
    ),
    wrong(
        "C6",
        "square",
        "gathers without batch_dims, every label of every image",
        ("shape", "conditional"),
        (", axis=-1, batch_dims=1", ", axis=1"),
    ),
    wrong(
        "C6",
        "probability",
        "takes the probability of the label",
        ("conditional",),
        (GATHER, GATHER.replace("gather(logits", "gather(tf.nn.softmax(logits)")),
    ),
    wrong(
        "C6",
        "cross-entropy",
        "takes the cross-entropy",
        ("conditional",),
        (GATHER, GATHER.replace("gather(logits", "gather(tf.nn.log_softmax(logits)")),
    ),
    wrong(
        "C6",
        "overflow",
        "writes the log-sum-exp out",
        ("extremes",),
        (LOGSUMEXP, "return -tf.math.log(tf.reduce_sum(tf.exp(logits), axis=-1))"),
    ),
    wrong(
        "C6",
        "training",
        "calls the model in training mode",
        ("inference",),
        ("model(data)", "model(data, training=True)"),
    ),
    wrong("C6", "label-ignored", "forgets the label", ("conditional",), ("if label is None:", "if True:")),
    wrong(
        "C6",
        "label-of-model",
        "takes the label that the model would choose",
        ("conditional",),
        (GATHER, "return -tf.reduce_max(logits, axis=-1)"),
    ),
    wrong(
        "C6",
        "numpy",
        "computes in NumPy, where no gradient passes",
        ("gradients",),
        ("logits = model(data)", "logits = tf.constant(model(data).numpy())"),
    ),
    wrong(
        "C6",
        "kept-axis",
        "keeps the axis of the classes",
        ("shape",),
        (LOGSUMEXP, "return -tf.reduce_logsumexp(logits, axis=-1, keepdims=True)"),
    ),
    wrong(
        "C6",
        "log-softmax",
        "normalises the logits first, after which every energy is 0",
        ("unconditional",),
        ("logits = model(data)", "logits = tf.nn.log_softmax(model(data))"),
    ),
)

# C7: the sampling step ------------------------------------------------------------------------------------------------

TOTAL = "tf.reduce_sum(energy(model, data, label))"
NEXT = "data = data - step_size * gradient + noise"
NOISE = "tf.random.normal(tf.shape(data), stddev=noise_amp)"

SAMPLING_STEP = (
    wrong("C7", "ascent", "goes up the energy", ("gradient",), ("data - step_size", "data + step_size")),
    wrong(
        "C7",
        "mean",
        "averages the energies, so that the step shrinks with the batch",
        ("sum",),
        (TOTAL, "tf.reduce_mean(energy(model, data, label))"),
    ),
    wrong("C7", "no-step-size", "forgets the step size", ("step_size",), ("step_size * gradient", "gradient")),
    wrong("C7", "default-step", "has another default step size", ("step_size",), ("step_size=1,", "step_size=0.1,")),
    wrong(
        "C7", "no-label", "forgets the label", ("conditional",), ("energy(model, data, label)", "energy(model, data)")
    ),
    wrong(
        "C7",
        "label-needed",
        "cannot do without a label",
        ("gradient",),
        (
            "energy(model, data, label)",
            "energy(model, data, tf.zeros(len(data), tf.int32) if label is None else label)",
        ),
    ),
    wrong("C7", "no-noise", "forgets the noise", ("noise",), (" + noise", "")),
    wrong("C7", "noise-twice", "adds the noise twice, as two draws", ("noise",), (" + noise", f" + noise + {NOISE}")),
    wrong(
        "C7", "variance", "takes noise_amp for the variance", ("noise",), ("stddev=noise_amp", "stddev=noise_amp**0.5")
    ),
    wrong("C7", "squared", "squares noise_amp", ("noise",), ("stddev=noise_amp", "stddev=noise_amp**2")),
    wrong(
        "C7",
        "uniform",
        "adds uniform noise",
        ("noise",),
        (NOISE, "tf.random.uniform(tf.shape(data), -noise_amp, noise_amp)"),
    ),
    wrong("C7", "default-noise", "has another default noise", ("noise",), ("noise_amp=0.01", "noise_amp=0.1")),
    wrong(
        "C7",
        "noise-subtracted-from-step",
        "scales the noise by the step size",
        ("noise",),
        ("+ noise", "+ step_size * noise"),
    ),
    wrong(
        "C7",
        "langevin",
        "uses the textbook's noise, of deviation sqrt(2 * step_size)",
        ("noise",),
        (NOISE, "tf.random.normal(tf.shape(data), stddev=noise_amp * (2 * step_size) ** 0.5)"),
    ),
    wrong("C7", "one-noise", "adds the same noise to all images", ("noise",), ("tf.shape(data)", "data.shape[1:]")),
    wrong("C7", "gray-noise", "adds gray noise", ("noise",), ("tf.shape(data)", "(len(data), 32, 32, 1)")),
    wrong(
        "C7",
        "sign-only",
        "takes the sign of the gradient",
        ("gradient",),
        ("step_size * gradient", "step_size * tf.sign(gradient)"),
    ),
    wrong(
        "C7",
        "normalised",
        "takes the gradient to length 1",
        ("gradient",),
        ("step_size * gradient", "step_size * tf.math.l2_normalize(gradient)"),
    ),
    wrong(
        "C7",
        "clipped-gradient",
        "clips the gradient, as the tutorial does",
        ("gradient",),
        ("step_size * gradient", "step_size * tf.clip_by_value(gradient, -0.03, 0.03)"),
    ),
    wrong("C7", "no-clip", "lets the values leave [0, 1]", ("range",), ("tf.clip_by_value(data, 0.0, 1.0)", "data")),
    wrong(
        "C7",
        "other-range",
        "clips to [-1, 1]",
        ("range",),
        ("tf.clip_by_value(data, 0.0, 1.0)", "tf.clip_by_value(data, -1.0, 1.0)"),
    ),
    wrong(
        "C7", "stays", "returns the images as they were", ("gradient", "noise"), (NEXT, "data = data + 0 * gradient")
    ),
    wrong(
        "C7",
        "returns-gradient",
        "returns the gradient alone",
        ("gradient",),
        (NEXT, "data = -step_size * gradient + noise"),
    ),
    wrong(
        "C7",
        "trains-model",
        "goes down the gradient of the weights as well",
        ("unchanged",),
        ("with tf.GradientTape() as tape:", "with tf.GradientTape(persistent=True) as tape:"),
        (
            NEXT,
            "for variable in model.trainable_variables:\n"
            f"        variable.assign_sub(0.001 * tape.gradient(total, variable))\n    {NEXT}",
        ),
    ),
    wrong(
        "C7",
        "in-place",
        "overwrites the array that it was given",
        ("unchanged",),
        ("    return tf.clip", "    if isinstance(start, np.ndarray):\n        start[...] = data\n    return tf.clip"),
        (
            "    data = tf.convert_to_tensor(data, tf.float32)",
            "    start = data\n    data = tf.convert_to_tensor(data, tf.float32)",
        ),
    ),
    wrong(
        "C7",
        "cross-entropy",
        "goes down the cross-entropy of the label",
        ("conditional",),
        (TOTAL, "tf.reduce_sum(energy(model, data, label) - (0 if label is None else energy(model, data)))"),
    ),
    wrong(
        "C7",
        "first-image",
        "steps along the gradient of the first image",
        ("sum",),
        ("step_size * gradient", "step_size * gradient[:1]"),
    ),
)

# C8: the buffer -------------------------------------------------------------------------------------------------------

FORGET = "del self.buffer[: max(0, len(self.buffer) - self.max_samples)]"
N_NEW = "n_new = np.random.binomial(n_samples, p_new)"
NEW = "np.random.uniform(0.0, 1.0, (n_new, *self.sample_shape))"
LABELS = "np.random.randint(0, self.n_class, n_new)"
EXTEND = "self.buffer.extend(zip(np.array(samples, self.dtype), np.array(ids, np.int32), strict=True))"
OLD = "self.buffer[np.random.randint(len(self.buffer))] for _ in range(n_samples - n_new)"

SAMPLE_BUFFER = (
    wrong("C8", "newest", "throws the newest away", ("oldest",), (FORGET, "del self.buffer[self.max_samples :]")),
    wrong("C8", "never", "never throws anything away", ("oldest",), (f"        {FORGET}\n", "")),
    wrong(
        "C8",
        "clears",
        "empties the buffer when it is full",
        ("oldest",),
        (FORGET, "if len(self.buffer) > self.max_samples:\n            self.buffer = self.buffer[-len(samples) :]"),
    ),
    wrong(
        "C8",
        "one-too-few",
        "keeps one less than it may",
        ("oldest",),
        (FORGET, "del self.buffer[: max(0, len(self.buffer) - self.max_samples + 1)]"),
    ),
    wrong(
        "C8",
        "one-too-many",
        "keeps one more than it may",
        ("oldest",),
        (FORGET, "del self.buffer[: max(0, len(self.buffer) - self.max_samples - 1)]"),
    ),
    wrong(
        "C8",
        "one-at-a-time",
        "removes one sample per call",
        ("oldest",),
        (FORGET, "if len(self.buffer) > self.max_samples:\n            self.buffer.pop(0)"),
    ),
    wrong(
        "C8",
        "batch",
        "removes as many as came, which breaks a batch that is larger than the buffer",
        ("oldest",),
        (FORGET, "if len(self.buffer) > self.max_samples:\n            del self.buffer[: len(samples)]"),
    ),
    wrong(
        "C8",
        "random",
        "overwrites at random, as the paper's code does",
        ("oldest",),
        (
            EXTEND,
            "for pair in zip(np.array(samples, self.dtype), np.array(ids, np.int32)):\n"
            "            if len(self.buffer) < self.max_samples:\n                self.buffer.append(pair)\n"
            "            else:\n                self.buffer[np.random.randint(self.max_samples)] = pair",
        ),
        (f"        {FORGET}\n", ""),
    ),
    wrong(
        "C8",
        "replaces",
        "keeps the last batch alone",
        ("append", "oldest"),
        (EXTEND, "self.buffer = list(zip(np.array(samples, self.dtype), np.array(ids, np.int32)))"),
    ),
    wrong(
        "C8",
        "exact-number",
        "makes exactly p_new * n_samples new ones",
        ("share",),
        (N_NEW, "n_new = round(n_samples * p_new)"),
    ),
    wrong(
        "C8",
        "one-coin",
        "tosses one coin for the whole batch",
        ("share",),
        (N_NEW, "n_new = n_samples if np.random.rand() < p_new else 0"),
    ),
    wrong(
        "C8",
        "reversed",
        "takes p_new for the chance of an old one",
        ("share",),
        (N_NEW, "n_new = np.random.binomial(n_samples, 1 - p_new)"),
    ),
    wrong("C8", "fixed-share", "ignores p_new", ("share",), (N_NEW, "n_new = np.random.binomial(n_samples, 0.05)")),
    wrong("C8", "default-share", "has another default p_new", ("share",), ("p_new=0.05", "p_new=0.5")),
    wrong("C8", "never-new", "hands out old ones alone", ("share",), (N_NEW, "n_new = 0")),
    wrong(
        "C8",
        "normal",
        "takes normal noise",
        ("uniform", "empty"),
        (NEW, "np.random.normal(0.5, 0.2, (n_new, *self.sample_shape))"),
    ),
    wrong(
        "C8",
        "range",
        "takes noise from -1 to 1",
        ("uniform", "empty"),
        ("np.random.uniform(0.0, 1.0,", "np.random.uniform(-1.0, 1.0,"),
    ),
    wrong(
        "C8",
        "one-image",
        "makes one image and repeats it",
        ("uniform", "empty"),
        (NEW, "np.repeat(np.random.uniform(0.0, 1.0, (1, *self.sample_shape)), n_new, axis=0)"),
    ),
    wrong(
        "C8",
        "flat-image",
        "makes images of one gray",
        ("uniform", "empty"),
        (NEW, "np.random.uniform(0.0, 1.0, (n_new, 1, 1, 1)) * np.ones(self.sample_shape)"),
    ),
    wrong(
        "C8",
        "labels-from-1",
        "counts the labels from 1",
        ("uniform", "empty"),
        (LABELS, "np.random.randint(1, self.n_class + 1, n_new)"),
    ),
    wrong(
        "C8",
        "labels-inclusive",
        "draws n_class as a label too",
        ("uniform", "empty"),
        (LABELS, "np.random.randint(0, self.n_class + 1, n_new)"),
    ),
    wrong(
        "C8",
        "labels-short",
        "never draws the last label",
        ("uniform",),
        (LABELS, "np.random.randint(0, self.n_class - 1, n_new)"),
    ),
    wrong(
        "C8",
        "ten-classes",
        "draws the labels of CIFAR-10 whatever n_class is",
        ("uniform", "empty"),
        (LABELS, "np.random.randint(0, 10, n_new)"),
    ),
    wrong(
        "C8",
        "one-label",
        "gives all new samples one label",
        ("uniform", "empty"),
        (LABELS, "np.full(n_new, np.random.randint(0, self.n_class))"),
    ),
    wrong(
        "C8",
        "labels-apart",
        "draws images and labels of old ones apart",
        ("pairs",),
        ("for _, label in old", "for _, label in old[::-1]"),
    ),
    wrong(
        "C8",
        "labels-first",
        "puts old labels before new ones, but new images first",
        ("pairs",),
        ("ids = [*labels, *(label for _, label in old)]", "ids = [*(label for _, label in old), *labels]"),
    ),
    wrong(
        "C8",
        "no-empty-case",
        "breaks while the buffer is empty",
        ("empty",),
        ("        if not self.buffer:\n            n_new = n_samples\n", ""),
    ),
    wrong(
        "C8",
        "images-alone",
        "returns the images alone",
        ("tuple",),
        ("return tf.stack(samples), tf.stack(ids)", "return tf.stack(samples)"),
    ),
    wrong(
        "C8",
        "swapped",
        "returns labels and images",
        ("tuple",),
        ("return tf.stack(samples), tf.stack(ids)", "return tf.stack(ids), tf.stack(samples)"),
    ),
    wrong(
        "C8",
        "latest",
        "hands out the latest, never the others",
        ("append", "oldest"),
        (OLD, "self.buffer[-1 - i % 2] for i in range(n_samples - n_new)"),
    ),
    wrong(
        "C8",
        "handout-shape",
        "makes images of CIFAR-10's shape whatever sample_shape is",
        ("uniform", "empty"),
        ("(n_new, *self.sample_shape)", "(n_new, 32, 32, 3)"),
    ),
    wrong(
        "C8",
        "aliases",
        "hands out its own arrays, which the caller may change",
        ("append",),
        ("return tf.stack(samples), tf.stack(ids)", "return samples, ids"),
    ),
)

# C9: the training step of Part 2 --------------------------------------------------------------------------------------

LOOP = "    for _ in range(20):\n        sampled = sampling_step(model, sampled, ids)\n"
ADD = "    sb.add_to_buffer(sampled, ids)\n"
SAMPLE = "sb.sample_from_buffer(len(data))"
REAL = "tf.reduce_mean(energy(model, noisy))"
SAMPLED = "tf.reduce_mean(energy(model, sampled))"
JOINT_RETURN = 'return {"loss": loss, "class_loss": centry}'
TAPE = "    with tf.GradientTape() as tape:\n"

JOINT_STEP = (
    wrong(
        "C9",
        "sign",
        "swaps the signs of the energies",
        ("loss",),
        (f"centry + {REAL} - {SAMPLED}", f"centry - {REAL} + {SAMPLED}"),
    ),
    wrong("C9", "both-plus", "adds both energies", ("loss",), (f"- {SAMPLED}", f"+ {SAMPLED}")),
    wrong("C9", "no-real", "forgets the energy of the data", ("loss",), (f" + {REAL}", "")),
    wrong("C9", "no-sampled", "forgets the energy of the samples", ("loss",), (f" - {SAMPLED}", "")),
    wrong("C9", "classifier", "is the step of Part 1", ("loss",), (f" + {REAL} - {SAMPLED}", "")),
    wrong("C9", "no-cross-entropy", "forgets the cross-entropy", ("loss",), ("loss = centry + ", "loss = ")),
    wrong(
        "C9",
        "sum",
        "sums the energies, averages the cross-entropy",
        ("aggregation",),
        (REAL, REAL.replace("mean", "sum")),
        (SAMPLED, SAMPLED.replace("mean", "sum")),
    ),
    wrong(
        "C9",
        "vector",
        "adds vectors of energies to one cross-entropy",
        ("aggregation",),
        (f"{REAL} - {SAMPLED}", "energy(model, noisy) - energy(model, sampled)"),
    ),
    wrong(
        "C9",
        "labelled",
        "takes E(x', y') of the samples",
        ("loss",),
        (SAMPLED, "tf.reduce_mean(energy(model, sampled, ids))"),
    ),
    wrong(
        "C9",
        "labelled-both",
        "takes the energies of images and labels",
        ("loss",),
        (REAL, "tf.reduce_mean(energy(model, noisy, label))"),
        (SAMPLED, "tf.reduce_mean(energy(model, sampled, ids))"),
    ),
    wrong(
        "C9",
        "classifies-samples",
        "classifies the samples too",
        ("loss",),
        (
            "loss = centry +",
            "guess = model(sampled)\n"
            "        centry += tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(ids, guess))\n"
            "        loss = centry +",
        ),
    ),
    wrong(
        "C9",
        "samples-before",
        "takes the energy of the samples before their steps",
        ("loss",),
        ("    sampled, ids = sb", "    before, ids = sb"),
        (LOOP, f"    sampled = before\n{LOOP}"),
        (SAMPLED, "tf.reduce_mean(energy(model, before))"),
    ),
    wrong(
        "C9",
        "softmax",
        "takes the softmax before the cross-entropy",
        ("loss",),
        ("logits = model(noisy, training=True)", "logits = tf.nn.softmax(model(noisy, training=True))"),
    ),
    wrong("C9", "one-step", "takes one sampling step", ("steps",), ("range(20)", "range(1)")),
    wrong("C9", "nineteen", "takes 19 sampling steps", ("steps",), ("range(20)", "range(1, 20)")),
    wrong("C9", "twenty-one", "takes 21 sampling steps", ("steps",), ("range(20)", "range(21)")),
    wrong("C9", "eighty", "takes the 80 steps of Section 6.2", ("steps",), ("range(20)", "range(80)")),
    wrong("C9", "no-steps", "forgets the sampling steps", ("steps", "buffer"), (LOOP, "")),
    wrong(
        "C9",
        "big-step",
        "takes one step of twenty times the size",
        ("steps",),
        (LOOP, "    sampled = sampling_step(model, sampled, ids, step_size=20)\n"),
    ),
    wrong(
        "C9",
        "from-the-start",
        "begins every step at the first sample",
        ("steps",),
        (LOOP, "    first = sampled\n    for _ in range(20):\n        sampled = sampling_step(model, first, ids)\n"),
    ),
    wrong(
        "C9",
        "no-labels",
        "samples without the labels",
        ("steps",),
        ("sampling_step(model, sampled, ids)", "sampling_step(model, sampled)"),
    ),
    wrong(
        "C9",
        "labels-of-data",
        "samples with the labels of the data",
        ("steps",),
        ("sampling_step(model, sampled, ids)", "sampling_step(model, sampled, label)"),
    ),
    wrong(
        "C9",
        "no-sampling-noise",
        "turns the noise of the steps off",
        ("steps",),
        ("sampling_step(model, sampled, ids)", "sampling_step(model, sampled, ids, noise_amp=0.0)"),
    ),
    wrong(
        "C9",
        "small-steps",
        "takes steps of a tenth",
        ("steps",),
        ("sampling_step(model, sampled, ids)", "sampling_step(model, sampled, ids, step_size=0.1)"),
    ),
    wrong("C9", "not-added", "never adds the samples to the buffer", ("buffer",), (ADD, "")),
    wrong("C9", "added-before", "adds the samples before their steps", ("buffer",), (LOOP + ADD, ADD + LOOP)),
    wrong("C9", "added-twice", "adds the samples before and after", ("buffer",), (LOOP, ADD + LOOP)),
    wrong(
        "C9",
        "adds-data",
        "adds the data to the buffer",
        ("buffer",),
        ("add_to_buffer(sampled, ids)", "add_to_buffer(noisy, label)"),
    ),
    wrong(
        "C9",
        "labels-of-data-added",
        "adds the samples with the labels of the data",
        ("buffer",),
        ("add_to_buffer(sampled, ids)", "add_to_buffer(sampled, label)"),
    ),
    wrong(
        "C9",
        "every-step",
        "adds the samples after every step",
        ("buffer",),
        (
            LOOP + ADD,
            f"{LOOP}        sb.add_to_buffer(sampled, ids)\n",
        ),
    ),
    wrong(
        "C9",
        "one-hot-added",
        "adds one-hot labels",
        ("buffer",),
        ("add_to_buffer(sampled, ids)", "add_to_buffer(sampled, tf.one_hot(ids, model.num_classes))"),
    ),
    wrong(
        "C9", "fixed-number", "asks for the handout's 64 samples", ("number",), (SAMPLE, "sb.sample_from_buffer(64)")
    ),
    wrong("C9", "one-sample", "asks for one sample", ("number",), (SAMPLE, "sb.sample_from_buffer(1)")),
    wrong(
        "C9",
        "through-the-steps",
        "samples under the tape, so that the steps are differentiated",
        ("constant",),
        (LOOP + ADD, ""),
        (
            TAPE,
            TAPE
            + LOOP.replace("    for", "        for").replace("        sampled", "            sampled")
            + "        sb.add_to_buffer(sampled, ids)\n",
        ),
    ),
    wrong("C9", "no-noise", "forgets the noise on the data", ("noise",), (NOISY, "data")),
    wrong(
        "C9",
        "clean-cross-entropy",
        "classifies the clean images",
        ("noise",),
        ("model(noisy, training=True)", "model(data, training=True)"),
    ),
    wrong("C9", "fixed-sigma", "ignores sigma", ("noise",), ("stddev=sigma", "stddev=0.03")),
    wrong("C9", "variance", "takes sigma for the variance", ("noise",), ("stddev=sigma", "stddev=sigma**0.5")),
    wrong("C9", "one-noise", "adds the same noise to all images", ("noise",), ("tf.shape(data)", "data.shape[1:]")),
    wrong("C9", "no-update", "forgets to apply the gradients", ("update",), (f"    {APPLY}\n", "")),
    wrong(
        "C9",
        "update-every-term",
        "updates twice, by each term on its own",
        ("update",),
        (APPLY, f"{APPLY}\n    {APPLY}"),
    ),
    wrong(
        "C9",
        "all-variables",
        "trains all variables",
        ("update",),
        (GRADIENTS, "tape.gradient(loss, model.variables)"),
        (APPLY, "optim.apply_gradients(zip(gradients, model.variables))"),
    ),
    wrong(
        "C9",
        "class-loss-alone",
        "returns the cross-entropy as the loss",
        ("report",),
        ('{"loss": loss,', '{"loss": centry,'),
    ),
    wrong("C9", "no-return", "returns nothing", ("report",), (JOINT_RETURN, "return None")),
    wrong(
        "C9",
        "gradient-of-cross-entropy",
        "computes the whole loss, but the gradients of the cross-entropy",
        ("loss",),
        (GRADIENTS, "tape.gradient(centry, model.trainable_variables)"),
    ),
    wrong(
        "C9",
        "detached",
        "stops the gradient of the energies",
        ("loss",),
        (f"{REAL} - {SAMPLED}", f"tf.stop_gradient({REAL} - {SAMPLED})"),
    ),
    wrong(
        "C9",
        "absolute",
        "takes the absolute difference of the energies",
        ("loss",),
        (f"{REAL} - {SAMPLED}", f"0.5 * {REAL} - 0.5 * {SAMPLED}"),
    ),
)


MUTANTS: tuple[Mutant, ...] = (*TRAINING_STEP, *ACCURACY, *ENERGY, *SAMPLING_STEP, *SAMPLE_BUFFER, *JOINT_STEP)
