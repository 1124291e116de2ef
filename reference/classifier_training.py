"""How is a small image classifier trained by AdamW, with dropout?"""

import types

import numpy as np

from autograder.topic import Array, Float, Int, Topic, case, close, trainer
from reference.adam import adamw
from reference.classifier import classifier_gradients
from reference.digits import CLASSES, digits
from reference.mlp import initial
from reference.training import accuracy_on_hidden


@trainer(lecture="002: Adam", returns=("params",))
def train_classifier(
    params: dict[str, Array],
    x: Float[Array, "N D"],
    y: Int[Array, "N"],
    order: Int[Array, "E N"],
    masks: Float[Array, "E N H"],
    keep_prob: float,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    batch_size: int,
) -> dict[str, Array]:
    """Train a classifier with one hidden layer, ReLU and inverted dropout by AdamW.

    Formula: in epoch e the examples are visited in the order `order[e]`, `batch_size` at a time. For each batch and
    each parameter p: `g` is its gradient by `classifier_gradients`, under `masks[e, n]` for example n; `t <- t + 1`;
    `s <- beta1 s + (1 - beta1) g`; `r <- beta2 r + (1 - beta2) g**2`;
    `p <- p - lr (s / (1 - beta1**t)) / (sqrt(r / (1 - beta2**t)) + eps) - lr decay p`, the last term for W1 and W2
    only. s, r and t are 0 before the first batch, and go on from epoch to epoch.

    Arguments:
        params: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)} floating: where training starts.
        x: (N, D) floating. y: (N,) integer, 0 to C - 1, the classes.
        order: (E, N) integer, each row a permutation of 0 to N - 1: E epochs.
        masks: (E, N, H) of zeros and ones, 1 where a hidden unit is kept. keep_prob: in (0, 1].
        lr, eps: positive. beta1, beta2: in (0, 1). decay: not negative. batch_size: from 1 to N.

    Returns:
        {"W1", "b1", "W2", "b2"} with the same shapes: where training ends.

    Backward: all gradients of a step belong to the parameters before that step.

    Convention: the decay is decoupled, multiplied by lr and by the parameters before the step, as in
    `torch.optim.AdamW`; biases do not decay, where torch lets everything decay that it is given. eps stands outside of
    the root. Where batch_size does not divide N, the last batch of an epoch is shorter; it is kept, and its loss is
    the mean over its own size.

    Example:
        >>> start = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
        >>> x, y, masks = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0, 1]), np.ones((1, 2, 2))
        >>> trained = train_classifier(start, x, y, np.array([[0, 1]]), masks, 1.0, 0.1, 0.9, 0.999, 1e-12, 0.5, 2)
        >>> trained["W2"].round(6).tolist(), trained["W1"].round(6).tolist()
        ([[0.1, -0.1], [-0.1, 0.1]], [[0.95, 0.0], [0.0, 0.95]])

    Source: deck 002, "Adam" and "Dropout"; Loshchilov and Hutter 2019.
    """
    params, states = dict(params), dict.fromkeys(params)
    for visit, kept in zip(order, masks, strict=True):
        for start in range(0, len(visit), batch_size):
            batch = visit[start : start + batch_size]
            now = (params["W1"], params["b1"], params["W2"], params["b2"])
            _, *gradients = classifier_gradients(*now, x[batch], y[batch], kept[batch], keep_prob)
            for name, gradient in zip(("W1", "b1", "W2", "b2"), gradients, strict=True):
                shrink = decay if name.startswith("W") else 0.0
                step = adamw(params[name], gradient, states[name], lr, beta1, beta2, eps, shrink)
                params[name], states[name] = step
    return params


@train_classifier.cases
def _(rng):
    yield case("one step", **_short_run(rng, n=5, sizes=(3, 6, 4), epochs=1, batch_size=5))
    yield case("ten steps", **_short_run(rng, n=10, sizes=(4, 6, 3), epochs=5, batch_size=5))
    yield case("two classes", **_short_run(rng, n=9, sizes=(5, 4, 2), epochs=3, batch_size=3))
    yield case("an epoch a step", **_short_run(rng, n=6, sizes=(3, 5, 4), epochs=9, batch_size=6))
    yield case("short last batch", edge=0.2, **_short_run(rng, n=11, sizes=(4, 5, 3), epochs=3, batch_size=4))
    whole = _short_run(rng, n=8, sizes=(3, 7, 4), epochs=4, batch_size=4, keep_prob=1.0, decay=(0.0, 0.0))
    yield case("nothing dropped, no decay", edge=0.1, **whole)


