"""Checks the sizes of what models.py gives (Section 2). Do not modify this file.

Usage: python check_models.py
"""

import unittest

import torch

import models

BATCH, LATENT, SIZE = 32, 128, 64
# What each layer of the decoder gives: channels, height and width.
DECODER = {"layer1": (128, 7), "layer2": (64, 15), "layer3": (64, 31), "layer4": (32, 63), "layer5": (3, SIZE)}


def between(*shape):
    """Return random numbers between -1 and 1, as images and codes have them."""
    return 2 * torch.rand(shape) - 1


class TestEncoder(unittest.TestCase):
    """The encoder: images to codes."""

    def setUp(self):
        self.encoder = models.Encoder(LATENT, SIZE)
        self.images = between(BATCH, 3, SIZE, SIZE)

    def test_size(self):
        self.assertEqual(tuple(self.encoder(self.images).shape), (BATCH, LATENT))

    def test_layers(self):
        hidden = self.encoder.hidden_layer(self.images.view(BATCH, -1))
        self.assertEqual(tuple(hidden.shape), (BATCH, LATENT))
        self.assertEqual(tuple(self.encoder.output_layer(hidden).shape), (BATCH, LATENT))


class TestDecoder(unittest.TestCase):
    """The decoder: codes to images."""

    def setUp(self):
        self.decoder = models.Decoder(LATENT, SIZE)
        self.codes = between(BATCH, LATENT, 1, 1)

    def test_size(self):
        self.assertEqual(tuple(self.decoder(self.codes).shape), (BATCH, 3, SIZE, SIZE))

    def test_layers(self):
        hidden = self.codes
        for name, (channels, size) in DECODER.items():
            hidden = getattr(self.decoder, name)(hidden)
            self.assertEqual(tuple(hidden.shape), (BATCH, channels, size, size), name)


if __name__ == "__main__":
    unittest.main()
