"""What is the network that read handwritten digits in 1998?"""

from autograder.topic import case, close, torch_module


@torch_module(lecture="004: Convolutional Neural Network: LeNet (1998)", inputs=("x",))
def LeNet5():
    """LeNet-5: two convolutions, each with a pooling behind, and three dense layers.

    Formula: convolution of 5x5 to 6 maps, tanh, average pooling of 2x2; convolution of 5x5 to 16 maps, tanh, average
    pooling of 2x2; flattened, 400 numbers; dense to 120, tanh; dense to 84, tanh; dense to the classes.

    Arguments:
        channels: of the images. classes: how many.
        x: (N, channels, 32, 32).

    Returns:
        A module whose forward returns (N, classes): scores, without a softmax.

    Convention: the second convolution sees all 6 maps, where LeCun's saw some of them, and its pooling has no weights,
    so that there are 61,706 parameters for 1 channel and 10 classes.

    Example:
        >>> import torch
        >>> LeNet5(1, 10)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 10])

    Source: deck 004, "Convolutional Neural Network: LeNet (1998)"; LeCun et al. 1998.
    """
    import torch
    from torch import nn

    class LeNet5(nn.Module):
        def __init__(self, channels, classes):
            super().__init__()
            self.conv1 = nn.Conv2d(channels, 6, 5)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, classes)

        def forward(self, x):
            y = nn.functional.avg_pool2d(torch.tanh(self.conv1(x)), 2)  # (N, C, 32, 32) -> (N, 6, 14, 14)
            y = nn.functional.avg_pool2d(torch.tanh(self.conv2(y)), 2)  # -> (N, 16, 5, 5)
            y = torch.tanh(self.fc1(y.flatten(1)))  # (N, 400) -> (N, 120)
            y = torch.tanh(self.fc2(y))
            return self.fc3(y)

    return LeNet5


@LeNet5.cases
def _(rng):
    yield case("grey", x=rng.normal(size=(2, 1, 32, 32)), channels=1, classes=10)
    yield case("three channels", x=rng.normal(size=(1, 3, 32, 32)), channels=3, classes=4)
    yield case("two classes", x=rng.normal(size=(3, 1, 32, 32)), channels=1, classes=2)


@LeNet5.alternative
def _():
    """A sequence of layers."""
    from torch import nn

    class Other(nn.Sequential):
        def __init__(self, channels, classes):
            maps = [nn.Conv2d(channels, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh()]
            dense = [nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, classes)]
            super().__init__(*maps, nn.AvgPool2d(2), nn.Flatten(), *dense)

    return Other


@LeNet5.worked("61,706 parameters", lecture="004: Convolutional Neural Network: LeNet (1998)")
def _():
    import torch

    model = LeNet5(1, 10)
    close(sum(p.numel() for p in model.parameters()), 61706)
    close(model(torch.zeros(2, 1, 32, 32)).shape, [2, 10])


LeNet5.misconception(
    "softmax at the end",
    ("return self.fc3(y)", "return self.fc3(y).softmax(dim=1)"),
    hint="The cross-entropy of PyTorch takes scores. What does your network return?",
)
LeNet5.misconception(
    "no tanh between the dense layers",
    ("torch.tanh(self.fc1(y.flatten(1)))", "self.fc1(y.flatten(1))"),
    ("torch.tanh(self.fc2(y))", "self.fc2(y)"),
    hint="Two dense layers with nothing between them are one. What is between yours?",
)
LeNet5.misconception(
    "tanh after the scores",
    ("return self.fc3(y)", "return torch.tanh(self.fc3(y))"),
    hint="Can a score of yours be larger than 1?",
)
LeNet5.misconception(
    "largest instead of average in the pooling",
    ("avg_pool2d(torch.tanh(self.conv1(x)), 2)", "max_pool2d(torch.tanh(self.conv1(x)), 2)"),
    ("avg_pool2d(torch.tanh(self.conv2(y)), 2)", "max_pool2d(torch.tanh(self.conv2(y)), 2)"),
    hint="LeNet's pooling takes something of each of the four numbers. What does yours take?",
)
LeNet5.misconception(
    "padding in the first convolution",
    ("nn.Conv2d(channels, 6, 5)", "nn.Conv2d(channels, 6, 5, padding=2)"),
    ("(torch.tanh(self.conv2(y)), 2)", "(torch.tanh(self.conv2(y)), 2)[:, :, :5, :5]"),
    hint="How large are your maps after the first convolution? The images have 32 pixels already.",
)
LeNet5.misconception(
    "gradient cut behind the convolutions",
    ("y.flatten(1)", "y.detach().flatten(1)"),
    hint="Print the gradients of all parameters after a backward. Are there some without?",
)
