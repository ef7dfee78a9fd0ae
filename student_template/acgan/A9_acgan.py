"""Assignment 9, Part 2: AC-GAN on CIFAR-10.

Name:
CCID:
Auxiliary test accuracy on the CIFAR-10 test set:
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

# Settings. Do not train longer than 100 epochs.
batch_size = 256
epochs = 100
latent_dim = 128
num_classes = 10
learning_rate = 2e-4
data_folder = "./data"
results_folder = "./visualize/gan"
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# The images of CIFAR-10, float32 (3, 32, 32) in [0, 1].
train_set = datasets.CIFAR10(
    data_folder,
    train=True,
    download=True,
    transform=transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()]),
)
test_set = datasets.CIFAR10(data_folder, train=False, download=True, transform=transforms.ToTensor())
train_loader = DataLoader(train_set, batch_size, shuffle=True, num_workers=2)
test_loader = DataLoader(test_set, batch_size, num_workers=2)


# Section 1: Generator-Discriminator Architecture ----------------------------------------------------------------------


class Generator(nn.Module):
    """[generator] Latent vectors (N, latent_dim) and labels (N,) -> images (N, out_channels, 32, 32) in [0, 1]."""

    def __init__(self, latent_dim=128, out_channels=3, num_classes=10):
        super().__init__()

        # TODO: mostly the decoder of Part 1, with LeakyReLU; let the labels in
        # your code here
        raise NotImplementedError("generator")

    def forward(self, z, y):
        # your code here
        raise NotImplementedError("generator")


class Discriminator(nn.Module):
    """[discriminator] Images (N, in_channels, 32, 32) -> discrimination scores (N, 1), class scores (N, 10).

    Both are logits: neither a sigmoid nor a softmax is in here.
    """

    def __init__(self, in_channels=3):
        super().__init__()

        # TODO: one network for the features, and two heads on top of it
        # your code here
        raise NotImplementedError("discriminator")

    def forward(self, x):
        # your code here
        raise NotImplementedError("discriminator")


generator = Generator(latent_dim).to(device)
discriminator = Discriminator().to(device)
optimizer_g = torch.optim.Adam(generator.parameters(), lr=learning_rate, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=learning_rate, betas=(0.5, 0.999))
adversarial_criterion = nn.BCEWithLogitsLoss()
auxiliary_criterion = nn.CrossEntropyLoss()


# Section 2: Training & Testing ----------------------------------------------------------------------------------------


def train_step(x, y):
    """[train_step] Update both networks once, on real images x (N, 3, 32, 32) and their labels y (N,).

    Returns the loss of the generator, that of the discriminator, and the share of real images whose class it tells.
    """
    # TODO: one step of the discriminator and one of the generator
    # your code here
    raise NotImplementedError("train_step")


@torch.no_grad()
def test():
    """Return the auxiliary accuracy on the test set."""
    discriminator.eval()
    correct = 0
    for x, y in test_loader:
        _, classes = discriminator(x.to(device))
        correct += (classes.argmax(dim=1) == y.to(device)).sum().item()
    return correct / len(test_set)


def denormalize(x):
    """[denormalize] Images (N, 3, H, W) in [0, 1] -> numpy.uint8 (N, H, W, 3) of 0 to 255, for plt.imshow."""
    # your code here
    raise NotImplementedError("denormalize")


# [samples] The same latent vectors and labels are drawn after every epoch: two images of each class.
random_z = None  # TODO: (20, latent_dim)
random_y = torch.arange(20, device=device) % num_classes  # (20,)
# your code here


@torch.no_grad()
def visualize(path):
    """Write the images of random_z and random_y, four rows of five."""
    generator.eval()
    images = denormalize(generator(random_z, random_y))  # (20, 32, 32, 3)
    _, axes = plt.subplots(4, 5, figsize=(10, 8))
    for axis, image, label in zip(axes.flat, images, random_y.tolist(), strict=True):
        axis.imshow(image)
        axis.set_title(test_set.classes[label])
        axis.axis("off")
    plt.savefig(path)
    plt.close()


def plot_losses(losses_g, losses_d, path):
    """Draw the losses of both networks by epoch."""
    plt.figure()
    plt.plot(losses_g, label="generator")
    plt.plot(losses_d, label="discriminator")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.savefig(path)
    plt.close()


os.makedirs(results_folder, exist_ok=True)
losses_g, losses_d = [], []
best_accuracy = 0.0
for epoch in range(epochs):
    generator.train()
    discriminator.train()
    steps = [train_step(x, y) for x, y in train_loader]
    loss_g, loss_d, acc_d = np.mean(steps, axis=0)
    losses_g.append(loss_g)
    losses_d.append(loss_d)
    accuracy = test()
    print(
        f"Epoch {epoch + 1}/{epochs}: loss_g {loss_g:.4f}, loss_d {loss_d:.4f}, "
        f"train accuracy {acc_d:.2%}, test accuracy {accuracy:.2%}"
    )
    visualize(f"{results_folder}/samples.png")
    plot_losses(losses_g, losses_d, f"{results_folder}/losses.png")
    if accuracy > best_accuracy:
        best_accuracy = accuracy
        torch.save(generator.state_dict(), f"{results_folder}/generator.pt")
        torch.save(discriminator.state_dict(), f"{results_folder}/discriminator.pt")
print(f"Best test accuracy: {best_accuracy:.2%}")
