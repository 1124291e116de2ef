"""How does a network of any number of layers compute, and how do gradients come back through all of it?"""

import itertools
import math

import numpy as np

from autograder.topic import Array, Float, Int, Opaque, case, close, layer, topic
from reference.losses import softmax_cross_entropy


def mlp_forward(params: dict[str, Array], x: Float[Array, "N D"]) -> tuple[Float[Array, "N C"], Opaque]:
    """A multilayer perceptron: L fully connected layers, with ReLU after each but the last.

    Formula: `h0 = x`; `h[l] = relu(h[l-1] @ W[l] + b[l])` for l = 1 to L - 1; `out = h[L-1] @ W[L] + b[L]`.

    Arguments:
        params: {"W1": (D, M1), "b1": (M1,), "W2": (M1, M2), "b2": (M2,), ..., "WL", "bL"} floating; L >= 1.
        x: (N, D) floating, one example a row.

    Returns:
        out: (N, C), scores: they may be negative. cache: whatever backward needs.

    Convention: deck 001 writes `z = W a + b` for one example as a column, so its W is transposed here, as
    is that of `torch.nn.Linear`.

    Example:
        >>> params = {"W1": np.array([[1.0, -1.0]]), "b1": np.zeros(2), "W2": np.ones((2, 1)), "b2": np.zeros(1)}
        >>> mlp_forward(params, np.array([[-2.0], [3.0]]))[0].tolist()  # relu(x) + relu(-x) is |x|
        [[2.0], [3.0]]

    Source: deck 001, forward propagation in matrix form; deck 003, "Single Layer Neural Network".
    """
    layers = len(params) // 2
    inputs, out = [], x
    for number in range(1, layers + 1):
        inputs.append(out)
        inner = out @ params[f"W{number}"] + params[f"b{number}"]  # (N, D) @ (D, M) -> (N, M)
        out = np.maximum(inner, 0) if number < layers else inner
    return out, (params, inputs)


def mlp_backward(dout: Float[Array, "N C"], cache: Opaque) -> tuple[dict[str, Array], Float[Array, "N D"]]:
    """Gradients of a loss with respect to every parameter and the input of a multilayer perceptron.

    Formula, from the last layer to the first, d being dout at first: `dW[l] = h[l-1].T @ d`;
    `db[l] = sum_n d[n]`; `d <- d @ W[l].T`, and where h[l-1] came out of a ReLU, `d <- d where it was on, else 0`.

    Arguments:
        dout: (N, C) floating, the gradient of the loss with respect to out. cache: as forward left it.

    Returns:
        dparams: a dict with the names and shapes of params; sums over N: any mean is already in dout.
        dx: (N, D).

    Convention: the derivative of ReLU at exactly 0 is 0. Backward leaves its cache as it was: with
    another dout it may be called again.

    Example:
        >>> params = {"W1": np.array([[1.0, -1.0]]), "b1": np.zeros(2), "W2": np.ones((2, 1)), "b2": np.zeros(1)}
        >>> _, cache = mlp_forward(params, np.array([[-2.0], [3.0]]))
        >>> dparams, dx = mlp_backward(np.array([[1.0], [10.0]]), cache)
        >>> dx.tolist(), dparams["b1"].tolist()
        ([[-1.0], [10.0]], [10.0, 1.0])

    Source: deck 004, "Backpropagating dE/dy (Hinton)"; deck 001, backpropagation in matrix form.
    """
    params, inputs = cache
    dparams = {}
    for number in reversed(range(1, len(inputs) + 1)):
        h = inputs[number - 1]
        dparams[f"W{number}"] = h.T @ dout  # (D, N) @ (N, M) -> (D, M)
        dparams[f"b{number}"] = dout.sum(axis=0)  # (N, M) -> (M,)
        dout = dout @ params[f"W{number}"].T  # (N, M) @ (M, D) -> (N, D)
        if number > 1:
            dout = dout * (h > 0)  # what comes out of a ReLU is above 0 exactly where its input is
    return dparams, dout


mlp = layer(
    mlp_forward,
    mlp_backward,
    lecture="004: Benefits of MLP with Backpropagation",
    gradients=("params", "x"),
    pure=True,
)


