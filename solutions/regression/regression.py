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
# # Regression and gradient descent
#
# Thirteen questions, from a straight line to the features that make it a curve: two losses with their
# gradients, four ways down, and what is done to data on the way in. Define exactly the functions asked for,
# with their arguments in the given order; add cells and helpers of your own as you like. Arrays are NumPy
# arrays, one example a row. Work with NumPy.

# %%
import numpy as np

# %% [markdown]
# ## 1. A linear model
#
# One number for each of N examples (deck 000, *Univariate Linear Regression*, here with D features):
#
# $$\hat y_n = \sum_d x_{nd}\,w_d + b$$
#
# The bias is a single number, added once to each prediction.


# %%
def linear_forward(x, w, b):
    """Predictions of a linear model.

    x: (N, D), w: (D,), b: a number. Returns (N,).
    """
    ### BEGIN SOLUTION
    return np.dot(x, w) + b
    ### END SOLUTION


# %%
print(linear_forward(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([3.0, 0.5]), 1.0))

# %% [markdown]
# ## 2. The mean squared error
#
# How far the predictions of question 1 are from their targets (deck 003, *Mean Squared Error Loss*; deck 004,
# *Loss Function: Mean Squared Error*):
#
# $$L = \frac{1}{N} \sum_n (x_n \cdot w + b - y_n)^2$$
#
# Return it with its gradient with respect to `w` and `b`. The loss is a mean, without a factor $\tfrac12$, so
# the derivative of the square keeps its 2.


# %%
def mse_loss(w, b, x, y):
    """Mean squared error of a linear model, and its gradient.

    w: (D,), b: a number, x: (N, D), y: (N,). Returns (loss, dw, db): a number, (D,), a number.
    """
    ### BEGIN SOLUTION
    count = y.shape[0]
    off = np.dot(x, w) + b - y
    loss = np.dot(off, off) / count
    return loss, np.dot(off, x) * 2.0 / count, np.sum(off) * 2.0 / count
    ### END SOLUTION


# %%
print(mse_loss(np.array([1.0]), 0.0, np.array([[1.0], [2.0]]), np.array([3.0, 3.0])))

# %% [markdown]
# ## 3. The binary cross-entropy
#
# Logistic regression predicts the probability of class 1 and pays for what it gave to the wrong class (deck
# 003, *Binary Cross Entropy Loss*):
#
# $$z_n = x_n \cdot w + b, \qquad p_n = \frac{1}{1 + e^{-z_n}}, \qquad
# L = -\frac{1}{N} \sum_n \bigl(y_n \log p_n + (1 - y_n) \log (1 - p_n)\bigr)$$
#
# The labels are 0 and 1, the logarithm is the natural one, the loss is a mean. Return it with its gradient
# with respect to `w` and `b`. Scores may be huge: the loss must be right there too, neither infinite nor
# clipped. (What is $-\log p$ in terms of $z$?)


# %%
def logistic_loss(w, b, x, y):
    """Mean binary cross-entropy of logistic regression, and its gradient.

    w: (D,), b: a number, x: (N, D), y: (N,) of 0 and 1. Returns (loss, dw, db): a number, (D,), a number.
    """
    ### BEGIN SOLUTION
    count = y.shape[0]
    z = np.dot(x, w) + b
    e = np.exp(-np.abs(z))  # never larger than 1
    loss = np.mean(np.maximum(z, 0) - y * z + np.log1p(e))
    p = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    return loss, np.dot(p - y, x) / count, np.mean(p - y)
    ### END SOLUTION


# %%
# A model that knows nothing pays log 2 = 0.693.
print(logistic_loss(np.zeros(1), 0.0, np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))

# %% [markdown]
# ## 4. A numerical gradient
#
# The gradient of any function, without a derivative on paper (deck 000, at the end of backpropagation): move
# one number at a time, to both sides,
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2 \varepsilon}$$
#
# where $e_i$ is 1 at $i$ and 0 elsewhere. `x` has any shape, and so has the answer. Use `eps` as it is given,
# even where it is large: the answer is then the difference, not the derivative.


# %%
def numerical_gradient(f, x, eps):
    """Gradient of f at x by central differences.

    f: a function of an array of the shape of x that returns a number. x: any shape. eps: a number.
    Returns an array of the shape of x.
    """
    ### BEGIN SOLUTION
    result = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = eps
        step = step.reshape(x.shape)
        result.append(f(x + step) - f(x - step))
    return np.array(result).reshape(x.shape) / (2 * eps)
    ### END SOLUTION


# %%
print(numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]), 1e-4))

# %% [markdown]
# ## 5. Gradient descent
#
# Walk against the gradient, `steps` times (deck 003, *Gradient Descent*):
#
# $$x_{t+1} = x_t - \eta\,\nabla f(x_t), \qquad x_0 = x$$
#
# `grad` is a function that returns the gradient at a point. Return all points of the way, the start first: an
# array with one row more than there are steps. Deck 000 walks down $x^2 \sin x$ from 2.5 with the learning rate
# 0.005; after 50 steps it is at 4.7027, where the function is −22.115.


