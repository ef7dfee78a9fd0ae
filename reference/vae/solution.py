# %% [markdown]
# # Variational auto-encoders on CIFAR-10
# CMPUT 328, Fall 2022, Assignment 9, Part 1. Sections are those of the handout. This text becomes `A9_vae.py`, which
# students complete and hand in; `ssim.py` stays as it is.

# %% file A9_vae.py
# Name:
# CCID:
# Average total reconstruction loss per sample on the CIFAR-10 test set
#   VAE:
#   CVAE:

import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn, optim

from ssim import SSIM

# Settings -----------------------------------------------------------------------------------------------------------

conditional = False  # True trains the CVAE
latent_dim = 128
num_classes = 10
img_size = 32
batch_size = 128
num_epochs = 60  # not more than 100
learning_rate = 2e-4  # at 1e-3 log-variances overflow in the first steps, where their divergence weighs nothing
DATA = "./data/cifar10.npz"  # x_train, y_train, x_test, y_test: uint8, (N, 32, 32, 3) and (N,)
folder = "visualize/cvae" if conditional else "visualize/vae"
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# Section 1: encoder-decoder architecture ----------------------------------------------------------------------------
# [vae] A U-Net without skip connections: at least 3 convolutions and 2 down-sampling layers in the encoder, at least 2
# up-sampling layers in the decoder.


class Encoder(nn.Module):
    """Images (B, in_channels, 32, 32) -> mean and log-variance of the latent codes, (B, latent_dim) each."""

    def __init__(self, latent_dim=128, in_channels=3):
        super().__init__()
        # BEGIN SOLUTION vae
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 16, 16)
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),  # (B, 128, 8, 8)
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 256, kernel_size=4, stride=2, padding=1),  # (B, 256, 4, 4)
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Flatten(),  # (B, 4096)
        )
        self.mu = nn.Linear(256 * 4 * 4, latent_dim)
        self.log_var = nn.Linear(256 * 4 * 4, latent_dim)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION vae
        features = self.features(x)  # (B, 4096)
        return self.mu(features), self.log_var(features)  # (B, latent_dim) each
        # END SOLUTION


class Decoder(nn.Module):
    """Latent codes (B, latent_dim) -> images (B, out_channels, 32, 32) in [0, 1]."""

    def __init__(self, latent_dim=128, out_channels=3):
        super().__init__()
        # BEGIN SOLUTION vae
        self.project = nn.Linear(latent_dim, 256 * 4 * 4)
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(256, 128, kernel_size=4, stride=2, padding=1),  # (B, 128, 8, 8)
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 16, 16)
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 64, kernel_size=4, stride=2, padding=1),  # (B, 64, 32, 32)
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, out_channels, kernel_size=3, padding=1),  # (B, out_channels, 32, 32)
            nn.Sigmoid(),
        )
        # END SOLUTION

    def forward(self, z):
        # BEGIN SOLUTION vae
        hidden = self.project(z).view(-1, 256, 4, 4)  # (B, 4096) -> (B, 256, 4, 4)
        return self.layers(hidden)  # (B, out_channels, 32, 32)
        # END SOLUTION


def reparameterize(mu, log_var):
    """[codes] Draw latent codes from N(mu, exp(log_var)), so that gradients reach both; all (B, latent_dim)."""
    # BEGIN SOLUTION codes
    std = torch.exp(0.5 * log_var)
    eps = torch.randn_like(std)
    return mu + eps * std
    # END SOLUTION


class VAE(nn.Module):
    """[vae] Images -> latent codes -> images."""

    def __init__(self, latent_dim=128):
        super().__init__()
        self.latent_dim = latent_dim
        self.encode = Encoder(latent_dim)
        self.decode = Decoder(latent_dim)

    def forward(self, x, y):
        """Images (B, 3, 32, 32), labels (B,), not used -> reconstruction, mean, log-variance, latent codes."""
        # BEGIN SOLUTION vae
        mu, log_var = self.encode(x)
        z = reparameterize(mu, log_var)
        return self.decode(z), mu, log_var, z
        # END SOLUTION

    def generate(self, n_samples):
        """[generate] Decode codes from N(0, 1): images (n_samples, 3, 32, 32), and None in place of labels."""
        # BEGIN SOLUTION generate
        z = torch.randn(n_samples, self.latent_dim, device=next(self.parameters()).device)
        return self.decode(z), None
        # END SOLUTION


