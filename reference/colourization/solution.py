# %% [markdown]
# # Colourization of images with convolutional networks
#
# Handout: CSC413 (Winter 2023), Assignment 2, Sections 4 to 6. Fill in the cells marked `[4.1]` to `[6.2]`, from top to
# bottom. Under each model stands a cell with `graders.check(...)`: it says within a second what is right and what is
# not. Keep the result of every cell in the notebook that you hand in.

# %%
import os
import time
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn as nn

import graders

# %% [markdown]
# ## Provided: data, colours and training
#
# You do not have to do anything here. The images are those of CIFAR-10, 32x32 pixels; only the horses are used.
# A network predicts for each pixel which of 24 colours it has, from the brightness of the image alone.

# %%
# The data of the course: x_train, y_train, x_test, y_test, uint8, (N, 32, 32, 3) and (N,).
DATA = "./data/cifar10.npz"
HORSE = 7


def load_horses(path):
    """Return the horses for training and for validation, float32 (N, 3, 32, 32) in [0, 1]."""
    data = np.load(path)
    sets = []
    for part in ("train", "test"):
        labels = data[f"y_{part}"].reshape(-1)
        images = data[f"x_{part}"][labels == HORSE]
        sets.append(images.transpose(0, 3, 1, 2).astype(np.float32) / 255.0)
    return sets


# %%
def nearest_colour(pixels, colours):
    """Return the index of the colour that is nearest in RGB space: (N, 3), (K, 3) -> (N,)."""
    # |p - c|^2 = |p|^2 - 2 p.c + |c|^2; the first term is the same for all colours.
    return np.argmin((colours**2).sum(axis=1) - 2.0 * pixels @ colours.T, axis=1)


def cluster_colours(images, number=24, rounds=30, seed=0):
    """Return the centres of `number` clusters of the pixels of images (N, 3, H, W): float32 (number, 3) (k-means)."""
    generator = np.random.default_rng(seed)
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    pixels = pixels[generator.permutation(len(pixels))[:50_000]]
    colours = pixels[generator.choice(len(pixels), number, replace=False)]
    for _ in range(rounds):
        nearest = nearest_colour(pixels, colours)
        for index in range(number):
            if np.any(nearest == index):
                colours[index] = pixels[nearest == index].mean(axis=0)
    return colours.astype(np.float32)


# %%
def get_rgb_cat(images, colours):
    """Return the category of each pixel: float32 (N, 3, H, W) -> int64 (N, 1, H, W)."""
    number, _, height, width = images.shape
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    return nearest_colour(pixels, colours).reshape(number, 1, height, width)


def get_cat_rgb(categories, colours):
    """Return the colours of categories: int (N, 1, H, W) -> float32 (N, 3, H, W)."""
    return colours[categories[:, 0]].transpose(0, 3, 1, 2)


def get_grey(images):
    """Return the brightness of images: (N, 3, H, W) -> float32 (N, 1, H, W)."""
    return images.mean(axis=1, keepdims=True)


def get_batches(inputs, labels, batch_size):
    """Yield the inputs and the labels in batches, the last one smaller where they do not fill it."""
    for start in range(0, len(inputs), batch_size):
        yield inputs[start : start + batch_size], labels[start : start + batch_size]


# %%
def compute_loss(criterion, outputs, labels, batch_size, num_colours):
    """Return the loss of a batch: outputs (B, num_colours, 32, 32), labels (B, 1, 32, 32) of categories.

    Each pixel is one example for the criterion.
    """
    by_pixel = outputs.permute(0, 2, 3, 1).reshape(batch_size * 32 * 32, num_colours)
    return criterion(by_pixel, labels.reshape(batch_size * 32 * 32))


def run_validation_step(cnn, criterion, inputs, labels, batch_size, colours, plotpath=None):
    """Return the loss and the accuracy in percent on the validation set; draw its first images where a path is said."""
    cnn.eval()
    total, correct, predicted = 0.0, 0, []
    with torch.no_grad():
        for x, y in get_batches(inputs, labels, batch_size):
            outputs = cnn(torch.from_numpy(x).to(DEVICE))
            targets = torch.from_numpy(y).to(DEVICE)
            total += compute_loss(criterion, outputs, targets, len(x), len(colours)).item() * len(x)
            categories = outputs.argmax(dim=1, keepdim=True)
            correct += (categories == targets).sum().item()
            predicted.append(categories.cpu().numpy())
    if plotpath:
        plot_images(inputs, labels, np.concatenate(predicted), colours, plotpath)
    return total / len(inputs), 100.0 * correct / labels.size