def _short_run(rng, *, n, sizes, epochs, batch_size, keep_prob=0.75, decay=(0.3, 0.6)):
    """A few steps in which no hidden unit comes so near to its kink that rounding could decide for it.

    Rates that are far from each other, and an eps that is large enough to be seen: Adam divides by the size of the
    gradient, so that with a tiny one a gradient that is some factor too large would make the same steps.
    """
    units = epochs * n * sizes[1]
    while True:
        run = {
            "params": initial(rng, sizes),
            "x": rng.normal(size=(n, sizes[0])),
            "y": rng.permutation(np.arange(n) % sizes[-1]),
            "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
            "masks": rng.permutation(np.arange(units) < keep_prob * units).reshape(epochs, n, sizes[1]) * 1.0,
            "keep_prob": keep_prob,
            "lr": float(rng.uniform(0.05, 0.1)),
            "beta1": float(rng.uniform(0.6, 0.8)),
            "beta2": float(rng.uniform(0.9, 0.97)),
            "eps": float(rng.uniform(0.05, 0.1)),
            "decay": float(rng.uniform(*decay)),
            "batch_size": batch_size,
        }
        if nearest_kink(run) > 1e-3:
            return run


def nearest_kink(run):
    """The smallest input, in size, that a hidden unit meets on the way: training, with somebody who looks on."""
    met = []

    def watched(W1, b1, W2, b2, x, *rest):
        met.append(np.abs(x @ W1 + b1).min())
        return classifier_gradients(W1, b1, W2, b2, x, *rest)

    types.FunctionType(train_classifier.main.__code__, {**globals(), "classifier_gradients": watched})(**run)
    return min(met)


@train_classifier.generalizes(accuracy=accuracy_on_hidden, chance=1 / CLASSES)
def _(rng):
    """Digit-like images; those of the exam are made from originals that training never sees. No unit is dropped."""
    n, epochs, hidden, keep_prob = 600, 8, 32, 0.8
    (x, y), (hidden_x, hidden_y) = digits(rng, n, 500)
    return {
        "params": initial(rng, (x.shape[1], hidden, CLASSES)),
        "x": x,
        "y": y,
        "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
        "masks": (rng.random((epochs, n, hidden)) < keep_prob) * 1.0,  # (E, N, H)
        "keep_prob": keep_prob,
        "lr": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "decay": 0.01,
        "batch_size": 30,
        "hidden_x": hidden_x,
        "hidden_y": hidden_y,
    }


