"""How does a network learn, with one hidden layer and with several?"""

import numpy as np

from autograder.topic import Array, Float, Int, case, close, trainer
from reference.activations import relu_backward, relu_forward
from reference.digits import CLASSES, digits
from reference.layers import affine_backward, affine_forward
from reference.losses import softmax_cross_entropy
from reference.mlp import initial, inner_activations, loss_and_gradients, mlp_forward


@trainer(lecture="004: Train a Deep Neural Network with SGD", returns=("params",))
def mlp_train(
    params: dict[str, Array],
    x: Float[Array, "N D"],
    y: Int[Array, "N"],
    lr: float,
    order: Int[Array, "E N"],
    batch_size: int,
) -> dict[str, Array]:
    """Train a two-layer network by plain minibatch gradient descent.

    Formula: `logits = relu(x @ W1 + b1) @ W2 + b2`; the loss of a batch is the mean of the softmax
    cross-entropy over its examples; after each batch `p <- p - lr dp` for each of the parameters. In
    epoch e the examples are visited in the order `order[e]`, `batch_size` at a time.

    Arguments:
        params: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)} floating: where training starts.
        x: (N, D) floating. y: (N,) integer, 0 to C - 1, the classes.
        lr: positive, the learning rate.
        order: (E, N) integer, each row a permutation of 0 to N - 1: E epochs.
        batch_size: from 1 to N.

    Returns:
        {"W1", "b1", "W2", "b2"} with the same shapes: where training ends.

    Backward: all gradients of a step belong to the parameters before that step.

    Convention: where batch_size does not divide N, the last batch of an epoch is shorter; it is kept,
    and its loss is the mean over its own size. No momentum, no weight decay. (The slide's update has
    both: v <- 0.9 v - 0.0005 e w - e g.)

    Example:
        >>> start = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
        >>> x, y = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0, 1])
        >>> mlp_train(start, x, y, 1.0, np.array([[0, 1]]), 2)["W2"].tolist()
        [[0.25, -0.25], [-0.25, 0.25]]

    Source: deck 004, "Train a Deep Neural Network with SGD".
    """
    params = dict(params)
    for visit in order:
        for start in range(0, len(visit), batch_size):
            batch = visit[start : start + batch_size]
            inner, first = affine_forward(x[batch], params["W1"], params["b1"])  # (B, D) -> (B, H)
            hidden, active = relu_forward(inner)
            logits, second = affine_forward(hidden, params["W2"], params["b2"])  # (B, H) -> (B, C)
            _, dlogits = softmax_cross_entropy(logits, y[batch])
            dhidden, dW2, db2 = affine_backward(dlogits, second)
            _, dW1, db1 = affine_backward(relu_backward(dhidden, active), first)
            for name, gradient in {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}.items():
                params[name] = params[name] - lr * gradient
    return params


@mlp_train.cases
def _(rng):
    yield case("ordinary", **_short_run(rng, n=12, d=3, h=5, c=4, epochs=2, batch_size=4))
    yield case("short last batch", **_short_run(rng, n=11, d=4, h=6, c=3, epochs=2, batch_size=4))
    yield case("one at a time", **_short_run(rng, n=6, d=2, h=7, c=3, epochs=1, batch_size=1))
    yield case("full batch, two classes", **_short_run(rng, n=8, d=5, h=4, c=2, epochs=4, batch_size=8))


def _short_run(rng, *, n, d, h, c, epochs, batch_size):
    """A few steps in which no hidden unit comes so near to its kink that rounding could decide for it."""
    while True:
        run = {
            "params": _start(rng, d, h, c),
            "x": rng.normal(size=(n, d)),
            "y": rng.permutation(np.arange(n) % c),
            "lr": 0.3,
            "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
            "batch_size": batch_size,
        }
        if _nearest_kink(**run) > 1e-3:
            return run


def _start(rng, d, h, c):
    return {
        "W1": rng.normal(size=(d, h)) * np.sqrt(2 / d),
        "b1": 0.1 * rng.normal(size=h),
        "W2": rng.normal(size=(h, c)) * np.sqrt(2 / h),
        "b2": 0.1 * rng.normal(size=c),
    }


def _nearest_kink(params, x, y, lr, order, batch_size):
    """The smallest input, in size, that a hidden unit meets on the way."""
    nearest = np.inf
    for visit in order:
        for start in range(0, len(visit), batch_size):
            batch = visit[start : start + batch_size]
            nearest = min(nearest, np.abs(x[batch] @ params["W1"] + params["b1"]).min())
            params = mlp_train(params, x, y, lr, batch[None, :], batch_size)
    return nearest


