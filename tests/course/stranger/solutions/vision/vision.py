# %% [markdown]
# # Images, embeddings and a layer of one's own

# %%
import numpy as np

# %%
def conv2d(images, filters, bias, stride=1):
    """Filter images with channels last. images: (N, H, W, C). filters: (KH, KW, C, F). bias: (F,)."""
    ### BEGIN SOLUTION
    KH, KW, C, F = filters.shape
    N, H, W, _ = images.shape
    Ho, Wo = (H - KH) // stride + 1, (W - KW) // stride + 1
    maps = np.zeros((N, Ho, Wo, F)) + bias
    for i in range(KH):
        for j in range(KW):
            maps += images[:, i : i + stride * (Ho - 1) + 1 : stride, j : j + stride * (Wo - 1) + 1 : stride] @ filters[i, j]
    return maps
    ### END SOLUTION


# %%
def two_layer_loss(x, y, params):
    """The mean cross-entropy and a dict of gradients. x: (N, D). y: (N,). params: W1, b1, W2, b2."""
    ### BEGIN SOLUTION
    W1, b1, W2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    a = x @ W1 + b1
    h = a * (a > 0)
    s = h @ W2 + b2
    s -= s.max(axis=1)[:, None]
    p = np.exp(s)
    totals = p.sum(axis=1)[:, None]
    loss = np.mean(np.log(totals[:, 0]) - s[range(len(y)), y])
    ds = (p / totals - np.eye(s.shape[1])[y]) / len(y)
    da = ds @ W2.T * (a > 0)
    return loss, {"W2": h.T @ ds, "b2": ds.sum(0), "W1": x.T @ da, "b1": da.sum(0)}
    ### END SOLUTION


# %%
def rms_fwd(x, gain, eps):
    """Returns out, of the shape of x, and a cache. x: (N, D). gain: (D,)."""
    ### BEGIN SOLUTION
    r = 1 / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + eps)
    return x * r * gain, (x, r, gain)
    ### END SOLUTION


def rms_bwd(dout, cache):
    """Returns the gradients by x and gain."""
    ### BEGIN SOLUTION
    x, r, gain = cache
    g = dout * gain
    return r * g - x * r**3 * np.mean(g * x, axis=1, keepdims=True), np.sum(dout * x * r, axis=0)
    ### END SOLUTION


# %%
def triplet_loss(anchor, positive, negative, margin):
    """Returns the loss and its gradients by anchor, positive and negative, all (N, D)."""
    ### BEGIN SOLUTION
    gap = np.sum((anchor - positive) ** 2 - (anchor - negative) ** 2, axis=1) + margin
    on = (gap > 0).astype(float)[:, None] * 2 / len(gap)
    return np.clip(gap, 0, None).mean(), on * (negative - positive), on * (positive - anchor), on * (anchor - negative)
    ### END SOLUTION


# %%
class Linear:
    """y = x W + b; backward returns the gradient by x, and keeps those of W and b in dW and db."""

    ### BEGIN SOLUTION
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.seen = x
        return np.dot(x, self.W) + self.b

    def backward(self, dy):
        self.dW = np.dot(self.seen.T, dy)
        self.db = np.sum(dy, axis=0)
        return np.dot(dy, self.W.T)
    ### END SOLUTION
