# %% [markdown]
# # AC-GAN
# CMPUT 328, Fall 2022, Assignment 9, Part 2. Sections are those of the handout. This text becomes the file that
# students hand in, `A9_acgan.py`; as there, all of it stands at the level of the module, and running it trains.

# %% file A9_acgan.py
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
        # BEGIN SOLUTION generator
        def up(inputs, outputs):  # doubles height and width
            convolution = nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False)
            return convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)

        self.embed = nn.Embedding(num_classes, latent_dim)
        self.expand = nn.Linear(2 * latent_dim, 512 * 4 * 4)
        self.decode = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.LeakyReLU(0.2),
            *up(512, 256),  # (N, 256, 8, 8)
            *up(256, 128),  # (N, 128, 16, 16)
            *up(128, 64),  # (N, 64, 32, 32)
            nn.Conv2d(64, out_channels, kernel_size=3, padding=1),  # (N, out_channels, 32, 32)
            nn.Sigmoid(),
        )
        # END SOLUTION

    def forward(self, z, y):
        # BEGIN SOLUTION generator
        code = torch.cat([z, self.embed(y)], dim=1)  # (N, latent_dim) and (N, latent_dim) -> (N, 2 * latent_dim)
        features = self.expand(code).view(-1, 512, 4, 4)  # (N, 512, 4, 4)
        return self.decode(features)  # (N, out_channels, 32, 32)
        # END SOLUTION


class Discriminator(nn.Module):
    """[discriminator] Images (N, in_channels, 32, 32) -> discrimination scores (N, 1), class scores (N, 10).

    Both are logits: neither a sigmoid nor a softmax is in here.
    """

    def __init__(self, in_channels=3):
        super().__init__()

        # TODO: one network for the features, and two heads on top of it
        # BEGIN SOLUTION discriminator
        def block(inputs, outputs, stride):  # a stride of 2 halves height and width
            convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1)
            return convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2), nn.Dropout(0.3)

        self.features = nn.Sequential(
            *block(in_channels, 64, stride=1),  # (N, 64, 32, 32)
            *block(64, 128, stride=2),  # (N, 128, 16, 16)
            *block(128, 128, stride=1),  # (N, 128, 16, 16)
            *block(128, 256, stride=2),  # (N, 256, 8, 8)
            *block(256, 256, stride=1),  # (N, 256, 8, 8)
            *block(256, 512, stride=2),  # (N, 512, 4, 4)
            nn.Flatten(),  # (N, 512 * 4 * 4)
        )
        self.adversarial = nn.Linear(512 * 4 * 4, 1)
        self.auxiliary = nn.Linear(512 * 4 * 4, num_classes)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION discriminator
        features = self.features(x)  # (N, 512 * 4 * 4)
        return self.adversarial(features), self.auxiliary(features)  # (N, 1), (N, num_classes)
        # END SOLUTION


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
    # BEGIN SOLUTION train_step
    x, y = x.to(device), y.to(device)
    z = torch.randn(x.size(0), latent_dim, device=device)  # (N, latent_dim)
    fake = generator(z, y)  # (N, 3, 32, 32)

    # The discriminator tells real images from fake ones, whose gradient ends here, and the class of the real ones.
    optimizer_d.zero_grad()
    real_score, real_class = discriminator(x)  # (N, 1), (N, 10)
    fake_score, _ = discriminator(fake.detach())
    real_loss = adversarial_criterion(real_score, torch.ones_like(real_score))
    fake_loss = adversarial_criterion(fake_score, torch.zeros_like(fake_score))
    loss_d = (real_loss + fake_loss) / 2 + auxiliary_criterion(real_class, y)
    loss_d.backward()
    optimizer_d.step()

    # The generator wants its images to pass for real ones of the class that it was told.
    optimizer_g.zero_grad()
    fake_score, fake_class = discriminator(fake)
    loss_g = adversarial_criterion(fake_score, torch.ones_like(fake_score)) + auxiliary_criterion(fake_class, y)
    loss_g.backward()
    optimizer_g.step()

    acc_d = (real_class.argmax(dim=1) == y).float().mean()
    return loss_g.item(), loss_d.item(), acc_d.item()
    # END SOLUTION


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
    # BEGIN SOLUTION denormalize
    x = (x.detach().cpu() * 255).round().clamp(0, 255)  # (N, 3, H, W)
    return x.permute(0, 2, 3, 1).numpy().astype(np.uint8)  # (N, H, W, 3)
    # END SOLUTION


# [samples] The same latent vectors and labels are drawn after every epoch: two images of each class.
random_z = None  # TODO: (20, latent_dim)
random_y = torch.arange(20, device=device) % num_classes  # (20,)
# BEGIN SOLUTION samples
random_z = torch.randn(20, latent_dim, device=device)
# END SOLUTION


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
