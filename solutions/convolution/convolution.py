# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Convolutional networks
#
# A convolution by hand, with its gradients, and two networks that are made of convolutions, in PyTorch. Define exactly
# what is asked for, with the arguments in the given order; add cells and helpers of your own as you like.

# %%
import numpy as np
import torch

# %% [markdown]
# ## 1. Convolution
#
# Every filter is laid on every place of every image (decks 000, 002 and 003). With $x$ padded by zeros,
#
# $$y_{n,f,i,j} = b_f + \sum_{c,k,l} x_{n,\,c,\,s i + k,\,s j + l}\; w_{f,c,k,l}$$
#
# with stride $s$; the filter is not flipped, as in all libraries for deep learning. There are
# $\lfloor (H + 2p - K_H)/s \rfloor + 1$ rows, and columns likewise. Where the stride does not divide, the last rows of
# the image are not met by any filter, and get no gradient. Work with NumPy.
#
# Memory counts, too: six times what our own way takes is the most. All windows in one array are well within that;
# every window times every filter is not.


# %%
def conv2d_forward(x, w, b, stride, padding):
    """A layer of convolution.

    x: (N, C, H, W). w: (F, C, KH, KW). b: (F,). stride: at least 1. padding: rows and columns of zeros on each side.
    Returns (out, cache): out (N, F, OH, OW), and in cache whatever you need on the way back.
    """
    ### BEGIN SOLUTION
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    _, _, height, width = w.shape
    rows = (padded.shape[2] - height) // stride + 1
    columns = (padded.shape[3] - width) // stride + 1
    out = np.zeros((len(x), len(w), rows, columns))
    for k in range(height):
        for l in range(width):
            seen = padded[:, :, k : k + stride * rows : stride, l : l + stride * columns : stride]  # (N, C, OH, OW)
            out += np.einsum("ncij,fc->nfij", seen, w[:, :, k, l])
    return out + b[:, None, None], (padded, w, stride, padding)
    ### END SOLUTION


def conv2d_backward(dout, cache):
    """Gradients of a convolution.

    dout: (N, F, OH, OW). cache: of conv2d_forward. Returns (dx, dw, db): of the shapes of x, w and b.
    """
    ### BEGIN SOLUTION
    padded, w, stride, padding = cache
    rows, columns = dout.shape[2:]
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for k in range(w.shape[2]):
        for l in range(w.shape[3]):
            at = np.s_[:, :, k : k + stride * rows : stride, l : l + stride * columns : stride]
            dw[:, :, k, l] = np.einsum("nfij,ncij->fc", dout, padded[at])
            dpadded[at] += np.einsum("nfij,fc->ncij", dout, w[:, :, k, l])
    inner = np.s_[:, :, padding : padded.shape[2] - padding, padding : padded.shape[3] - padding]
    return dpadded[inner], dw, dout.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %%
x = np.arange(16.0).reshape(1, 1, 4, 4)
out, cache = conv2d_forward(x, np.ones((1, 1, 3, 3)), np.zeros(1), 1, 0)
print(out[0, 0])

# %% [markdown]
# ## 2. A residual block
#
# The input goes round the layers and is added again, so that the layers learn a difference only (deck 002, *ResNet*):
#
# - a convolution of 3×3 with padding 1, without bias, with the stride; batch normalisation; ReLU;
# - a convolution of 3×3 with padding 1, without bias; batch normalisation;
# - the shortcut is added, and then comes the last ReLU.
#
# The shortcut is the input itself where the shape stays, and else a convolution of 1×1 with that stride, without bias,
# and a batch normalisation. Grading puts the reference's weights into yours, those of one shape in the order in which
# they were made: main path first, then the shortcut.


# %%
class ResidualBlock(torch.nn.Module):
    """A residual block of two convolutions.

    in_channels, out_channels: from 1. stride: 1 or 2. forward(x): (N, in_channels, H, W) to
    (N, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        ### BEGIN SOLUTION
        nn = torch.nn
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(out_channels))
        ### END SOLUTION

    def forward(self, x):
        """Images (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        ### BEGIN SOLUTION
        y = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(y)) + self.shortcut(x))
        ### END SOLUTION


# %%
print(ResidualBlock(3, 5, 2)(torch.zeros(2, 3, 6, 6)).shape)

# %% [markdown]
# ## 3. LeNet-5
#
# The network that read handwritten digits in 1998 (deck 004), for images of 32×32:
#
# - a convolution of 5×5 to 6 maps, tanh, average pooling of 2×2;
# - a convolution of 5×5 to 16 maps, tanh, average pooling of 2×2;
# - flattened to 400 numbers; dense to 120, tanh; dense to 84, tanh; dense to the classes: scores, without a softmax.


# %%
class LeNet5(torch.nn.Module):
    """LeNet-5.

    channels: of the images. classes: how many. forward(x): (N, channels, 32, 32) to (N, classes).
    """

    def __init__(self, channels, classes):
        super().__init__()
        ### BEGIN SOLUTION
        nn = torch.nn
        self.maps = nn.Sequential(
            nn.Conv2d(channels, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.dense = nn.Sequential(
            nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, classes)
        )
        ### END SOLUTION

    def forward(self, x):
        """Images (N, channels, 32, 32) to scores (N, classes)."""
        ### BEGIN SOLUTION
        return self.dense(torch.flatten(self.maps(x), start_dim=1))
        ### END SOLUTION


# %%
print(sum(p.numel() for p in LeNet5(1, 10).parameters()))
