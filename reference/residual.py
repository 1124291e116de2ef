"""What is a residual block, whose input goes round its layers and is added again?"""

from autograder.topic import case, close, torch_module


@torch_module(lecture="002: ResNet", inputs=("x",), buffers=True)
def ResidualBlock():
    """A residual block of two convolutions, with batch normalisation and a shortcut.

    Formula: `y = bn1(conv1(x))`, ReLU, `y = bn2(conv2(y))`, `out = ReLU(y + shortcut(x))`. Both convolutions are 3x3
    with padding 1 and without bias; the first one has the stride. The shortcut is the identity where the shape stays,
    and else a 1x1 convolution with that stride, without bias, and a batch normalisation.

    Arguments:
        in_channels, out_channels: from 1. stride: 1 or 2.
        x: (N, in_channels, H, W).

    Returns:
        A module whose forward returns (N, out_channels, H / stride, W / stride).

    Convention: the sum is taken before the last ReLU, as in He et al. 2015.

    Example:
        >>> import torch
        >>> ResidualBlock(3, 5, 2)(torch.zeros(2, 3, 6, 6)).shape
        torch.Size([2, 5, 3, 3])

    Source: deck 002, "ResNet"; He et al. 2015.
    """
    from torch import nn

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out_channels)
            self.projects = stride != 1 or in_channels != out_channels
            if self.projects:
                self.shortcut_conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
                self.shortcut_bn = nn.BatchNorm2d(out_channels)

        def forward(self, x):
            around = self.shortcut_bn(self.shortcut_conv(x)) if self.projects else x
            y = nn.functional.relu(self.bn1(self.conv1(x)))  # (N, C, H, W) -> (N, F, H/s, W/s)
            y = self.bn2(self.conv2(y))
            return nn.functional.relu(y + around)

    return ResidualBlock


@ResidualBlock.cases
def _(rng):
    # Wide enough that some negative inputs meet positive outputs of the layers, whatever weights are drawn.
    yield case("identity", x=rng.normal(size=(3, 5, 4, 5)), in_channels=5, out_channels=5, stride=1)
    yield case("more channels", x=rng.normal(size=(4, 2, 3, 4)), in_channels=2, out_channels=3, stride=1)
    yield case("stride", x=rng.normal(size=(2, 3, 6, 4)), in_channels=3, out_channels=3, stride=2)
    yield case("smaller and deeper", x=rng.normal(size=(3, 2, 4, 6)), in_channels=2, out_channels=4, stride=2)
    yield case("test mode", x=rng.normal(size=(2, 2, 4, 4)), in_channels=2, out_channels=3, stride=2, training=False)


@ResidualBlock.alternative
def _():
    """The same, put together from sequences; the parameters are met in the same order."""
    import torch
    from torch import nn

    class Other(nn.Module):
        def __init__(self, in_channels, out_channels, stride):
            super().__init__()
            self.around_it = nn.ModuleList()
            self.main = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
                nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(out_channels),
            )
            if (in_channels, 1) != (out_channels, stride):
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
                )

        def forward(self, x):
            shortcut = self.shortcut(x) if hasattr(self, "shortcut") else x
            return torch.clamp(self.main(x) + shortcut, min=0)

    return Other


@ResidualBlock.worked("weights and shapes of a block", lecture="002: ResNet")
def _():
    import torch

    block = ResidualBlock(3, 5, 2)
    # 3*5*9 and 5*5*9 for the convolutions, 3*5 for the shortcut, twice 5 for each of three normalisations.
    close(sum(p.numel() for p in block.parameters()), 3 * 5 * 9 + 5 * 5 * 9 + 3 * 5 + 3 * 2 * 5)
    close(block(torch.zeros(2, 3, 6, 6)).shape, [2, 5, 3, 3])


ResidualBlock.misconception(
    "ReLU before the sum",
    ("nn.functional.relu(y + around)", "nn.functional.relu(y) + around"),
    hint="Where in the block stands the last ReLU, before or after the sum?",
)
ResidualBlock.misconception(
    "no ReLU after the sum",
    ("nn.functional.relu(y + around)", "y + around"),
    hint="Can an output of your block be negative? Should it?",
)
ResidualBlock.misconception(
    "shortcut left out",
    ("y + around", "y + 0 * around"),
    hint="If all convolutions were zero, what would come out of your block?",
)
ResidualBlock.misconception(
    "input rectified on its way round",
    ("if self.projects else x", "if self.projects else nn.functional.relu(x)"),
    hint="What exactly goes round the layers: the input, or something made of it?",
)
ResidualBlock.misconception(
    "no ReLU between the convolutions",
    ("nn.functional.relu(self.bn1(self.conv1(x)))", "self.bn1(self.conv1(x))"),
    hint="What is between the two convolutions?",
)
ResidualBlock.misconception(
    "stride in the second convolution",
    ("out_channels, 3, stride, 1", "out_channels, 3, 1, 1"),
    ("out_channels, out_channels, 3, 1, 1", "out_channels, out_channels, 3, stride, 1"),
    hint="Which of the two convolutions makes the image smaller?",
)
ResidualBlock.misconception(
    "projection only where the channels change",
    ("stride != 1 or in_channels", "in_channels"),
    hint="With a stride of 2 and equal channels, does the input still fit to what it is added to?",
)
ResidualBlock.misconception(
    "normalisation always as in training",
    ("around = self.shortcut_bn", "self.train(); around = self.shortcut_bn"),
    hint="What should your block use in test mode: the statistics of the batch, or the running ones?",
)
