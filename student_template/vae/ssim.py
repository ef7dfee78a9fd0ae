"""Structural similarity of images, with a Gaussian window. Provided: use it as it is."""

import torch
from torch import nn

C1, C2 = 0.01**2, 0.03**2  # for values in [0, 1]


def gaussian_window(window_size, channels, sigma=1.5):
    """Return a normalized Gaussian window, (channels, 1, window_size, window_size)."""
    distances = torch.arange(window_size, dtype=torch.float32) - window_size // 2
    weights = torch.exp(-(distances**2) / (2 * sigma**2))
    weights = weights / weights.sum()  # (window_size,)
    return torch.outer(weights, weights).expand(channels, 1, window_size, window_size).contiguous()


def ssim(img1, img2, window_size=11, size_average=True):
    """Return the similarity of images (N, C, H, W): its mean, or one number per image."""
    channels = img1.size(1)
    window = gaussian_window(window_size, channels).to(img1)

    def local_mean(values):  # (N, C, H, W) -> (N, C, H, W)
        return nn.functional.conv2d(values, window, padding=window_size // 2, groups=channels)

    mean1, mean2 = local_mean(img1), local_mean(img2)
    variance1 = local_mean(img1 * img1) - mean1**2
    variance2 = local_mean(img2 * img2) - mean2**2
    covariance = local_mean(img1 * img2) - mean1 * mean2
    similarity = (2 * mean1 * mean2 + C1) * (2 * covariance + C2)
    similarity = similarity / ((mean1**2 + mean2**2 + C1) * (variance1 + variance2 + C2))
    return similarity.mean() if size_average else similarity.mean(dim=(1, 2, 3))


class SSIM(nn.Module):
    """`ssim` as a module: 1 for equal images."""

    def __init__(self, window_size=11, size_average=True):
        super().__init__()
        self.window_size, self.size_average = window_size, size_average

    def forward(self, img1, img2):
        return ssim(img1, img2, self.window_size, self.size_average)