class CVAE(nn.Module):
    """[cvae] As VAE, and conditioned on the class of an image."""

    def __init__(self, latent_dim=128, num_classes=10, img_size=32):
        super().__init__()
        self.latent_dim, self.num_classes, self.img_size = latent_dim, num_classes, img_size
        # BEGIN SOLUTION cvae
        self.label_map = nn.Embedding(num_classes, img_size * img_size)
        self.label_code = nn.Embedding(num_classes, latent_dim)
        self.encode = Encoder(latent_dim, in_channels=3 + 1)
        self.decode = Decoder(latent_dim + latent_dim)
        # END SOLUTION

    def forward(self, x, y):
        """Images (B, 3, 32, 32), labels (B,) -> reconstruction, mean, log-variance, latent codes."""
        # BEGIN SOLUTION cvae
        channel = self.label_map(y).view(-1, 1, self.img_size, self.img_size)  # (B, 1, 32, 32)
        mu, log_var = self.encode(torch.cat([x, channel], dim=1))
        z = reparameterize(mu, log_var)
        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), mu, log_var, z
        # END SOLUTION

    def generate(self, n_samples, y=None):
        """[generate_class] Decode codes from N(0, 1) for labels y (n_samples,), else random ones: images, labels."""
        # BEGIN SOLUTION generate_class
        where = next(self.parameters()).device
        y = torch.randint(self.num_classes, (n_samples,), device=where) if y is None else y.to(where)
        z = torch.randn(n_samples, self.latent_dim, device=where)
        return self.decode(torch.cat([z, self.label_code(y)], dim=1)), y
        # END SOLUTION


# Section 2: training and testing ------------------------------------------------------------------------------------


class KLDivLoss(nn.Module):
    """Provided: lambd times the divergence of N(mu, exp(log_var)) from N(0, 1), averaged over the batch."""

    def __init__(self, lambd=1.0):
        super().__init__()
        self.lambd = lambd

    def forward(self, mu, log_var):
        divergence = 0.5 * torch.sum(mu**2 + log_var.exp() - log_var - 1, dim=1)  # (B,)
        return self.lambd * divergence.mean()


net = (CVAE(latent_dim, num_classes, img_size) if conditional else VAE(latent_dim)).to(device)
optimizer = optim.Adam(net.parameters(), lr=learning_rate)
KLDiv_criterion = KLDivLoss()
# [losses] The parts of the joint reconstruction loss
# BEGIN SOLUTION losses
l2_criterion = nn.MSELoss()
bce_criterion = nn.BCELoss()
ssim_criterion = SSIM(window_size=11)
# END SOLUTION


def reconstruction_losses(x, xg):
    """[losses] Images and reconstructions (B, 3, 32, 32) -> mean squared error, binary cross-entropy and 1 - SSIM."""
    # BEGIN SOLUTION losses
    return l2_criterion(xg, x), bce_criterion(xg, x), 1 - ssim_criterion(xg, x)
    # END SOLUTION


def train_step(x, y):
    """[train_step] One step on images (B, 3, 32, 32) and labels (B,): returns loss, l2, bce, ssim, kl.

    `loss` is the sum of the reconstruction losses and of the scaled divergence; all are averages per sample.
    """
    x, y = x.to(device), y.to(device)
    # BEGIN SOLUTION train_step
    net.train()
    xg, mu, log_var, _ = net(x, y)
    l2, bce, ssim = reconstruction_losses(x, xg)
    kl = KLDiv_criterion(mu, log_var)
    loss = l2 + bce + ssim + kl
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), l2.item(), bce.item(), ssim.item(), kl.item()
    # END SOLUTION


