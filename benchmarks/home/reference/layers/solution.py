# %% [markdown]
# # First layers in PyTorch

# %%
import torch
from torch import nn


# %%
# [L1]
class LinearClassifier(nn.Module):
    """Scores of an image, (B, C, H, W) -> (B, n_classes); n_inputs = C*H*W."""

    def __init__(self, n_inputs, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_inputs, n_classes)

    def forward(self, images):
        flat = torch.flatten(images, 1)  # (B, n_inputs)
        return self.linear(flat)


# %%
# [L2]
class Perceptron(nn.Module):
    """Scores of a vector, (B, n_inputs) -> (B, n_classes)."""

    def __init__(self, n_inputs, n_hidden, n_classes):
        super().__init__()
        self.first = nn.Linear(n_inputs, n_hidden)
        self.second = nn.Linear(n_hidden, n_classes)

    def forward(self, vectors):
        hidden = torch.relu(self.first(vectors))  # (B, n_hidden)
        return self.second(hidden)


# %%
# [L3]
class ConvBlock(nn.Module):
    """Two convolutions, (B, in_channels, H, W) -> (B, out_channels, H, W)."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(out_channels)

    def forward(self, images):
        features = torch.relu(self.norm1(self.conv1(images)))  # (B, out_channels, H, W)
        return torch.relu(self.norm2(self.conv2(features)))


# %%
# [L4]
class DownUp(nn.Module):
    """Half the size and back, (B, in_channels, H, W) -> (B, out_channels, H, W)."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, images):
        small = torch.relu(self.conv(self.pool(images)))  # (B, out_channels, H/2, W/2)
        return self.up(small)


# %%
# [L5]
class Autoencoder(nn.Module):
    """A vector through a narrow code and back, (B, n_inputs) -> (B, n_inputs)."""

    def __init__(self, n_inputs, n_hidden, n_code):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_inputs, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_code))
        self.decoder = nn.Sequential(nn.Linear(n_code, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_inputs))

    def forward(self, vectors):
        code = self.encoder(vectors)  # (B, n_code)
        return self.decoder(code)
