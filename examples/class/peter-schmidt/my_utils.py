"""Schichten, die ich in mehreren Notebooks brauche."""
import numpy as np


def softmax(logits):
    e = np.exp(logits - np.max(logits, axis=1).reshape(-1, 1))
    return np.einsum('nc,n->nc', e, 1.0 / e.sum(axis=1))


def affine_forward(x, w, b):
    x1 = np.hstack([x, np.ones((len(x), 1))])
    w1 = np.vstack([w, b])
    return x1 @ w1, (x1, w1)

def affine_backward(dout, cache):
    x1, w1 = cache
    dw1 = x1.T @ dout
    dx1 = dout @ w1.T
    return dx1[:, :-1], dw1[:-1], dw1[-1]


def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, cache):
    return dout * (cache > 0)
