import torch
from torch import nn


class Encoder(nn.Module):
    """[Q2a] Section 2 (a): a perceptron of two layers, images (N, 3, img_size, img_size) -> codes (N, z_dim)."""

    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        # TODO: set self.hidden_layer and self.output_layer
        # your code here
        raise NotImplementedError("Q2a")

    def forward(self, images):
        flat = images.view(images.size(0), -1)  # (N, 3*img_size*img_size)
        return self.output_layer(self.hidden_layer(flat))


class Decoder(nn.Module):
    """[Q2b] Section 2 (b): five layers of a transposed and a regular convolution, codes (N, z_dim, 1, 1) -> images."""

    def __init__(self, z_dim=64, img_size=64):
        super().__init__()
        # TODO: set self.layer1 to self.layer5
        # your code here
        raise NotImplementedError("Q2b")

    def forward(self, codes):
        hidden = self.layer1(codes)  # (N, 128, 7, 7)
        hidden = self.layer2(hidden)  # (N, 64, 15, 15)
        hidden = self.layer3(hidden)  # (N, 64, 31, 31)
        hidden = self.layer4(hidden)  # (N, 32, 63, 63)
        return self.layer5(hidden)  # (N, 3, 64, 64)
