# %% [markdown]
# # Activations and losses

# %%
import numpy as np

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
    n = predictions.shape[0]
    error = predictions - targets
    loss = np.sum(error * error) / n
    return loss, (2.0 / n) * error

# %%
def absolute_error(predictions, targets):
    n = predictions.shape[0]
    error = predictions - targets
    slope = (error > 0).astype(float) - (error < 0).astype(float)
    return np.sum(np.abs(error)) / n, slope / n

# %%
def huber(predictions, targets, delta):
    n = predictions.shape[0]
    error = predictions - targets
    near = np.minimum(np.abs(error), delta)  # the part of the error that is squared
    beyond = np.abs(error) - near  # and the part that is not
    loss = np.sum(0.5 * near * near + delta * beyond) / n
    return loss, np.clip(error, -delta, delta) / n

# %%
def hinge(scores, labels):
    n = len(scores)
    missing = 1.0 - labels * scores
    paying = missing > 0
    dscores = np.zeros(n)
    dscores[paying] = -labels[paying] / n
    return np.sum(missing[paying]) / n, dscores

# %%
def sigmoid_of(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def binary_cross_entropy(logits, targets):
    p = sigmoid_of(logits)
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return loss, (p - targets) / len(targets)

# %%
def entropy(probabilities):
    return -np.sum(probabilities * np.log(probabilities), axis=1)

# %%
def kl_divergence(p, q):
    return np.sum(p * (np.log(p) - np.log(q)), axis=1)

# %%
def categorical_cross_entropy(probabilities, targets):
    eps = 1e-12
    N = len(targets)
    loss = -np.sum(targets * np.log(probabilities + eps)) / N
    return loss, -targets / (probabilities + eps) / N

# %%
def label_smoothed_cross_entropy(logits, labels, smoothing):
    n, c = logits.shape
    z = logits - np.max(logits, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(z), axis=1))
    t = (1.0 - smoothing) * np.eye(c)[labels] + smoothing / c
    loss = np.mean(log_sum - np.sum(t * z, axis=1))  # the targets of a row add up to 1
    return loss, (np.exp(z - log_sum[:, None]) - t) / n

# %%
def pointwise_ranking_loss(scores, relevance, lengths):
    q, m = scores.shape
    is_real = np.arange(m)[None, :] < lengths[:, None]
    error = np.where(is_real, scores - relevance, 0.0)
    weight = 1.0 / (q * lengths[:, None])
    return np.sum(weight * error**2), 2.0 * weight * error

# %%
def pairwise_ranking_loss(scores, relevance, lengths):
    loss, dscores = 0.0, np.zeros(scores.shape)
    for q in range(len(scores)):
        n = lengths[q]
        s, y = scores[q, :n], relevance[q, :n]
        is_pair = y[:, None] > y[None, :]  # (n, n): the row's document is better than the column's
        count = np.sum(is_pair)
        if count == 0:
            continue
        gaps = s[:, None] - s[None, :]
        loss += np.sum(np.logaddexp(0.0, -gaps) * is_pair) / count
        pull = is_pair * 0.5 * (1.0 - np.tanh(0.5 * gaps)) / count
        dscores[q, :n] = np.sum(pull, axis=0) - np.sum(pull, axis=1)
    return loss / len(scores), dscores / len(scores)

# %%
def listwise_ranking_loss(scores, relevance, lengths):
    dscores = np.zeros(scores.shape)
    losses = []
    for q, n in enumerate(lengths):
        log_p = scores[q, :n] - np.logaddexp.reduce(scores[q, :n])
        t = np.exp(relevance[q, :n] - np.logaddexp.reduce(relevance[q, :n]))
        losses.append(-np.dot(t, log_p))
        dscores[q, :n] = (np.exp(log_p) - t) / len(scores)
    return np.mean(losses), dscores