def mean_loss(run, params):
    """Mean softmax cross-entropy in nats over the examples of `run`; ValueError on other shapes."""
    for name, block in run["params"].items():
        if np.shape(params[name]) != np.shape(block):
            raise ValueError(f"{name} must have shape {np.shape(block)}, not {np.shape(params[name])}")
    hidden = relu_forward(run["x"] @ params["W1"] + params["b1"])[0]  # (N, D) -> (N, H)
    loss, _ = softmax_cross_entropy(hidden @ params["W2"] + params["b2"], run["y"])
    return float(loss)


@mlp_train.converges(loss=mean_loss)
def _(rng):
    """Two moons, which no straight line separates."""
    n, epochs = 90, 60
    angle = np.pi * rng.uniform(size=n)
    y = np.arange(n) % 2
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (N,) -> (N, 2)
    x = np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper) + 0.1 * rng.normal(size=(n, 2))
    return {
        "params": _start(rng, 2, 16, 2),
        "x": x - [0.5, 0.25],
        "y": y,
        "lr": 0.3,
        "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
        "batch_size": 9,
    }


@mlp_train.alternative
def _(params, x, y, lr, order, batch_size):
    """PyTorch's automatic differentiation and its optimiser, in double precision."""
    import torch

    trained = {key: torch.tensor(block, dtype=torch.float64, requires_grad=True) for key, block in params.items()}
    inputs, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    for visit in torch.tensor(order):
        for batch in torch.split(visit, batch_size):
            hidden = torch.relu(inputs[batch] @ trained["W1"] + trained["b1"])
            logits = hidden @ trained["W2"] + trained["b2"]
            loss = torch.nn.functional.cross_entropy(logits, labels[batch])
            gradients = torch.autograd.grad(loss, list(trained.values()))
            with torch.no_grad():
                for block, gradient in zip(trained.values(), gradients, strict=True):
                    block -= lr * gradient
    return {key: block.detach().numpy() for key, block in trained.items()}


@mlp_train.alternative
def _(params, x, y, lr, order, batch_size):
    """One example after another, each parameter's share added up before the step."""
    W1, b1, W2, b2 = (np.array(params[key], dtype=np.float64) for key in ("W1", "b1", "W2", "b2"))
    for visit in order.tolist():
        while visit:
            batch, visit = visit[:batch_size], visit[batch_size:]
            steps = [np.zeros_like(block) for block in (W1, b1, W2, b2)]
            for n in batch:
                inner = b1 + sum(x[n, d] * W1[d] for d in range(len(W1)))  # (H,)
                hidden = inner * (inner > 0)
                scores = b2 + sum(hidden[k] * W2[k] for k in range(len(W2)))  # (C,)
                slopes = np.exp(scores - np.logaddexp.reduce(scores)) - (np.arange(len(b2)) == y[n])
                back = (W2 * slopes).sum(axis=1) * (inner > 0)  # (H, C) -> (H,)
                shares = (np.outer(x[n], back), back, np.outer(hidden, slopes), slopes)
                for step, share in zip(steps, shares, strict=True):
                    step += share / len(batch)
            W1, b1, W2, b2 = (block - lr * step for block, step in zip((W1, b1, W2, b2), steps, strict=True))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


@mlp_train.worked("one step from equal scores", lecture="004: Train a Deep Neural Network with SGD")
def _():
    start = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
    x, y = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0, 1])
    trained = mlp_train(start, x, y, 1.0, np.array([[0, 1]]), 2)
    close(trained["W2"], [[0.25, -0.25], [-0.25, 0.25]])
    close(trained["b2"], [0.0, 0.0])
    close(trained["W1"], np.eye(2))  # W2 was zero, so nothing reached the first layer yet


