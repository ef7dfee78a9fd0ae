# %% [markdown]
# # Denoising auto-encoder
# ANU COMP4680/8650, Semester 2 2018, Assignment 6. Sections are those of the handout. This text becomes two files that
# students hand in: `answers.py` (question 1) and `models.py` (question 2). `asgn6.py` and `check_models.py` stay as
# they are.

# %% file answers.py
# Question 1: Conv2d and ConvTranspose2d. Write sizes as tuples and numbers as integers, or answer in the report.

# [Q1a] A (32, 3, 64, 64) input, Conv2d with 3x3 filters, 16 output channels, stride 1, padding 1: size of the output
q1a = None
# BEGIN SOLUTION Q1a
q1a = (32, 16, 64, 64)  # (64 + 2 - 3) / 1 + 1 = 64
# END SOLUTION

# [Q1b] A (32, 128, 1, 1) input, ConvTranspose2d with 3x3 filters, 128 output channels, stride 1, padding 0
q1b = None
# BEGIN SOLUTION Q1b
q1b = (32, 128, 3, 3)  # (1 - 1) * 1 + 3 = 3
# END SOLUTION

# [Q1c] A (32, 64, 31, 31) input, ConvTranspose2d with 5x5 filters, 32 output channels, stride 2, padding 0
q1c = None
# BEGIN SOLUTION Q1c
q1c = (32, 32, 65, 65)  # (31 - 1) * 2 + 5 = 65
# END SOLUTION

# [Q1d] The number of learnable parameters of a Conv2d with 3x3 filters from a (32, 3, 64, 64) input to 16 channels
q1d = None
# BEGIN SOLUTION Q1d
q1d = 448  # 16 filters of 3 * 3 * 3 weights, and a bias for each
# END SOLUTION

# %% file models.py
import torch
from torch import nn


class Encoder(nn.Module):
    """[Q2a] Section 2 (a): a perceptron of two layers, images (N, 3, img_size, img_size) -> codes (N, z_dim)."""

    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        # TODO: set self.hidden_layer and self.output_layer
        # BEGIN SOLUTION Q2a
        self.hidden_layer = nn.Sequential(
            nn.Linear(3 * img_size * img_size, z_dim),  # (N, 3*64*64) -> (N, z_dim)
            nn.BatchNorm1d(z_dim),
            nn.ReLU(),
        )
        self.output_layer = nn.Sequential(
            nn.Linear(z_dim, z_dim),  # (N, z_dim)
            nn.Tanh(),  # in (-1, 1)
        )
        # END SOLUTION

    def forward(self, images):
        flat = images.view(images.size(0), -1)  # (N, 3*img_size*img_size)
        return self.output_layer(self.hidden_layer(flat))


class Decoder(nn.Module):
    """[Q2b] Section 2 (b): five layers of a transposed and a regular convolution, codes (N, z_dim, 1, 1) -> images."""

    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        # TODO: set self.layer1 to self.layer5
        # BEGIN SOLUTION Q2b
        self.layer1 = nn.Sequential(
            nn.ConvTranspose2d(z_dim, 128, kernel_size=7, stride=1),  # (N, 128, 7, 7)
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 128, kernel_size=3, stride=1, padding=1),  # (N, 128, 7, 7)
            nn.BatchNorm2d(128),
            nn.ReLU(),
        )
        self.layer2 = nn.Sequential(
            nn.ConvTranspose2d(128, 64, kernel_size=3, stride=2),  # (N, 64, 15, 15)
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, kernel_size=3, stride=1, padding=1),  # (N, 64, 15, 15)
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        self.layer3 = nn.Sequential(
            nn.ConvTranspose2d(64, 64, kernel_size=3, stride=2),  # (N, 64, 31, 31)
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, kernel_size=3, stride=1, padding=1),  # (N, 64, 31, 31)
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        self.layer4 = nn.Sequential(
            nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2),  # (N, 32, 63, 63)
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 32, kernel_size=3, stride=1, padding=1),  # (N, 32, 63, 63)
            nn.BatchNorm2d(32),
            nn.ReLU(),
        )
        self.layer5 = nn.Sequential(
            nn.ConvTranspose2d(32, 32, kernel_size=2, stride=1),  # (N, 32, 64, 64)
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 3, kernel_size=1, stride=1),  # (N, 3, 64, 64)
            nn.Tanh(),  # images are in [-1, 1]
        )
        # END SOLUTION

    def forward(self, codes):
        hidden = self.layer1(codes)  # (N, 128, 7, 7)
        hidden = self.layer2(hidden)  # (N, 64, 15, 15)
        hidden = self.layer3(hidden)  # (N, 64, 31, 31)
        hidden = self.layer4(hidden)  # (N, 32, 63, 63)
        return self.layer5(hidden)  # (N, 3, 64, 64)