def plot_images(inputs, labels, predicted, colours, path, number=8):
    """Draw the grey images, the images in true colours and in predicted colours, one row each."""
    rows = (inputs.repeat(3, axis=1), get_cat_rgb(labels, colours), get_cat_rgb(predicted, colours))
    picture = np.concatenate([np.concatenate(list(row[:number]), axis=2) for row in rows], axis=1)
    plt.figure(figsize=(number, 3))
    plt.imshow(picture.transpose(1, 2, 0))
    plt.axis("off")
    plt.savefig(path)
    plt.show()


def plot_curves(train_losses, valid_losses, path):
    """Draw the training and the validation loss by epoch."""
    plt.figure()
    plt.plot(range(1, len(train_losses) + 1), train_losses, "o-", label="Train")
    plt.plot(range(1, len(valid_losses) + 1), valid_losses, "o-", label="Validation")
    plt.xlabel("epoch")
    plt.ylabel("cross-entropy")
    plt.legend()
    plt.savefig(path)
    plt.show()


# %%
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def train(args, cnn=None):
    """Train a network to colour the horses and return it; without `cnn`, one of the class that `args.model` names."""
    torch.manual_seed(args.seed)
    shuffle = np.random.default_rng(args.seed)
    os.makedirs(args.experiment_name, exist_ok=True)
    train_images, valid_images = load_horses(args.data)
    colours = cluster_colours(train_images, args.num_colours)
    if cnn is None:
        cnn = globals()[args.model](args.kernel, args.num_filters, args.num_colours, num_in_channels=1)
    cnn.to(DEVICE)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(cnn.parameters(), lr=args.learn_rate)
    inputs, labels = get_grey(train_images), get_rgb_cat(train_images, colours)
    valid_inputs, valid_labels = get_grey(valid_images), get_rgb_cat(valid_images, colours)

    train_losses, valid_losses = [], []
    start = time.time()
    for epoch in range(args.epochs):
        cnn.train()
        losses = []
        order = shuffle.permutation(len(inputs))
        for x, y in get_batches(inputs[order], labels[order], args.batch_size):
            optimizer.zero_grad()
            outputs = cnn(torch.from_numpy(x).to(DEVICE))
            loss = compute_loss(criterion, outputs, torch.from_numpy(y).to(DEVICE), len(x), args.num_colours)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        train_losses.append(float(np.mean(losses)))
        last = epoch + 1 == args.epochs
        path = os.path.join(args.experiment_name, "images.png") if last and args.plot else None
        loss, accuracy = run_validation_step(cnn, criterion, valid_inputs, valid_labels, args.batch_size, colours, path)
        valid_losses.append(loss)
        print(
            f"Epoch [{epoch + 1}/{args.epochs}], Loss: {train_losses[-1]:.4f}, Val Loss: {loss:.4f}, "
            f"Val Acc: {accuracy:.1f}%, Time (s): {time.time() - start:.1f}"
        )
    if args.plot:
        plot_curves(train_losses, valid_losses, os.path.join(args.experiment_name, "curves.png"))
    return cnn


# %% [markdown]
# ## Pooling and upsampling (Section 4)
#
# `[4.1]` Complete the network of Figure 1a. `padding` is given.