mlp_train.misconception(
    "ReLU mask missing in backward",
    ("relu_backward(dhidden, active)", "dhidden"),
    hint="A hidden unit that was off did not change the loss. Does your backward know which ones were off?",
)
mlp_train.misconception(
    "mask taken from the gradient",
    ("relu_backward(dhidden, active)", "relu_backward(dhidden, dhidden)"),
    hint="Which numbers decide whether a hidden unit lets the gradient through: those of forward or of backward?",
)
mlp_train.misconception(
    "hidden layer without ReLU",
    ("relu_forward(inner)", "inner, np.ones_like(inner)"),
    hint="Two layers with nothing between them are one layer. Where is your nonlinearity?",
)
mlp_train.misconception(
    "ReLU on the scores",
    (
        "_, dlogits = softmax_cross_entropy(logits, y[batch])",
        "_, dlogits = softmax_cross_entropy(np.maximum(logits, 0), y[batch]); dlogits = dlogits * (logits > 0)",
    ),
    hint="May the score of a class be negative? Look at what stands between the last layer and the softmax.",
)
mlp_train.misconception(
    "bias gradients averaged once more",
    ('"b1": db1', '"b1": db1 / len(batch)'),
    ('"b2": db2', '"b2": db2 / len(batch)'),
    hint="The 1/N of the mean is in dlogits already. How often do you divide by it on the way to db?",
)
mlp_train.misconception(
    "biases never updated",
    ('"b1": db1,', ""),
    ('dW2, "b2": db2', "dW2"),
    hint="Compare b1 and b2 before and after.",
)
mlp_train.misconception(
    "gradients added up over the batches",
    ("params = dict(params)", "params = dict(params); sums = dict.fromkeys(params, 0.0)"),
    (
        "params[name] = params[name] - lr * gradient",
        "sums[name] = sums[name] + gradient; params[name] = params[name] - lr * sums[name]",
    ),
    hint="What is left of the last batch's gradient when the next batch begins?",
)
mlp_train.misconception(
    "loss summed over the batch",
    ("lr * gradient", "lr * gradient * len(batch)"),
    hint="The loss is a mean over the batch. Should a larger batch take larger steps?",
)
mlp_train.misconception(
    "short batch divided by batch_size",
    ("lr * gradient", "lr * gradient * len(batch) / batch_size"),
    hint="The loss of a batch is a mean over its examples. How many are in the last one?",
)
mlp_train.misconception(
    "last short batch dropped",
    ("range(0, len(visit), batch_size)", "range(0, len(visit) - batch_size + 1, batch_size)"),
    hint="How many of the examples does an epoch of yours visit when batch_size does not divide N?",
)
mlp_train.misconception(
    "order ignored",
    ("in order", "in [np.arange(len(y))] * len(order)"),
    hint="Which examples are in the first batch of the second epoch? The argument order says so.",
)
mlp_train.misconception(
    "order of the first epoch in every epoch",
    ("in order", "in [order[0]] * len(order)"),
    hint="Each epoch has its own order: order has two axes.",
)
mlp_train.misconception(
    "one update an epoch",
    ("range(0, len(visit), batch_size)", "[0]"),
    ("visit[start : start + batch_size]", "visit"),
    hint="How many times do the parameters change in one epoch of yours, and how many batches are there?",
)
mlp_train.misconception(
    "W2 moved before the hidden gradient is taken",
    (
        "dhidden, dW2, db2 = affine_backward(dlogits, second)",
        "_, dW2, db2 = affine_backward(dlogits, second); dhidden = dlogits @ (params['W2'] - lr * dW2).T",
    ),
    hint="All gradients of a step belong to the same point. Is W2 still the one that forward used?",
)


@trainer(lecture="004: Train a Deep Neural Network with SGD", returns=("params",))
def deep_mlp_train(
    params: dict[str, Array],
    x: Float[Array, "N D"],
    y: Int[Array, "N"],
    lr: float,
    order: Int[Array, "E N"],
    batch_size: int,
) -> dict[str, Array]:
    """Train a network of any number of layers by plain minibatch gradient descent.

    Formula: for each batch, `p <- p - lr dL/dp` for all parameters p, L being the mean softmax
    cross-entropy of the batch, as `loss_and_gradients` computes it. In epoch e the examples are visited
    in the order `order[e]`, `batch_size` at a time.

    Arguments:
        params: {"W1": (D, M1), "b1": (M1,), ..., "WL", "bL"} floating: where training starts.
        x: (N, D) floating. y: (N,) integer, 0 to C - 1, the classes.
        lr: positive, the learning rate.
        order: (E, N) integer, each row a permutation of 0 to N - 1: E epochs.
        batch_size: from 1 to N.

    Returns:
        A dict with the names and shapes of params: where training ends.

    Backward: all gradients of a step belong to the parameters before that step.

    Convention: where batch_size does not divide N, the last batch of an epoch is shorter; it is kept,
    and its loss is the mean over its own size. No momentum, no weight decay, which the slide's update has.

    Example:
        >>> start = {"W1": np.zeros((1, 2)), "b1": np.zeros(2)}
        >>> trained = deep_mlp_train(start, np.array([[2.0], [-2.0]]), np.array([0, 1]), 1.0, np.array([[0, 1]]), 2)
        >>> trained["W1"].tolist(), trained["b1"].tolist()
        ([[1.0, -1.0]], [0.0, 0.0])

    Source: deck 004, "Train a Deep Neural Network with SGD".
    """
    params = dict(params)
    for visit in order:
        for start in range(0, len(visit), batch_size):
            batch = visit[start : start + batch_size]
            _, grads = loss_and_gradients(params, x[batch], y[batch])
            for name, gradient in grads.items():
                params[name] = params[name] - lr * gradient
    return params