@train_classifier.alternative
def _(params, x, y, order, masks, keep_prob, lr, beta1, beta2, eps, decay, batch_size):
    """PyTorch's automatic differentiation and its AdamW, the weights in one group and the biases in another."""
    import torch

    trained = {name: torch.tensor(block, dtype=torch.float64, requires_grad=True) for name, block in params.items()}
    weights, biases = ([trained[f"{kind}{number}"] for number in (1, 2)] for kind in "Wb")
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), eps=eps)
    images, labels, kept = torch.tensor(x, dtype=torch.float64), torch.tensor(y), torch.tensor(masks)
    for epoch, visit in enumerate(torch.tensor(order)):
        for batch in torch.split(visit, batch_size):
            hidden = torch.relu(images[batch] @ trained["W1"] + trained["b1"]) * kept[epoch, batch] / keep_prob
            loss = torch.nn.functional.cross_entropy(hidden @ trained["W2"] + trained["b2"], labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {name: block.detach().numpy() for name, block in trained.items()}


@train_classifier.alternative
def _(params, x, y, order, masks, keep_prob, lr, beta1, beta2, eps, decay, batch_size):
    """Each layer one matrix, its bias the last row; decay by a factor; Adam's corrections in the learning rate."""
    theta = [np.vstack([params[f"W{number}"], params[f"b{number}"]]).astype(np.float64) for number in (1, 2)]
    shrink = [np.append(np.full(len(each) - 1, 1 - lr * decay), 1.0)[:, None] for each in theta]
    s, r = ([np.zeros_like(each) for each in theta] for _ in range(2))
    one_hot, t = np.eye(theta[1].shape[1])[y], 0
    for epoch, visit in enumerate(order):
        for batch in np.split(visit, range(batch_size, len(visit), batch_size)):
            ones, t = np.ones(len(batch)), t + 1
            images = np.column_stack([x[batch], ones])  # (B, D + 1)
            inner = images @ theta[0]
            gain = masks[epoch, batch] * (inner > 0) / keep_prob
            hidden = np.column_stack([inner * gain, ones])  # (B, H + 1)
            odds = np.exp(hidden @ theta[1])
            slopes = (odds / odds.sum(axis=1, keepdims=True) - one_hot[batch]) / len(batch)
            back = np.einsum("nc,hc->nh", slopes, theta[1][:-1]) * gain
            root = np.sqrt(1 - beta2**t)
            for layer, (given, upstream) in enumerate(((images, back), (hidden, slopes))):
                gradient = np.einsum("nd,nm->dm", given, upstream)
                s[layer] += (1 - beta1) * (gradient - s[layer])
                r[layer] += (1 - beta2) * (gradient**2 - r[layer])
                rate = lr * root / (1 - beta1**t)
                theta[layer] = theta[layer] * shrink[layer] - rate * s[layer] / (r[layer] ** 0.5 + eps * root)
    return {f"{kind}{number + 1}": theta[number][rows] for number in (0, 1) for kind, rows in _ROWS.items()}


_ROWS = {"W": slice(None, -1), "b": -1}  # where weights and bias stand in a layer's one matrix


@train_classifier.worked("one step: as long as lr, and the decay of the weights", lecture="002: Adam")
def _():
    start = {"W1": np.eye(2), "b1": np.ones(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
    x, y, masks = np.array([[3.0, -5.0], [-5.0, 3.0]]), np.array([0, 1]), np.ones((1, 2, 2))
    trained = train_classifier(start, x, y, np.array([[0, 1]]), masks, 1.0, 0.1, 0.9, 0.999, 1e-12, 0.5, 2)
    # However long the gradient is, Adam's first step is as long as lr; W2 was zero, so no decay comes to it.
    close(trained["W2"], [[0.1, -0.1], [-0.1, 0.1]])
    # Nothing reached the first layer, as W2 was zero: its weights decay by 0.1 * 0.5, its biases do not.
    close(trained["W1"], [[0.95, 0.0], [0.0, 0.95]])
    close(trained["b1"], [1.0, 1.0])


@train_classifier.worked("a unit that is dropped in one epoch", lecture="002: Dropout")
def _():
    start = {"W1": np.ones((1, 2)), "b1": np.zeros(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
    x, y, order = np.array([[2.0]]), np.array([1]), np.array([[0]])
    masks = np.array([[[0.0, 1.0]]])  # one epoch, one example, two units
    trained = train_classifier(start, x, y, order, masks, 0.5, 0.1, 0.9, 0.999, 6.0, 0.0, 1)
    # The unit that is kept is worth 2 / 0.5, its gradient is 4 * 1/2 = 2, and the step 0.1 * 2 / (2 + 6).
    close(trained["W2"], [[0.0, 0.0], [-0.025, 0.025]])
    close(trained["b2"], [-0.1 * 0.5 / 6.5, 0.1 * 0.5 / 6.5])


def _wrong(topic: Topic, name: str):
    """The function of an earlier topic with a misconception of its own."""
    (found,) = (each for each in topic.misconceptions if each.name == name)
    return found.names[topic.name]


# What goes wrong inside of the gradients or of the step goes wrong here too, for those who write all into one function.
_gradients_past_relu = _wrong(classifier_gradients, "ReLU mask missing in backward")
_gradients_past_dropout = _wrong(classifier_gradients, "dropout mask forgotten in backward")
_uncorrected = _wrong(adamw, "no bias correction")
_with_eps_inside = _wrong(adamw, "eps inside the root")
_decaying_unscaled = _wrong(adamw, "decay without the learning rate")

train_classifier.misconception(
    "ReLU mask missing in backward",
    ("classifier_gradients", "_gradients_past_relu"),
    hint="A hidden unit that was off did not change the loss. Does your backward know which ones were off?",
)
train_classifier.misconception(
    "dropout mask forgotten in backward",
    ("classifier_gradients", "_gradients_past_dropout"),
    hint="What does a unit that was dropped have to do with the loss?",
)
train_classifier.misconception(
    "dropout not rescaled",
    ("kept[batch], keep_prob", "kept[batch], 1.0"),
    hint="Where half of the units are dropped, how large is the sum of the others, if you do nothing about it?",
)
train_classifier.misconception(
    "nothing dropped",
    ("kept[batch], keep_prob", "np.ones_like(kept[batch]), 1.0"),
    hint="Which of the arguments does your training not depend on?",
)
train_classifier.misconception(
    "masks of the first epoch in every epoch",
    ("zip(order, masks", "zip(order, [masks[0]] * len(order)"),
    hint="Each epoch has masks of its own. How many axes has the argument that gives them?",
)
train_classifier.misconception(
    "masks by place in the batch, not by example",
    ("kept[batch]", "kept[start : start + batch_size]"),
    hint="Print the number of an example, and of the mask that it meets. Do the two belong together?",
)
train_classifier.misconception(
    "bias gradient missing",
    (
        "params[name], states[name] = step",
        "params[name], states[name] = step if name[0] == 'W' else (params[name], None)",
    ),
    hint="Compare all parameters before and after training. Which ones are as they were?",
)
train_classifier.misconception(
    "bias gradients averaged over the batch",
    ("gradient, states[name]", "gradient / (len(batch) if name[0] == 'b' else 1), states[name]"),
    hint="The 1/N of the mean is in the gradient of the scores already. How often do you divide on the way to db?",
)
train_classifier.misconception(
    "loss summed over the batch",
    ("gradient, states[name]", "gradient * len(batch), states[name]"),
    hint="The loss is a mean over the batch. How does eps compare with a gradient that is so many times larger?",
)
train_classifier.misconception(
    "short batch divided by batch_size",
    ("gradient, states[name]", "gradient * len(batch) / batch_size, states[name]"),
    hint="The loss of a batch is a mean over its examples. How many are in the last one?",
)
train_classifier.misconception(
    "gradients added up over the batches",
    ("dict.fromkeys(params)", "dict.fromkeys(params); sums = dict.fromkeys(params, 0.0)"),
    ("step = adamw(params[name], gradient,", "sums[name] += gradient; step = adamw(params[name], sums[name],"),
    hint="What is left of the last batch's gradient when the next batch begins?",
)
train_classifier.misconception(
    "plain gradient descent in place of Adam",
    (
        "adamw(params[name], gradient, states[name], lr, beta1, beta2, eps, shrink)",
        "params[name] - lr * (gradient + shrink * params[name]), None",
    ),
    hint="Which of the arguments does your step not depend on?",
)
train_classifier.misconception(
    "no bias correction",
    ("adamw", "_uncorrected"),
    hint="The averages start at 0. How long is your first step, where eps is tiny?",
)
train_classifier.misconception(
    "averages start anew in each epoch",
    ("for start in range", "states = dict.fromkeys(params)\n        for start in range"),
    hint="What do your averages know, at the first batch of the second epoch, about the first epoch?",
)
train_classifier.misconception(
    "steps counted once a parameter",
    ("dict.fromkeys(params)", "dict.fromkeys(params, (0.0, 0.0, 0)); t = 0"),
    ("states[name], lr", "(*states[name][:2], t), lr"),
    ("params[name], states[name] = step", "(params[name], states[name]), t = step, t + 1"),
    hint="Print the number of the step with which the first bias is corrected in the first batch.",
)
train_classifier.misconception(
    "eps inside the root",
    ("adamw", "_with_eps_inside"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
train_classifier.misconception(
    "decay in the gradient, so in the averages too",
    ("gradient, states[name]", "gradient + shrink * params[name], states[name]"),
    ("eps, shrink", "eps, 0.0"),
    hint="That is Adam with an L2 penalty. Which quantities does a decoupled decay never meet?",
)
train_classifier.misconception(
    "decay left out",
    ("eps, shrink", "eps, 0.0"),
    hint="Which of the arguments does your step not depend on?",
)
train_classifier.misconception(
    "decay without the learning rate",
    ("adamw", "_decaying_unscaled"),
    hint="With a learning rate of 0, nothing should move. Does yours?",
)
train_classifier.misconception(
    "biases decayed, too",
    ('decay if name.startswith("W") else 0.0', "decay"),
    hint="Where no gradient reaches a bias, does it move? Which parameters does the decay concern?",
)
train_classifier.misconception(
    "order ignored",
    ("zip(order, masks", "zip([np.arange(len(y))] * len(order), masks"),
    hint="Which examples are in the first batch of the second epoch? One of the arguments says so.",
)
train_classifier.misconception(
    "x shuffled without y",
    ("y[batch]", "y[start : start + batch_size]"),
    hint="Print an image and its label as they enter a step. Do they still belong together?",
)
train_classifier.misconception(
    "last short batch dropped",
    ("range(0, len(visit), batch_size)", "range(0, len(visit) - batch_size + 1, batch_size)"),
    hint="How many of the examples does an epoch of yours visit when batch_size does not divide N?",
)