# %%
def gradient_descent(grad, x, lr, steps):
    """Every point on the way down.

    grad: a function (D,) -> (D,). x: (D,), the start. lr: the learning rate. steps: how many.
    Returns (steps + 1, D): the start first, the end last.
    """
    ### BEGIN SOLUTION
    points = np.zeros((steps + 1, x.size))
    points[0] = x
    for t in range(steps):
        points[t + 1] = points[t] - lr * grad(points[t])
    return points
    ### END SOLUTION


# %%
way = gradient_descent(lambda x: 2 * x * np.sin(x) + x**2 * np.cos(x), np.array([2.5]), 0.005, 50)
print(way[[0, 10, 25, 50], 0], way[-1] ** 2 * np.sin(way[-1]))

# %% [markdown]
# ## 6. Stochastic gradient descent
#
# A step for each single example (deck 003, *Stochastic Gradient Descent*; deck 001, the slide of the same name).
# `grad(w, n)` is the gradient of the loss of example `n` alone. `order` has a row for each epoch, and says which
# example comes when; at each,
#
# $$w \leftarrow w - \eta\,\nabla L_n(w).$$
#
# (The decks draw the example at random. Here the order is given, so that everybody walks the same way.)


# %%
def stochastic_gradient_descent(grad, w, lr, order):
    """Where the walk ends that takes a step for each example.

    grad: a function of w (D,) and the number of an example that returns (D,). w: (D,), the start.
    lr: the learning rate. order: (epochs, N) integers. Returns (D,).
    """
    ### BEGIN SOLUTION
    position = w
    for n in order.flatten():
        position = position - lr * grad(position, n)
    return position
    ### END SOLUTION


# %%
centres = np.array([[4.0], [8.0]])
print(stochastic_gradient_descent(lambda w, n: w - centres[n], np.zeros(1), 0.5, np.array([[1, 0]])))

# %% [markdown]
# ## 7. Drawing minibatches
#
# One epoch: the numbers of the examples, 0 to `n` − 1, in a random order, `batch_size` at a time (deck 003,
# *Mini-batches while training*). Return a list of arrays. Each example is in exactly one batch of the epoch,
# every order is equally likely, and where `batch_size` does not divide `n` the last batch is shorter; it is
# kept. (Deck 001 draws each batch anew from all examples; that is not asked for.)
#
# `rng` is a NumPy generator, such as `np.random.default_rng(0)`. Draw from it and from nothing else: two
# generators with the same seed give the same batches. When your function is called again with the same `rng`,
# that is the next epoch, in another order. What you draw is judged by what many epochs have in common, so it
# does not matter how you use `rng`.


# %%
def minibatches(n, batch_size, rng):
    """The batches of one epoch.

    n: how many examples. batch_size: how many to a batch. rng: a numpy.random.Generator.
    Returns a list of arrays of integers, all of batch_size numbers but for the last, which may be shorter.
    """
    ### BEGIN SOLUTION
    numbers = np.arange(n)
    rng.shuffle(numbers)
    batches = []
    while len(numbers) > 0:
        batches.append(numbers[:batch_size])
        numbers = numbers[batch_size:]
    return batches
    ### END SOLUTION


# %%
rng = np.random.default_rng(0)
for epoch in range(3):
    print(minibatches(7, 3, rng))

# %% [markdown]
# ## 8. Minibatch gradient descent
#
# Train the linear model on the mean squared error (deck 001, *Minibatch Gradient Descent*). `order` has a row for
# each epoch: visit the examples in that order, `batch_size` at a time, and after each batch take the step
#
# $$w \leftarrow w - \eta\,\frac{\partial L}{\partial w}, \qquad b \leftarrow b - \eta\,\frac{\partial L}{\partial b}$$
#
# with the loss of that batch alone; both gradients belong to the point before the step. Where `batch_size` does
# not divide N, the last batch of an epoch is shorter; keep it, and take the mean over its own size.


# %%
def minibatch_gradient_descent(x, y, w, b, lr, order, batch_size):
    """Where minibatch gradient descent ends.

    x: (N, D), y: (N,), w: (D,), b: a number, lr: a number, order: (epochs, N) integers, batch_size: a number.
    Returns (w, b) after all epochs: (D,), a number.
    """
    ### BEGIN SOLUTION
    for permutation in order:
        inputs, targets = x[permutation], y[permutation]
        first = 0
        while first < len(targets):
            last = first + batch_size
            _, dw, db = mse_loss(w, b, inputs[first:last], targets[first:last])
            w, b = w - lr * dw, b - lr * db
            first = last
    return w, b
    ### END SOLUTION


# %%
points = rng.normal(size=(20, 2))
targets = points @ np.array([2.0, -1.0]) + 0.5
orders = np.array([np.concatenate(minibatches(20, 6, rng)) for _ in range(40)])
print(minibatch_gradient_descent(points, targets, np.zeros(2), 0.0, 0.1, orders, 6))

