"""Handout E, Part 1, VAE and CVAE: which grader each item has. The docstring of a grader is what the item checks."""

from __future__ import annotations

from graders.assignments import Registry
from graders.assignments import vae_annealing as annealing
from graders.assignments import vae_codes as codes
from graders.assignments import vae_images as images
from graders.assignments import vae_networks as networks
from graders.assignments import vae_record as record
from graders.assignments import vae_steps as steps

GRADERS = Registry("torch", preload=("torch._dynamo", "matplotlib.pyplot"))

GRADERS.item("vae")(networks.Vae)
GRADERS.item("codes")(codes.Codes)
GRADERS.item("cvae")(networks.Cvae)
GRADERS.item("losses")(steps.Reconstruction)
GRADERS.item("train_step")(steps.TrainStep)
GRADERS.item("annealing")(annealing.Annealing)
GRADERS.item("denormalize")(images.Denormalize)
GRADERS.item("generate")(images.Generation)
GRADERS.item("generate_class")(images.ConditionalGeneration)
GRADERS.item("claim")(record.Claims)
