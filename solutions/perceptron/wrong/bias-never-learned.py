# %%
import math

import numpy as np


def weighted_sum(row, w, b=0.0):
    total = b
    for value, weight in zip(row, w):
        total = total + value * weight
    return total

# %%
def threshold_neuron(x, w, b):
    answers = []
    for row in x:
        if weighted_sum(row, w, b) < 0:
            answers.append(0.0)
        else:
            answers.append(1.0)
    return np.array(answers)

# %%
def perceptron_fit(x, y, epochs):
    w = np.zeros(x.shape[1])
    b = 0.0
    history = []
    for epoch in range(epochs):
        wrong = 0
        for row, label in zip(x, y):
            z = weighted_sum(row, w, b)
            if (z <= 0 and label == 1) or (z >= 0 and label == -1):
                w = w + label * row
                wrong = wrong + 1
        history.append(wrong)
    return w, b, np.array(history)

# %%
def xor_features(x):
    rows = []
    for x1, x2 in x:
        rows.append([x1, x2, x1 * x2])
    return np.array(rows)

# %%
def sigmoid(z):
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def logistic_neuron(x, w, b):
    return np.array([sigmoid(weighted_sum(row, w, b)) for row in x])

# %%
def delta_rule(x, t, w, lr):
    error = 0.0
    step = np.zeros(len(w))
    for row, target in zip(x, t):
        residual = target - weighted_sum(row, w)
        error = error + residual ** 2 / 2
        step = step + lr * residual * row
    return error, w + step

# %%
def logistic_delta(x, t, w, b):
    error, dw, db = 0.0, np.zeros(len(w)), 0.0
    for row, target, y in zip(x, t, logistic_neuron(x, w, b)):
        error = error + (target - y) ** 2 / 2
        slope = y * (1 - y)
        dw = dw - (target - y) * slope * row
        db = db - (target - y) * slope
    return error, dw, db

# %%
def hebb_update(x, y, w, lr):
    new = w.copy()
    for n in range(len(x)):
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                new[i, j] += lr * x[n, i] * y[n, j]
    return new