@mlp.cases
def _(rng):
    yield case("one hidden layer", **network(rng, 6, (3, 7, 2)))
    yield case("two hidden layers", **network(rng, 5, (4, 6, 5, 3)))
    # Layers of one width let through what is transposed, or taken from another layer.
    yield case("layers of one width", **network(rng, 4, (5, 5, 5, 5)))
    yield case("one example", **network(rng, 1, (6, 8, 7, 2)))
    yield case("no hidden layer", edge=0.1, **network(rng, 7, (4, 3)))
    yield case("eleven layers", edge=0.1, **_deep_network(rng, 4, layers=11, width=4))


def _deep_network(rng, n, *, layers, width):
    """As `network`, for so many layers that drawing would not end: each bias lies midway between two examples."""
    params, h = initial(rng, [width] * (layers + 1)), rng.normal(size=(n, width))
    x = h
    for number in range(1, layers):
        gaps = np.diff(np.sort(h @ params[f"W{number}"], axis=0), axis=0)  # (N - 1, M)
        params[f"W{number}"] *= 2 / gaps.max(axis=0)  # no unit nearer to its kink than 1
        inner = np.sort(h @ params[f"W{number}"], axis=0)  # (N, M)
        widest, units = gaps.argmax(axis=0), np.arange(width)
        params[f"b{number}"] = -(inner[widest, units] + inner[widest + 1, units]) / 2
        h = np.maximum(h @ params[f"W{number}"] + params[f"b{number}"], 0)
    return {"params": params, "x": x}


def network(rng, n, sizes):
    """Parameters and inputs of a network in which no unit is near its kink.

    Every hidden unit is on for one example and off for another, or, with one example only, every hidden
    layer has units of both kinds. sizes: of the input, the hidden layers and the output.
    """
    while True:
        params = initial(rng, sizes)
        x = rng.normal(size=(n, sizes[0]))
        inner = inner_activations(params, x)
        axis = 0 if n > 1 else 1
        both = all((each > 0).any(axis=axis).all() and (each < 0).any(axis=axis).all() for each in inner)
        if both and all(np.abs(each).min() > 1e-2 for each in inner):
            return {"params": params, "x": x}


def initial(rng, sizes):
    """Parameters from which a network of these sizes learns: W1, b1, W2, b2 and so on."""
    params = {}
    for number, (d, m) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{number}"] = rng.normal(size=(d, m)) * np.sqrt(2 / d)
        params[f"b{number}"] = 0.1 * rng.normal(size=m)
    return params


