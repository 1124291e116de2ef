# %% [markdown]
# # Unit 3, in loops and in float32

# %%
import numpy as np

# %%
def sigmoid(x):
    # overflows to infinity far to the left, and one over infinity is the right 0
    s = 1 / (1 + np.exp(-x))
    return s, s - s**2

# %%
def tanh(x):
    return np.tanh(x), 1 / np.cosh(x) ** 2

# %%
def hard_step(x):
    return ~(x < 0)

# %%
def leaky_relu(x, alpha):
    return np.maximum(x, alpha * x), (x > 0) * (1 - alpha) + alpha

# %%
def bounded_relu(x, bound):
    def one(v):
        if v <= 0:
            return 0.0, 0.0
        if v >= bound:
            return bound, 0.0
        return v, 1.0

    both = np.array([one(v) for v in x.flatten()])
    return both[:, 0].reshape(x.shape), both[:, 1].reshape(x.shape)

# %%
def prelu_forward(x, a):
    out = x.astype(np.float32)
    for d in range(len(a)):
        out[:, d][out[:, d] <= 0] *= np.float32(a[d])
    return out, {"x": x.astype(np.float32), "a": a.astype(np.float32)}


def prelu_backward(dout, cache):
    dout = dout.astype(np.float32)
    dx, da = dout.copy(), np.zeros_like(cache["a"])
    for n, d in np.ndindex(*dout.shape):
        if cache["x"][n, d] <= 0:
            dx[n, d] *= cache["a"][d]
            da[d] += dout[n, d] * cache["x"][n, d]
    return dx, da

# %%
def rrelu(x, slopes, low, high, train):
    if not train:
        return leaky_relu(x, low + (high - low) / 2)
    below = x <= 0
    return np.where(below, slopes, 1) * x, np.where(below, slopes, 1)

# %%
def elu(x, alpha):
    # deck 002's form
    return np.maximum(0, x) + np.minimum(0, alpha * (np.exp(x) - 1)), np.where(x > 0, 1, alpha * np.exp(x))

# %%
def selu(x, lam, alpha):
    out, slope = elu(x, alpha)
    return lam * out, lam * slope

# %%
def softplus(x):
    return np.where(x > 30, x, np.log1p(np.exp(np.minimum(x, 30)))), sigmoid(x)[0]

# %%
def swish(x, beta):
    s = sigmoid(beta * x)[0]
    f = x * s
    return f, beta * f + s * (1 - beta * f)

# %%
import math


def gelu(x, form):
    out, slope = [], []
    for v in x.ravel():
        if form == "exact":
            cdf = (1 + math.erf(v / math.sqrt(2))) / 2
            pdf = math.exp(-v * v / 2) / math.sqrt(2 * math.pi)
        elif form == "tanh":
            c = math.sqrt(2 / math.pi)
            t = math.tanh(c * (v + 0.044715 * v**3))
            cdf, pdf = (1 + t) / 2, (1 - t * t) / 2 * c * (1 + 0.134145 * v * v)
        else:
            cdf, pdf = (float(part[0]) for part in sigmoid(1.702 * np.array([v])))
            pdf *= 1.702
        out.append(v * cdf)
        slope.append(cdf + v * pdf)
    return np.array(out).reshape(x.shape), np.array(slope).reshape(x.shape)

# %%
def mish(x):
    soft, soft_slope = softplus(x)
    gate, gate_slope = tanh(soft)
    return x * gate, gate + x * gate_slope * soft_slope

# %%
def maxout_forward(x, w, b):
    z = np.einsum("nd,kdm->nkm", x, w) + b
    return z.max(axis=1), (x, w, z == z.max(axis=1, keepdims=True))


def maxout_backward(dout, cache):
    x, w, on = cache
    dz = on * dout[:, None, :]  # (N, K, M)
    return np.einsum("nkm,kdm->nd", dz, w), np.einsum("nd,nkm->kdm", x, dz), dz.sum(0)

# %%
def softmax_backward(dp, p):
    rows = [(np.diag(row) - np.outer(row, row)) @ d for row, d in zip(p, dp)]
    return np.array(rows)

# %%
def log_softmax_forward(logits):
    from scipy.special import logsumexp

    out = logits - logsumexp(logits, axis=1, keepdims=True)
    return out, out


def log_softmax_backward(dout, cache):
    n, c = dout.shape
    jacobian = np.eye(c) - np.exp(cache)[:, None, :]  # (N, C, C): how out[i] changes with score j
    return np.einsum("ni,nij->nj", dout, jacobian)

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
def binary_cross_entropy(logits, targets):
    # -log(sigmoid(z)) = log(1 + exp(-z)), and -log(1 - sigmoid(z)) = log(1 + exp(z))
    cost_of_one = np.logaddexp(0.0, -logits)
    cost_of_zero = np.logaddexp(0.0, logits)
    loss = np.mean(targets * cost_of_one + (1.0 - targets) * cost_of_zero)
    p = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return loss, (p - targets) / len(targets)

# %%
def entropy(probabilities):
    possible = probabilities > 0
    surprise = np.zeros_like(probabilities)
    surprise[possible] = -np.log(probabilities[possible])
    return np.sum(probabilities * surprise, axis=1)

# %%
def kl_divergence(p, q):
    divergences = np.zeros(len(p))
    for n in range(len(p)):
        possible = p[n] > 0
        a, b = p[n][possible], q[n][possible]
        if np.any(b == 0):
            divergences[n] = np.inf
        else:
            divergences[n] = np.sum(a * np.log(a / b))
    return divergences

# %%
def categorical_cross_entropy(probabilities, targets):
    n = len(targets)
    rows, classes = np.nonzero(targets)
    t, p = targets[rows, classes], probabilities[rows, classes]
    dprobabilities = np.zeros(targets.shape)
    dprobabilities[rows, classes] = -t / (n * p)
    return -np.sum(t * np.log(p)) / n, dprobabilities

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