@deep_mlp_train.cases
def _(rng):
    yield case("two hidden layers", **_short_deep_run(rng, n=10, sizes=(3, 6, 5, 4), epochs=2, batch_size=5))
    yield case("short last batch", **_short_deep_run(rng, n=7, sizes=(4, 5, 4, 3), epochs=2, batch_size=3))
    yield case("one hidden layer", **_short_deep_run(rng, n=8, sizes=(5, 7, 2), epochs=3, batch_size=4))
    yield case("no hidden layer", **_short_deep_run(rng, n=6, sizes=(4, 3), epochs=2, batch_size=2))


def _short_deep_run(rng, *, n, sizes, epochs, batch_size):
    """A few steps in which no hidden unit comes so near to its kink that rounding could decide for it."""
    while True:
        run = {
            "params": initial(rng, sizes),
            "x": rng.normal(size=(n, sizes[0])),
            "y": rng.permutation(np.arange(n) % sizes[-1]),
            "lr": 0.2,
            "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
            "batch_size": batch_size,
        }
        params, nearest = run["params"], np.inf
        for visit in run["order"]:
            for begin in range(0, n, batch_size):
                batch = visit[begin : begin + batch_size]
                inner = inner_activations(params, run["x"][batch])
                nearest = min([nearest, *(np.abs(each).min() for each in inner)])
                params = deep_mlp_train(params, run["x"], run["y"], run["lr"], batch[None, :], batch_size)
        if nearest > 1e-3:
            return run


def accuracy_on_hidden(run, params):
    """The fraction of the hidden examples of `run` on which the class with the highest score is the true one."""
    scores, _ = mlp_forward(params, run["hidden_x"])
    return float((scores.argmax(axis=1) == run["hidden_y"]).mean())


@deep_mlp_train.generalizes(accuracy=accuracy_on_hidden, chance=1 / CLASSES)
def _(rng):
    """Digit-like images; those of the exam are made from originals that training never sees."""
    n, epochs = 1000, 8
    (x, y), (hidden_x, hidden_y) = digits(rng, n, 500)
    return {
        "params": initial(rng, (x.shape[1], 32, 20, CLASSES)),
        "x": x,
        "y": y,
        "lr": 0.25,
        "order": np.array([rng.permutation(n) for _ in range(epochs)]),  # (E, N)
        "batch_size": 40,
        "hidden_x": hidden_x,
        "hidden_y": hidden_y,
    }


