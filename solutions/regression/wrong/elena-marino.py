# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Regression and gradient descent

# %%
import numpy as np


# %% [markdown]
# ## 1. A linear model

# %%
def linear_forward(x, w, b):
    """Predictions of a linear model.

    x: (N, D), w: (D,), b: a number. Returns (N,).
    """
    return np.dot(x, w) + b


# %%
print(linear_forward(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([3.0, 0.5]), 1.0))


# %% [markdown]
# ## 2. The mean squared error

# %%
def mse_loss(w, b, x, y):
    """Mean squared error of a linear model, and its gradient.

    w: (D,), b: a number, x: (N, D), y: (N,). Returns (loss, dw, db): a number, (D,), a number.
    """
    count = y.shape[0]
    off = np.dot(x, w) + b - y
    loss = np.dot(off, off) / count
    return loss, np.dot(off, x) * 2.0 / count, np.sum(off) * 2.0 / count


# %%
print(mse_loss(np.array([1.0]), 0.0, np.array([[1.0], [2.0]]), np.array([3.0, 3.0])))


# %% [markdown]
# ## 3. The binary cross-entropy

# %%
def logistic_loss(w, b, x, y):
    """Mean binary cross-entropy of logistic regression, and its gradient.

    w: (D,), b: a number, x: (N, D), y: (N,) of 0 and 1. Returns (loss, dw, db): a number, (D,), a number.
    """
    count = y.shape[0]
    z = np.dot(x, w) + b
    e = np.exp(-np.abs(z))  # never larger than 1
    loss = np.mean(np.maximum(z, 0) - y * z + np.log1p(e))
    p = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    return loss, np.dot(p - y, x) / count, np.mean(p - y)


# %%
# A model that knows nothing pays log 2 = 0.693.
print(logistic_loss(np.zeros(1), 0.0, np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))


# %% [markdown]
# ## 4. A numerical gradient

# %%
def numerical_gradient(f, x, eps):
    """Gradient of f at x."""
    gradient = np.zeros_like(x)
    here = f(x)
    for i in np.ndindex(x.shape):
        moved = x.copy()
        moved[i] = moved[i] + eps
        gradient[i] = (f(moved) - here) / eps
    return gradient


# %%
print(numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]), 1e-4))


# %% [markdown]
# ## 5. Gradient descent

# %%
def gradient_descent(grad, x, lr, steps):
    """Every point on the way down.

    grad: a function (D,) -> (D,). x: (D,), the start. lr: the learning rate. steps: how many.
    Returns (steps + 1, D): the start first, the end last.
    """
    points = np.zeros((steps + 1, x.size))
    points[0] = x
    for t in range(steps):
        points[t + 1] = points[t] - lr * grad(points[t])
    return points


# %%
way = gradient_descent(lambda x: 2 * x * np.sin(x) + x**2 * np.cos(x), np.array([2.5]), 0.005, 50)
print(way[[0, 10, 25, 50], 0], way[-1] ** 2 * np.sin(way[-1]))


# %% [markdown]
# ## 6. Stochastic gradient descent

# %%
def stochastic_gradient_descent(grad, w, lr, order):
    """Where the walk ends that takes a step for each example.

    grad: a function of w (D,) and the number of an example that returns (D,). w: (D,), the start.
    lr: the learning rate. order: (epochs, N) integers. Returns (D,).
    """
    position = w
    for n in order.flatten():
        position = position - lr * grad(position, n)
    return position


# %%
centres = np.array([[4.0], [8.0]])
print(stochastic_gradient_descent(lambda w, n: w - centres[n], np.zeros(1), 0.5, np.array([[1, 0]])))


# %% [markdown]
# ## 7. Drawing minibatches

# %%
def minibatches(n, batch_size, rng):
    """The batches of one epoch.

    n: how many examples. batch_size: how many to a batch. rng: a numpy.random.Generator.
    Returns a list of arrays of integers, all of batch_size numbers but for the last, which may be shorter.
    """
    numbers = np.arange(n)
    rng.shuffle(numbers)
    batches = []
    while len(numbers) > 0:
        batches.append(numbers[:batch_size])
        numbers = numbers[batch_size:]
    return batches


