"""Trains the auto-encoder of models.py to take the noise off images (Section 3). Do not modify this file.

Usage: python asgn6.py [--data ./data] [--epochs 500] [--save-interval 100] [--out .]

All images below the data folder are read. The loss of every iteration goes into loss.txt; every so many iterations
samples/sample-*.png shows the images of the batch, noisy ones and what the models make of them, and
samples/novel-*.png what the decoder makes of random codes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

import models

SEED, SIZE, BATCH, LATENT, SHOWN = 4680, 64, 32, 128, 8
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")


def read_images(folder):
    """Return all images below a folder as (n, 3, SIZE, SIZE), between -1 and 1."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in IMAGES)
    if not paths:
        raise SystemExit(f"{folder}: no images in it")
    return torch.stack([read_image(path) for path in paths])


def read_image(path):
    """Return one image as (3, SIZE, SIZE); what is transparent becomes white."""
    with Image.open(path) as image:
        seen = image.convert("RGBA").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    flat = Image.new("RGB", seen.size, "white")
    flat.paste(seen, mask=seen.getchannel("A"))
    return torch.from_numpy(np.array(flat)).permute(2, 0, 1) / 127.5 - 1


def with_noise(images):
    """Return images with uniform noise of -1 to 1 on every value, cut off at -1 and 1."""
    return (images + 2 * torch.rand_like(images) - 1).clamp(-1, 1)


def save_images(path, *rows):
    """Write batches of images below each other, SHOWN of each."""
    lines = [torch.cat(list(row[:SHOWN].detach().cpu()), dim=2) for row in rows]  # each (3, SIZE, SHOWN * SIZE)
    pixels = ((torch.cat(lines, dim=1).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)


def step(encoder, decoder, optimizers, images):
    """Train on one batch; return the loss, the noisy images and the denoised ones."""
    noisy = with_noise(images)
    denoised = decoder(encoder(noisy).view(len(images), LATENT, 1, 1))
    loss = nn.functional.l1_loss(denoised, images)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return loss.item(), noisy, denoised


def novel(decoder, device):
    """Return what the decoder makes of random codes."""
    codes = 2 * torch.rand(SHOWN, LATENT, 1, 1, device=device) - 1
    with torch.no_grad():
        return decoder(codes)


def train(settings):
    """Train both models and write the loss and the images."""
    torch.manual_seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder, decoder = models.Encoder(LATENT, SIZE).to(device), models.Decoder(LATENT, SIZE).to(device)
    optimizers = [
        torch.optim.Adam(encoder.parameters(), lr=1e-3, betas=(0.5, 0.999)),
        torch.optim.Adam(decoder.parameters(), lr=2e-3, betas=(0.5, 0.999)),
    ]
    images = read_images(settings.data)
    iteration = 0
    with open(Path(settings.out) / "loss.txt", "w") as log:
        for epoch in range(settings.epochs):
            for indices in torch.randperm(len(images)).split(BATCH):
                if len(indices) == 1:  # one image has no batch statistics
                    continue
                batch = images[indices].to(device)
                loss, noisy, denoised = step(encoder, decoder, optimizers, batch)
                log.write(f"{loss:.6f}\n")
                if iteration % settings.save_interval == 0:
                    samples = Path(settings.out) / "samples"
                    save_images(samples / f"sample-{iteration:06}.png", batch, noisy, denoised)
                    save_images(samples / f"novel-{iteration:06}.png", novel(decoder, device))
                iteration += 1
            print(f"epoch {epoch + 1} of {settings.epochs}: loss {loss:.4f}", flush=True)


def read_settings():
    """Return what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="./data")
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--save-interval", type=int, default=100)
    parser.add_argument("--out", default=".")
    return parser.parse_args()


if __name__ == "__main__":
    train(read_settings())