# %%
# [4.1]
class PoolUpsampleNet(nn.Module):
    """Figure 1a: (B, num_in_channels, 32, 32) -> (B, num_colours, 32, 32)."""

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        padding = kernel // 2
        # BEGIN SOLUTION 4.1
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, kernel, padding=padding),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, 2 * num_filters, kernel, padding=padding),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.up1 = nn.Sequential(
            nn.Conv2d(2 * num_filters, num_filters, kernel, padding=padding),
            nn.Upsample(scale_factor=2),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.up2 = nn.Sequential(
            nn.Conv2d(num_filters, num_colours, kernel, padding=padding),
            nn.Upsample(scale_factor=2),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.last = nn.Conv2d(num_colours, num_colours, kernel, padding=padding)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION 4.1
        x = self.down1(x)  # (B, NF, 16, 16)
        x = self.down2(x)  # (B, 2NF, 8, 8)
        x = self.up1(x)  # (B, NF, 16, 16)
        x = self.up2(x)  # (B, NC, 32, 32)
        return self.last(x)  # (B, NC, 32, 32)
        # END SOLUTION


# %% check 4.1

# %% [markdown]
# `[4.2]` Run the training of `PoolUpsampleNet`.

# %%
# [4.2]
settings = {
    "data": DATA,
    "seed": 0,
    "kernel": 3,
    "num_filters": 32,
    "num_colours": 24,
    "learn_rate": 0.001,
    "batch_size": 100,
    "epochs": 25,
    "plot": True,
}
# BEGIN SOLUTION 4.2
pool_upsample_net = train(SimpleNamespace(model="PoolUpsampleNet", experiment_name="pool_upsample", **settings))
# END SOLUTION

# %% [markdown]
# Do these results look good to you? Why or why not?
#
# *Your answer.*

# %% [markdown]
# ## Strided and transposed convolutions (Section 5)
#
# `[5.1]` Complete the network of Figure 1b. `stride`, `padding` and `output_padding` are given.


# %%
# [5.1]
class ConvTransposeNet(nn.Module):
    """Figure 1b: (B, num_in_channels, 32, 32) -> (B, num_colours, 32, 32)."""

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        stride, padding, output_padding = 2, kernel // 2, 1
        # BEGIN SOLUTION 5.1
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, kernel, stride=stride, padding=padding),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, 2 * num_filters, kernel, stride=stride, padding=padding),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(
                2 * num_filters, num_filters, kernel, stride=stride, padding=padding, output_padding=output_padding
            ),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(
                num_filters, num_colours, kernel, stride=stride, padding=padding, output_padding=output_padding
            ),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.last = nn.Conv2d(num_colours, num_colours, kernel, padding=padding)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION 5.1
        x = self.down1(x)  # (B, NF, 16, 16)
        x = self.down2(x)  # (B, 2NF, 8, 8)
        x = self.up1(x)  # (B, NF, 16, 16)
        x = self.up2(x)  # (B, NC, 32, 32)
        return self.last(x)  # (B, NC, 32, 32)
        # END SOLUTION


# %% check 5.1

# %% [markdown]
# `[5.2]` Train it for at least 25 epochs with batches of 100 and a kernel size of 3, and plot the training curve.

# %%
# [5.2]
# BEGIN SOLUTION 5.2
conv_transpose_net = train(SimpleNamespace(model="ConvTransposeNet", experiment_name="conv_transpose", **settings))
# END SOLUTION

# %% [markdown]
# `[5.3]` How do the results compare to Section 4?
#
# *Your answer.*

# %% [markdown]
# ## Skip connections (Section 6)
#
# `[6.1]` Complete the network of Figure 1c: the network of Section 5 with skip connections, by `torch.cat`.


# %%
# [6.1]
class UNet(nn.Module):
    """Figure 1c: (B, num_in_channels, 32, 32) -> (B, num_colours, 32, 32)."""

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        stride, padding, output_padding = 2, kernel // 2, 1
        # BEGIN SOLUTION 6.1
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, kernel, stride=stride, padding=padding),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, 2 * num_filters, kernel, stride=stride, padding=padding),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(
                2 * num_filters, num_filters, kernel, stride=stride, padding=padding, output_padding=output_padding
            ),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(
                2 * num_filters, num_colours, kernel, stride=stride, padding=padding, output_padding=output_padding
            ),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.last = nn.Conv2d(num_colours + num_in_channels, num_colours, kernel, padding=padding)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION 6.1
        first = self.down1(x)  # (B, NF, 16, 16)
        y = self.down2(first)  # (B, 2NF, 8, 8)
        y = self.up1(y)  # (B, NF, 16, 16)
        y = self.up2(torch.cat([y, first], dim=1))  # (B, NF + NF, 16, 16) -> (B, NC, 32, 32)
        return self.last(torch.cat([y, x], dim=1))  # (B, NC + NIC, 32, 32) -> (B, NC, 32, 32)
        # END SOLUTION


# %% check 6.1

# %% [markdown]
# `[6.2]` Train it for at least 25 epochs with batches of 100 and a kernel size of 3, and plot the training curve.

# %%
# [6.2]
# BEGIN SOLUTION 6.2
unet = train(SimpleNamespace(model="UNet", experiment_name="unet", **settings))
# END SOLUTION

# %% [markdown]
# `[6.3]` How does the result compare to the previous model? Give at least two reasons why skip connections might help.
#
# *Your answer.*