@deep_mlp_train.alternative
def _(params, x, y, lr, order, batch_size):
    """PyTorch's automatic differentiation and its optimiser, in double precision."""
    import torch

    trained = {key: torch.tensor(block, dtype=torch.float64, requires_grad=True) for key, block in params.items()}
    inputs, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    for visit in torch.tensor(order):
        for batch in torch.split(visit, batch_size):
            scores = inputs[batch]
            for number in range(1, len(params) // 2 + 1):
                scores = torch.relu(scores) if number > 1 else scores
                scores = scores @ trained[f"W{number}"] + trained[f"b{number}"]
            loss = torch.nn.functional.cross_entropy(scores, labels[batch])
            gradients = torch.autograd.grad(loss, list(trained.values()))
            with torch.no_grad():
                for block, gradient in zip(trained.values(), gradients, strict=True):
                    block -= lr * gradient
    return {key: block.detach().numpy() for key, block in trained.items()}


@deep_mlp_train.alternative
def _(params, x, y, lr, order, batch_size):
    """Each layer one matrix, its bias the last row; one-hot classes; steps in place."""
    layers = range(1, len(params) // 2 + 1)
    theta = [np.vstack([params[f"W{number}"], params[f"b{number}"]]).astype(np.float64) for number in layers]
    one_hot = np.eye(len(theta[-1].T))[y]
    for visit in order:
        for batch in np.split(visit, range(batch_size, len(visit), batch_size)):
            given = [np.column_stack([x[batch], np.ones(len(batch))])]  # (B, D + 1)
            for matrix in theta[:-1]:
                given.append(np.column_stack([np.clip(given[-1] @ matrix, 0, None), np.ones(len(batch))]))
            odds = np.exp(given[-1] @ theta[-1])
            slopes = (odds / odds.sum(axis=1, keepdims=True) - one_hot[batch]) / len(batch)
            for matrix, h in zip(reversed(theta), reversed(given), strict=True):
                step = lr * np.einsum("nd,nm->dm", h, slopes)
                slopes = np.einsum("nm,dm->nd", slopes, matrix[:-1]) * (h[:, :-1] > 0)
                matrix -= step
    return {f"{kind}{number}": theta[number - 1][rows] for number in layers for kind, rows in _ROWS.items()}


_ROWS = {"W": slice(None, -1), "b": -1}  # where weights and bias stand in a layer's one matrix


@deep_mlp_train.worked("one step of a single layer from zero", lecture="004: Train a Deep Neural Network with SGD")
def _():
    start = {"W1": np.zeros((1, 2)), "b1": np.zeros(2)}
    trained = deep_mlp_train(start, np.array([[2.0], [-2.0]]), np.array([0, 1]), 1.0, np.array([[0, 1]]), 2)
    close(trained["W1"], [[1.0, -1.0]])
    close(trained["b1"], [0.0, 0.0])


deep_mlp_train.misconception(
    "steps up the gradient",
    ("params[name] - lr * gradient", "params[name] + lr * gradient"),
    hint="The gradient points to where the loss grows. Does your loss fall from step to step?",
)
deep_mlp_train.misconception(
    "only the last layer trained",
    ("in grads.items()", "in list(grads.items())[:2]"),
    hint="Compare all parameters before and after training. Which ones are as they were?",
)
deep_mlp_train.misconception(
    "biases never updated",
    ("in grads.items()", "in [each for each in grads.items() if each[0][0] == 'W']"),
    hint="Compare all parameters before and after training. Which ones are as they were?",
)
deep_mlp_train.misconception(
    "gradients added up over the batches",
    ("params = dict(params)", "params = dict(params); sums = dict.fromkeys(params, 0.0)"),
    (
        "params[name] = params[name] - lr * gradient",
        "sums[name] = sums[name] + gradient; params[name] = params[name] - lr * sums[name]",
    ),
    hint="What is left of the last batch's gradient when the next batch begins?",
)
deep_mlp_train.misconception(
    "loss summed over the batch",
    ("lr * gradient", "lr * gradient * len(batch)"),
    hint="The loss is a mean over the batch. Should a larger batch take larger steps?",
)
deep_mlp_train.misconception(
    "short batch divided by batch_size",
    ("lr * gradient", "lr * gradient * len(batch) / batch_size"),
    hint="The loss of a batch is a mean over its examples. How many are in the last one?",
)
deep_mlp_train.misconception(
    "last short batch dropped",
    ("range(0, len(visit), batch_size)", "range(0, len(visit) - batch_size + 1, batch_size)"),
    hint="How many of the examples does an epoch of yours visit when batch_size does not divide N?",
)
deep_mlp_train.misconception(
    "order ignored",
    ("in order", "in [np.arange(len(y))] * len(order)"),
    hint="Which examples are in the first batch of the second epoch? One of the arguments says so.",
)
deep_mlp_train.misconception(
    "order of the first epoch in every epoch",
    ("in order", "in [order[0]] * len(order)"),
    hint="Each epoch has its own order. How many axes has the argument that gives it?",
)
deep_mlp_train.misconception(
    "x shuffled without y",
    ("y[batch]", "y[start : start + batch_size]"),
    hint="Print an image and its label as they enter a step. Do they still belong together?",
)
deep_mlp_train.misconception(
    "one update an epoch",
    ("range(0, len(visit), batch_size)", "[0]"),
    ("visit[start : start + batch_size]", "visit"),
    hint="How many times do the parameters change in one epoch of yours, and how many batches are there?",
)
deep_mlp_train.misconception(
    "training starts anew in each epoch",
    ("for visit in order:", "first = params\n    for visit in order:\n        params = dict(first)"),
    hint="Where does the second epoch begin: where the first one ended, or at the start?",
)