def inner_activations(params, x):
    """What the ReLUs are given, layer by layer."""
    found, h = [], x
    for number in range(1, len(params) // 2):
        found.append(h @ params[f"W{number}"] + params[f"b{number}"])
        h = np.maximum(found[-1], 0)
    return found


@mlp.alternative
def _():
    """One example after another, one input of a layer after another."""

    def forward(params, x):
        layers = [(params[f"W{number}"], params[f"b{number}"]) for number in range(1, len(params) // 2 + 1)]
        walks = []
        for row in x:
            given = [row]  # what each layer is given
            for number, (w, b) in enumerate(layers, start=1):
                inner = b + sum(given[-1][d] * w[d] for d in range(len(w)))
                given.append(inner if number == len(layers) else (inner + abs(inner)) / 2)
            walks.append(given)
        return np.array([given[-1] for given in walks]), (layers, walks)

    def backward(dout, cache):
        layers, walks = cache
        dparams, dx = {}, []
        for upstream, given in zip(dout, walks, strict=True):
            for number in range(len(layers), 0, -1):
                w, _ = layers[number - 1]
                shares = {f"W{number}": np.outer(given[number - 1], upstream), f"b{number}": upstream}
                for name, share in shares.items():
                    dparams[name] = dparams.get(name, 0.0) + share
                upstream = np.array([w[d] @ upstream for d in range(len(w))])
                if number > 1:
                    upstream = np.where(given[number - 1] == 0, 0.0, upstream)
            dx.append(upstream)
        return dparams, np.array(dx)

    return forward, backward


@mlp.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(params, x):
        import torch

        leaves = {name: torch.tensor(each, dtype=torch.float64, requires_grad=True) for name, each in params.items()}
        given = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        out = given
        for number in range(1, len(params) // 2 + 1):
            out = torch.relu(out) if number > 1 else out
            out = torch.nn.functional.linear(out, leaves[f"W{number}"].T, leaves[f"b{number}"])
        return out.detach().numpy(), (out, leaves, given)

    def backward(dout, cache):
        import torch

        out, leaves, given = cache
        found = torch.autograd.grad(out, [*leaves.values(), given], torch.tensor(dout), retain_graph=True)
        *gradients, dx = (each.numpy() for each in found)
        return dict(zip(leaves, gradients, strict=True)), dx

    return forward, backward


@mlp.worked("relu(x) + relu(-x) is |x|", lecture="004: ReLU Activation Function")
def _():
    params = {"W1": np.array([[1.0, -1.0]]), "b1": np.zeros(2), "W2": np.ones((2, 1)), "b2": np.zeros(1)}
    out, cache = mlp_forward(params, np.array([[-2.0], [3.0]]))
    close(out, [[2.0], [3.0]])
    dparams, dx = mlp_backward(np.array([[1.0], [10.0]]), cache)
    close(dx, [[-1.0], [10.0]])
    close(dparams["W1"], [[30.0, -2.0]])
    close(dparams["b1"], [10.0, 1.0])
    close(dparams["W2"], [[30.0], [2.0]])
    close(dparams["b2"], [11.0])


mlp.misconception(
    "no ReLU between the layers",
    ("np.maximum(inner, 0) if number < layers else inner", "inner"),
    hint="Layers with nothing between them are one layer. Where are your nonlinearities?",
)
mlp.misconception(
    "ReLU on the scores",
    ("np.maximum(inner, 0) if number < layers else inner", "np.maximum(inner, 0)"),
    hint="May a score be negative? Look at what stands after the last layer in the formula.",
)
mlp.misconception(
    "bias forgotten",
    ('out @ params[f"W{number}"] + params[f"b{number}"]', 'out @ params[f"W{number}"]'),
    hint="Which half of the parameters does your output not depend on?",
)
mlp.misconception(
    "W transposed in forward",
    ('out @ params[f"W{number}"]', 'out @ params[f"W{number}"].T'),
    hint="Write the shapes under the product: (N, D) times what gives (N, M)? Deck 001 has examples as columns.",
)
mlp.misconception(
    "W not transposed in backward",
    ('dout @ params[f"W{number}"].T', 'dout @ params[f"W{number}"]'),
    hint="Write the shapes under the product: (N, M) times what gives (N, D)? Try layers of different widths.",
)
mlp.misconception(
    "dW transposed",
    ("h.T @ dout", "dout.T @ h"),
    hint="A gradient has the shape of what it is the gradient of. Compare it with the weights.",
)
mlp.misconception(
    "db not summed over the batch",
    ("dout.sum(axis=0)", "dout"),
    hint="One bias serves all N examples. What shape must its gradient have?",
)
mlp.misconception(
    "gradients averaged over the batch",
    ("h.T @ dout", "h.T @ dout / len(h)"),
    ("dout.sum(axis=0)", "dout.mean(axis=0)"),
    hint="Where a loss is a mean, its 1/N is already in the upstream gradient. What if it is applied again?",
)
mlp.misconception(
    "ReLU mask missing in backward",
    ("dout * (h > 0)", "dout"),
    hint="A hidden unit that was off did not change the output. Does your backward know which ones were off?",
)
mlp.misconception(
    "mask taken from dout",
    ("dout * (h > 0)", "dout * (dout > 0)"),
    hint="What decides whether a unit lets the gradient through: numbers of forward, or of backward?",
)
mlp.misconception(
    "input masked like a hidden layer",
    ("if number > 1", "if number > 0"),
    hint="Did x come out of a ReLU? Look at where your backward masks, and at where forward rectifies.",
)
mlp.misconception(
    "layers visited from the first",
    ("reversed(range(1, len(inputs) + 1))", "range(1, len(inputs) + 1)"),
    hint="The gradient arrives at the scores. Which layer does it meet first?",
)
mlp.misconception(
    "upstream gradient left out",
    ("params, inputs = cache", "params, inputs = cache; dout = np.ones_like(dout)"),
    hint="Your gradients do not depend on what backward is given. What does the chain rule multiply?",
)
mlp.misconception(
    "gradient not passed through the weights",
    ('dout = dout @ params[f"W{number}"].T', "pass"),
    hint="What has become of the gradient on its way through a layer? The next one needs it as it is then.",
)
mlp.misconception(
    "cache overwritten by the next layer",
    ("inputs.append(out)", "inputs = [out] * number"),
    hint="Backward needs what every layer was given. How many of these does your cache hold at the end?",
)
mlp.misconception(
    "activations in the cache turned into masks",
    ("dout = dout * (h > 0)", "h[h > 0] = 1; dout = dout * h"),
    hint="Call backward twice with the same cache. Is the second answer the same? What was written into?",
)
mlp.misconception(
    "layers in the alphabetical order of their names",
    ("in range(1, layers + 1):", "in sorted(range(1, layers + 1), key=str):"),
    ("if number < layers", "if len(inputs) < layers"),
    ("reversed(range(1, len(inputs) + 1))", "sorted(range(1, len(inputs) + 1), key=str)[::-1]"),
    ("inputs[number - 1]", "inputs[sorted(range(1, len(inputs) + 1), key=str).index(number)]"),
    hint="In which order does Python sort the words W1, W2 and W10?",
)
mlp.misconception(
    "gradients in another order",
    ("return dparams, dout", "return dout, dparams"),
    hint="In which order does forward take its inputs? Their gradients come in the same one.",
)


@topic(
    lecture="003: Computing Gradients: Backpropagation",
    returns=("loss", "grads"),
    gradients={"grads": ("loss", "params")},
    pure=True,
)
def loss_and_gradients(
    params: dict[str, Array], x: Float[Array, "N D"], y: Int[Array, "N"]
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Loss of a classifier, a multilayer perceptron, and the gradient of all its parameters.

    Formula: `scores = mlp(params, x)`; `loss = -mean_n log softmax(scores)[n, y[n]]`.

    Arguments:
        params: {"W1", "b1", ..., "WL", "bL"} as for `mlp_forward`; the last layer has C outputs.
        x: (N, D) floating. y: (N,) integer, 0 to C - 1, the classes.

    Returns:
        loss: a number in nats, the mean over N.
        grads: a dict with the names and shapes of params, the gradient of that mean.

    Backward: the gradient of the scores, `(softmax(scores) - t) / N` with t 1 at the true class and 0
    elsewhere, goes back through the network.

    Convention: nothing is updated here: params are left as they were.

    Example:
        >>> params = {"W1": np.zeros((2, 4)), "b1": np.log([1.0, 1.0, 3.0, 5.0])}
        >>> loss, grads = loss_and_gradients(params, np.array([[1.0, 2.0]]), np.array([2]))
        >>> round(float(loss), 4), grads["b1"].round(4).tolist()
        (1.204, [0.1, 0.1, -0.7, 0.5])

    Source: deck 003, "Computing Gradients: Backpropagation"; deck 004, "Loss Function: Cross-Entropy Loss".
    """
    scores, cache = mlp_forward(params, x)
    loss, dscores = softmax_cross_entropy(scores, y)
    grads, _ = mlp_backward(dscores, cache)
    return loss, grads


@loss_and_gradients.cases
def _(rng):
    yield case("one hidden layer", **network(rng, 6, (3, 7, 4)), y=rng.permutation([0, 0, 1, 2, 3, 3]))
    yield case("two hidden layers", **network(rng, 5, (4, 6, 5, 3)), y=rng.permutation([0, 1, 1, 2, 2]))
    yield case("two classes", **network(rng, 7, (5, 6, 2)), y=rng.permutation([0, 0, 0, 0, 1, 1, 1]))
    yield case("one example", **network(rng, 1, (6, 8, 7, 5)), y=rng.integers(5, size=1))
    yield case("no hidden layer", edge=0.1, **network(rng, 8, (4, 3)), y=rng.permutation([0, 0, 0, 1, 1, 1, 2, 2]))


@loss_and_gradients.alternative
def _(params, x, y):
    """One example after another, its log-sum-exp by math.fsum."""
    layers, loss, grads = len(params) // 2, 0.0, {name: np.zeros_like(block) for name, block in params.items()}
    for row, label in zip(x, y, strict=True):
        given = [row]
        for number in range(1, layers + 1):
            h = given[-1] if number == 1 else np.maximum(given[-1], 0)
            given.append(h @ params[f"W{number}"] + params[f"b{number}"])
        scores = given.pop().tolist()
        largest = max(scores)
        log_sum = largest + math.log(math.fsum(math.exp(score - largest) for score in scores))
        loss += (log_sum - scores[label]) / len(y)
        back = np.array([math.exp(score - log_sum) - (c == label) for c, score in enumerate(scores)]) / len(y)
        for number in range(layers, 0, -1):
            inner = given[number - 1]
            grads[f"b{number}"] += back
            grads[f"W{number}"] += np.outer(inner if number == 1 else np.maximum(inner, 0), back)
            back = (params[f"W{number}"] @ back) * (inner > 0)
    return loss, grads


@loss_and_gradients.alternative
def _(params, x, y):
    """PyTorch's automatic differentiation, in double precision."""
    import torch

    leaves = {name: torch.tensor(each, dtype=torch.float64, requires_grad=True) for name, each in params.items()}
    scores = torch.tensor(x, dtype=torch.float64)
    for number in range(1, len(params) // 2 + 1):
        scores = (torch.relu(scores) if number > 1 else scores) @ leaves[f"W{number}"] + leaves[f"b{number}"]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y))
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


@loss_and_gradients.worked(
    "zeros everywhere: all classes equally likely", lecture="004: Loss Function: Cross-Entropy Loss"
)
def _():
    params = {"W1": np.zeros((2, 3)), "b1": np.zeros(3), "W2": np.zeros((3, 4)), "b2": np.zeros(4)}
    loss, grads = loss_and_gradients(params, np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([2, 0]))
    close(loss, math.log(4))
    close(grads["b2"], [-0.25, 0.25, -0.25, 0.25])
    close(grads["W1"], np.zeros((2, 3)))


loss_and_gradients.misconception(
    "gradients summed over the batch",
    ("mlp_backward(dscores, cache)", "mlp_backward(dscores * len(y), cache)"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
loss_and_gradients.misconception(
    "gradients averaged twice",
    ("mlp_backward(dscores, cache)", "mlp_backward(dscores / len(y), cache)"),
    hint="How often do you divide by N on the way from the loss to a gradient?",
)
loss_and_gradients.misconception(
    "loss summed over the batch",
    ("return loss, grads", "return loss * len(y), grads"),
    hint="Should the loss grow when the same examples are in the batch twice?",
)
loss_and_gradients.misconception(
    "gradients of the wrong sign",
    ("mlp_backward(dscores, cache)", "mlp_backward(-dscores, cache)"),
    hint="A small step against the gradient must make the loss smaller. Does it, with yours?",
)
loss_and_gradients.misconception(
    "softmax applied twice",
    (
        "softmax_cross_entropy(scores, y)",
        "softmax_cross_entropy(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), y)",
    ),
    hint="Does your cross-entropy take scores or probabilities? How often do the scores meet a softmax?",
)
loss_and_gradients.misconception(
    "gradient without the true class",
    ("mlp_backward(dscores, cache)", "mlp_backward(dscores + np.eye(scores.shape[1])[y] / len(y), cache)"),
    hint="What should become of the score of the true class? Your gradient of the scores is never negative.",
)


def _made_of(forward, backward):
    """Loss and gradients of a network that is computed by these two."""

    def composed(params, x, y):
        scores, cache = forward(params, x)
        loss, dscores = softmax_cross_entropy(scores, y)
        return loss, backward(dscores, cache)[0]

    return composed


# What goes wrong inside the network goes wrong here too, for those who write it all into one function.
for _each in mlp.misconceptions:
    if _each.name in (
        "no ReLU between the layers",
        "ReLU on the scores",
        "bias forgotten",
        "db not summed over the batch",
        "ReLU mask missing in backward",
        "mask taken from dout",
        "cache overwritten by the next layer",
    ):
        loss_and_gradients.wrong(_each.name, hint=_each.hint)(_made_of(*_each.names.values()))


@loss_and_gradients.wrong(
    "parameters updated on the way",
    hint="The question asks for a loss and gradients. Compare the parameters before and after.",
)
def _(params, x, y):
    loss, grads = loss_and_gradients(params, x, y)
    for name, gradient in grads.items():
        params[name] -= 0.1 * gradient
    return loss, grads