# %%
rng = np.random.default_rng(0)
for epoch in range(3):
    print(minibatches(7, 3, rng))


# %% [markdown]
# ## 8. Minibatch gradient descent

# %%
def minibatch_gradient_descent(x, y, w, b, lr, order, batch_size):
    """Where minibatch gradient descent ends.

    x: (N, D), y: (N,), w: (D,), b: a number, lr: a number, order: (epochs, N) integers, batch_size: a number.
    Returns (w, b) after all epochs: (D,), a number.
    """
    for permutation in order:
        inputs, targets = x[permutation], y[permutation]
        first = 0
        while first < len(targets):
            last = first + batch_size
            _, dw, db = mse_loss(w, b, inputs[first:last], targets[first:last])
            w, b = w - lr * dw, b - lr * db
            first = last
    return w, b


# %%
points = rng.normal(size=(20, 2))
targets = points @ np.array([2.0, -1.0]) + 0.5
orders = np.array([np.concatenate(minibatches(20, 6, rng)) for _ in range(40)])
print(minibatch_gradient_descent(points, targets, np.zeros(2), 0.0, 0.1, orders, 6))


# %% [markdown]
# ## 9. Fitting a line

# %%
def fit_linear(x, y, lr, steps):
    """Linear regression by gradient descent from zero.

    x: (N, D), y: (N,), lr: a number, steps: how many. Returns (w, b): (D,), a number.
    """
    w = np.zeros(x.shape[1])
    b = 0.0
    for _ in range(steps):
        loss, dw, db = mse_loss(w, b, x, y)
        w, b = w - lr * dw, b - lr * db
    return w, b


# %%
print(fit_linear(points, targets, 0.1, 200))


# %% [markdown]
# ## 10. Fitting two classes

# %%
def fit_logistic(x, y, lr, steps):
    """Logistic regression by gradient descent from zero.

    x: (N, D), y: (N,) of 0 and 1, lr: a number, steps: how many. Returns (w, b): (D,), a number.
    """
    w = np.zeros(x.shape[1])
    b = 0.0
    for _ in range(steps):
        loss, dw, db = logistic_loss(w, b, x, y)
        w, b = w - lr * dw, b - lr * db
    return w, b


# %%
print(fit_logistic(points, (targets > 0).astype(float), 0.5, 200))


# %% [markdown]
# ## 11. Standardizing

# %%
def standardize(train, test):
    """Both sets of examples, scaled by mean and standard deviation of the training examples.

    train: (N, D), test: (M, D). Returns (train_z, test_z) of the same shapes.
    """
    mu = np.sum(train, axis=0) / len(train)
    sigma = np.sqrt(np.mean((train - mu) ** 2, axis=0))
    sigma[sigma == 0] = 1.0
    train_z = (train - mu) / sigma
    test_z = (test - test.mean(axis=0)) / np.maximum(test.std(axis=0), 1e-12)
    return train_z, test_z


# %%
print(standardize(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 5.0]])))


# %% [markdown]
# ## 12. Scaling to [0, 1]

# %%
def min_max_scale(x):
    """Features from 0 to 1."""
    return (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))


# %%
print(min_max_scale(np.array([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]])))


# %% [markdown]
# ## 13. Polynomial features

# %%
def polynomial_features(x, degree):
    """Powers of each number.

    x: (N,), degree: at least 1. Returns (N, degree): x, its square, and so on.
    """
    columns = [x]
    for _ in range(degree - 1):
        columns.append(columns[-1] * x)
    return np.stack(columns, axis=1)


# %%
# A cubic through noisy points, fitted with everything from above.
x = np.linspace(-1.0, 1.0, 30)
y = x**3 - 0.5 * x + 0.05 * rng.normal(size=30)
features, _ = standardize(polynomial_features(x, 3), polynomial_features(x, 3))
w, b = fit_linear(features, y, 0.1, 2000)
print(mse_loss(w, b, features, y)[0])
