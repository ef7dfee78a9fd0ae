"""What both sides of a training know of each other."""

from __future__ import annotations

CHUNK = 256  # inputs that a model is asked at once
MOST_CANDIDATES = 4  # of one model: the object itself, and files of weights, the newest first
SAMPLE = 64  # images of the script's own test set, by which a training is followed
WEIGHTS = (".pt", ".pth", ".ckpt", ".bin", ".h5", ".keras", ".tar")
