# %%
import numpy as np

# %%
def threshold_neuron(x, w, b):
    z = x @ w + b
    return (z >= 0).astype(int)

# %%
def perceptron_fit(x, y, epochs):
    N, D = x.shape
    w, b = np.zeros(D), 0
    mistakes = np.zeros(epochs, dtype=int)
    for e in range(epochs):
        for i in range(N):
            if y[i] * (x[i] @ w + b) <= 0:
                w += y[i] * x[i]
                b += y[i]
                mistakes[e] += 1
    return w, b, mistakes

# %%
def xor_features(x):
    return np.c_[x, x[:, 0] * x[:, 1]]

# %%
def logistic_neuron(x, w, b):
    z = x @ w + b
    return np.exp(z) / (1 + np.exp(z))

# %%
def delta_rule(x, t, w, lr):
    y = x @ w
    error = 0.5 * np.sum((t - y) ** 2)
    dw = lr * x.T @ (t - y)
    return error, w + dw

# %%
def logistic_delta(x, t, w, b):
    y = logistic_neuron(x, w, b)
    error = 0.5 * np.sum((t - y) ** 2)
    delta = (t - y) * y * (1 - y)
    return error, -x.T @ delta, -np.sum(delta)

# %%
def hebb_update(x, y, w, lr):
    return w + lr * x.T @ y