def kl_weight(epoch):
    """[annealing] The scalar of the divergence in an epoch, 1 to num_epochs: 0.0, 0.0001, then slowly up to 1.0."""
    # BEGIN SOLUTION annealing
    warm, small = num_epochs // 2, num_epochs // 4
    if epoch <= warm:
        return 0.0
    if epoch <= warm + small:
        return 0.0001
    return 0.0001 ** ((num_epochs - epoch) / (num_epochs - warm - small))
    # END SOLUTION


def denormalize(x):
    """[denormalize] Images (N, 3, H, W) in [0, 1] -> numpy.uint8 (N, H, W, 3) in 0 to 255."""
    # BEGIN SOLUTION denormalize
    images = x.detach().cpu().permute(0, 2, 3, 1).numpy()  # (N, H, W, 3)
    return np.rint(images.clip(0, 1) * 255).astype(np.uint8)
    # END SOLUTION


# Provided: data, testing, pictures. You do not have to do anything below ----------------------------------------------


def load_set(data, part):
    """Return images, float32 (N, 3, 32, 32) in [0, 1], and labels (N,) of a part of the data, train or test."""
    images = torch.from_numpy(data[f"x_{part}"]).permute(0, 3, 1, 2).float() / 255
    return torch.utils.data.TensorDataset(images, torch.from_numpy(data[f"y_{part}"]).long().flatten())


def test_losses(loader):
    """Return the mean squared error, the binary cross-entropy and 1 - SSIM on a data set, averages per sample."""
    net.eval()
    totals = np.zeros(3)
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            totals += len(x) * np.array([one.item() for one in reconstruction_losses(x, net(x, y)[0])])
    return totals / len(loader.dataset)


def save_images(images, name, columns=10):
    """Save images (N, 3, 32, 32) as one picture with rows of `columns`."""
    shown = denormalize(images)
    rows = -(-len(shown) // columns)
    plt.figure(figsize=(columns, rows))
    for place, image in enumerate(shown, start=1):
        plt.subplot(rows, columns, place)
        plt.imshow(image)
        plt.axis("off")
    plt.savefig(os.path.join(folder, name))
    plt.close()


def save_curves(curves, name):
    """Save curves by label as one plot."""
    plt.figure()
    for label, values in curves.items():
        plt.plot(range(1, len(values) + 1), values, label=label)
    plt.xlabel("epoch")
    plt.legend()
    plt.savefig(os.path.join(folder, name))
    plt.close()


os.makedirs(folder, exist_ok=True)
data = np.load(DATA)
train_loader = torch.utils.data.DataLoader(load_set(data, "train"), batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(load_set(data, "test"), batch_size)

best = float("inf")
curves = {"l2": [], "bce": [], "ssim": [], "train": [], "test": []}
for epoch in range(1, num_epochs + 1):
    KLDiv_criterion.lambd = kl_weight(epoch)
    seen = np.array([(*train_step(x, y), len(x)) for x, y in train_loader])  # (batches, 6)
    trained = np.average(seen[:, 1:4], axis=0, weights=seen[:, 5])
    tested = test_losses(test_loader)
    for label, value in zip(curves, [*tested, trained.sum(), tested.sum()], strict=True):
        curves[label].append(value)
    print(f"epoch {epoch}: train {trained.sum():.4f}, test {tested.sum():.4f} (kl weight {KLDiv_criterion.lambd:.4g})")
    if tested.sum() < best:
        best = tested.sum()
        torch.save(net.state_dict(), os.path.join(folder, "best.pt"))
print(f"best total reconstruction loss on the test set: {best:.4f}")

save_curves({label: curves[label] for label in ("l2", "bce", "ssim")}, "reconstruction_losses.png")
save_curves({label: curves[label] for label in ("train", "test")}, "total_losses.png")
net.load_state_dict(torch.load(os.path.join(folder, "best.pt"), weights_only=True))
net.eval()
x, y = next(iter(test_loader))
x, y = x[:10].to(device), y[:10].to(device)
save_images(torch.cat([x, net(x, y)[0]]), "reconstruction.png")
save_images(net.generate(20)[0], "generated.png")