# %% [markdown]
# ## 9. Fitting a line
#
# Gradient descent on the mean squared error of *all* examples (deck 000, batch gradient descent). `w` and `b`
# start at zero; take `steps` steps with the learning rate `lr` and return where they end. With many steps this
# is the least-squares solution. (Deck 000 halves the loss and leaves the factor $x$ out of the step of $w$; use
# the loss of question 2 and its gradient.)


# %%
def fit_linear(x, y, lr, steps):
    """Linear regression by gradient descent from zero.

    x: (N, D), y: (N,), lr: a number, steps: how many. Returns (w, b): (D,), a number.
    """
    ### BEGIN SOLUTION
    w = np.zeros(x.shape[1])
    b = 0.0
    for _ in range(steps):
        loss, dw, db = mse_loss(w, b, x, y)
        w, b = w - lr * dw, b - lr * db
    return w, b
    ### END SOLUTION


# %%
print(fit_linear(points, targets, 0.1, 200))

# %% [markdown]
# ## 10. Fitting two classes
#
# The same for logistic regression: gradient descent on the binary cross-entropy of all examples (question 3),
# from `w` and `b` of zero, `steps` steps with the learning rate `lr`. Nothing is added to the loss.


# %%
def fit_logistic(x, y, lr, steps):
    """Logistic regression by gradient descent from zero.

    x: (N, D), y: (N,) of 0 and 1, lr: a number, steps: how many. Returns (w, b): (D,), a number.
    """
    ### BEGIN SOLUTION
    w = np.zeros(x.shape[1])
    b = 0.0
    for _ in range(steps):
        loss, dw, db = logistic_loss(w, b, x, y)
        w, b = w - lr * dw, b - lr * db
    return w, b
    ### END SOLUTION


# %%
print(fit_logistic(points, (targets > 0).astype(float), 0.5, 200))

# %% [markdown]
# ## 11. Standardizing
#
# Features of different units make long, narrow valleys, in which gradient descent is slow. So each feature is
# brought to mean 0 and standard deviation 1 (deck 002, normalisation of the data):
#
# $$z_{nd} = \frac{x_{nd} - \mu_d}{\sigma_d}, \qquad \mu_d = \frac{1}{N} \sum_n x_{nd}, \qquad
# \sigma_d = \sqrt{\frac{1}{N} \sum_n (x_{nd} - \mu_d)^2}$$
#
# $\mu$ and $\sigma$ are those of the **training** examples, for the test examples too. The variance divides by N.
# A feature that has the same value in all examples becomes zeros.


# %%
def standardize(train, test):
    """Both sets of examples, scaled by mean and standard deviation of the training examples.

    train: (N, D), test: (M, D). Returns (train_z, test_z) of the same shapes.
    """
    ### BEGIN SOLUTION
    mu = np.sum(train, axis=0) / len(train)
    sigma = np.sqrt(np.mean((train - mu) ** 2, axis=0))
    sigma[sigma == 0] = 1.0
    train_z = (train - mu) / sigma
    test_z = (test - mu) / sigma
    return train_z, test_z
    ### END SOLUTION


# %%
print(standardize(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 5.0]])))

# %% [markdown]
# ## 12. Scaling to [0, 1]
#
# Another way: the smallest value of each feature becomes 0 and its largest 1 (deck 002, normalisation of the data):
#
# $$z_{nd} = \frac{x_{nd} - \min_m x_{md}}{\max_m x_{md} - \min_m x_{md}}$$
#
# A feature that has the same value in all examples becomes zeros.


# %%
def min_max_scale(x):
    """Features from 0 to 1.

    x: (N, D). Returns (N, D).
    """
    ### BEGIN SOLUTION
    scaled = np.zeros(x.shape)
    for d in range(x.shape[1]):
        column = x[:, d] - np.min(x[:, d])
        if np.max(column) > 0:
            scaled[:, d] = column / np.max(column)
    return scaled
    ### END SOLUTION


# %%
print(min_max_scale(np.array([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]])))

# %% [markdown]
# ## 13. Polynomial features
#
# A linear model of the powers of a number draws a curve, and with many powers it overfits (deck 003, *The Problem
# of Overfitting*):
#
# $$\text{features}_{n,k} = x_n^{\,k}, \qquad k = 1, \dots, \text{degree}$$
#
# No column of ones: the model has a bias. The first column is $x$ itself.


# %%
def polynomial_features(x, degree):
    """Powers of each number.

    x: (N,), degree: at least 1. Returns (N, degree): x, its square, and so on.
    """
    ### BEGIN SOLUTION
    columns = [x]
    for _ in range(degree - 1):
        columns.append(columns[-1] * x)
    return np.stack(columns, axis=1)
    ### END SOLUTION


# %%
# A cubic through noisy points, fitted with everything from above.
x = np.linspace(-1.0, 1.0, 30)
y = x**3 - 0.5 * x + 0.05 * rng.normal(size=30)
features, _ = standardize(polynomial_features(x, 3), polynomial_features(x, 3))
w, b = fit_linear(features, y, 0.1, 2000)
print(mse_loss(w, b, features, y)[0])
