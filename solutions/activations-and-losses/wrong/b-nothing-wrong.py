# %% [markdown]
# # All in other words

# %%
import numpy as np
from scipy.special import entr, expit, log_expit, rel_entr, xlogy
from scipy.special import log_softmax as log_softmax_of
from scipy.special import softmax as softmax_of

# %%
def sigmoid(x):
    e = np.exp(-np.abs(x))  # never more than 1
    out = np.where(x < 0, e / (1 + e), 1 / (1 + e))
    return out, out * (1 - out)

# %%
def tanh(x):
    t = np.tanh(x)
    return t, 1 - t * t

# %%
def hard_step(x):
    return (x >= 0).astype(float)

# %%
def leaky_relu(x, alpha):
    slope = np.full(x.shape, alpha)
    slope[x > 0] = 1.0
    return slope * x, slope

# %%
def bounded_relu(x, bound):
    out = np.clip(x, 0.0, bound)
    between = np.logical_and(out > 0, out < bound)
    return out, between.astype(float)

# %%
def prelu_forward(x, a):
    positive, negative = np.maximum(x, 0), np.minimum(x, 0)
    return positive + a * negative, (negative, x > 0, a)


def prelu_backward(dout, cache):
    negative, is_on, a = cache
    dx = dout * (is_on + a * ~is_on)
    da = np.sum(dout * negative, axis=0)
    return dx, da

# %%
def rrelu(x, slopes, low, high, train):
    a = slopes if train else 0.5 * (low + high)
    slope = np.where(x > 0, 1.0, a)
    return slope * x, slope

# %%
def elu(x, alpha):
    e = alpha * np.exp(np.minimum(x, 0.0))
    on = x > 0
    return np.where(on, x, e - alpha), np.where(on, 1.0, e)

# %%
def selu(x, lam, alpha):
    out, slope = elu(x, alpha)
    return lam * out, lam * slope

# %%
def softplus(x):
    out = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    slope, _ = sigmoid(x)
    return out, slope

# %%
def swish(x, beta):
    gate, gate_slope = sigmoid(beta * x)
    return x * gate, gate + x * beta * gate_slope

# %%
def gelu(x, form):
    if form == "sigmoid":
        return swish(x, 1.702)
    if form == "tanh":
        c = np.sqrt(2 / np.pi)
        t, t_slope = tanh(c * x + c * 0.044715 * x**3)
        inner = c + 3 * c * 0.044715 * x**2
        return x * (1 + t) / 2, (1 + t) / 2 + x * t_slope * inner / 2
    from scipy.special import erf

    below = 0.5 + 0.5 * erf(x / 2**0.5)
    density = np.exp(-0.5 * x * x) / (2 * np.pi) ** 0.5
    return x * below, below + x * density

# %%
def mish(x):
    soft, soft_slope = softplus(x)
    gate, gate_slope = tanh(soft)
    return x * gate, gate + x * gate_slope * soft_slope

# %%
def maxout_forward(x, w, b):
    pieces = np.stack([np.dot(x, w[k]) + b[k] for k in range(w.shape[0])])
    winner = np.argmax(pieces, axis=0)
    return np.max(pieces, axis=0), (x, w, winner)


def maxout_backward(dout, cache):
    x, w, winner = cache
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros((w.shape[0], w.shape[2]))
    for k in range(w.shape[0]):
        d = dout * (winner == k)
        dx += np.dot(d, w[k].T)
        dw[k] = np.dot(x.T, d)
        db[k] = np.sum(d, axis=0)
    return dx, dw, db

# %%
def softmax_backward(dp, p):
    weighted = p * dp
    return weighted - p * np.sum(weighted, axis=1, keepdims=True)

# %%
def log_softmax_forward(logits):
    top = np.max(logits, axis=1, keepdims=True)
    total = np.sum(np.exp(logits - top), axis=1, keepdims=True)
    out = logits - top - np.log(total)
    return out, np.exp(logits - top) / total


def log_softmax_backward(dout, cache):
    p = cache
    return dout - p * np.sum(dout, axis=1, keepdims=True)

# %%
def squared_error(predictions, targets):
    rows = [np.dot(p - t, p - t) for p, t in zip(predictions, targets)]
    return sum(rows) / len(rows), np.array([2 * (p - t) / len(rows) for p, t in zip(predictions, targets)])

# %%
def absolute_error(predictions, targets):
    r = (predictions - targets).astype(np.float32)
    return np.float32(np.abs(r).sum(axis=1).mean()), np.sign(r) / np.float32(len(r))

# %%
def huber(predictions, targets, delta):
    from scipy.special import huber as scipy_huber

    r = predictions - targets
    return scipy_huber(delta, r).sum() / len(r), np.clip(r, -delta, delta) / len(r)

# %%
def hinge(scores, labels):
    pays = labels * scores < 1
    return ((1 - labels * scores) * pays).mean(), -labels * pays / len(labels)

# %%
def binary_cross_entropy(logits, targets):
    loss = -(targets * log_expit(logits) + (1 - targets) * log_expit(-logits)).mean()
    return loss, (expit(logits) - targets) / len(targets)

# %%
def entropy(probabilities):
    return entr(probabilities).sum(axis=1)

# %%
def kl_divergence(p, q):
    return rel_entr(p, q).sum(axis=1)

# %%
def categorical_cross_entropy(probabilities, targets):
    n = len(targets)
    grad = np.zeros(targets.shape)
    np.divide(-targets, probabilities, out=grad, where=targets != 0)
    return -xlogy(targets, probabilities).sum() / n, grad / n

# %%
def label_smoothed_cross_entropy(logits, labels, smoothing):
    N, C = logits.shape
    hard = np.zeros((N, C))
    hard[np.arange(N), labels] = 1
    log_p = log_softmax_of(logits, axis=1)
    # one part of the loss looks at the label, the other one at all classes alike
    loss = -((1 - smoothing) * log_p[hard == 1].mean() + smoothing * log_p.mean())
    return loss, (np.exp(log_p) - (1 - smoothing) * hard - smoothing / C) / N

# %%
def pointwise_ranking_loss(scores, relevance, lengths):
    q, m = scores.shape
    is_real = np.arange(m)[None, :] < lengths[:, None]
    error = np.where(is_real, scores - relevance, 0.0)
    weight = 1.0 / (q * lengths[:, None])
    return np.sum(weight * error**2), 2.0 * weight * error

# %%
def pairwise_ranking_loss(scores, relevance, lengths):
    loss, dscores = 0, np.zeros(scores.shape)
    for q, n in enumerate(lengths):
        pairs = [(i, j) for i in range(n) for j in range(n) if relevance[q, i] > relevance[q, j]]
        for i, j in pairs:
            gap = scores[q, i] - scores[q, j]
            loss -= log_expit(gap) / len(pairs) / len(scores)
            dscores[q, i] -= expit(-gap) / len(pairs) / len(scores)
            dscores[q, j] += expit(-gap) / len(pairs) / len(scores)
    return loss, dscores

# %%
def listwise_ranking_loss(scores, relevance, lengths):
    real = np.arange(scores.shape[1]) < np.reshape(lengths, (-1, 1))
    t = softmax_of(np.where(real, relevance, -np.inf), axis=1)
    log_p = log_softmax_of(np.where(real, scores, -np.inf), axis=1)
    loss = -np.sum(t[real] * log_p[real]) / len(scores)
    return loss, np.where(real, np.exp(log_p) - t, 0) / len(scores)
