# %%
import numpy as np


# %%
def onehot(y, k):
    out = np.zeros((y.size, k))
    out[np.arange(y.size), y] = 1
    return out


def classifier_gradients(W1, b1, W2, b2, x, y, mask, keep_prob):
    scale = mask / keep_prob
    z1 = x.dot(W1) + b1
    h = z1.clip(0) * scale
    z2 = h.dot(W2) + b2
    top = z2.max(axis=1)
    lse = top + np.log(np.exp(z2 - top[:, None]).sum(axis=1))
    t = onehot(y, z2.shape[1])
    loss = np.mean(lse - (z2 * t).sum(axis=1))
    d2 = (np.exp(z2 - lse[:, None]) - t) / y.size
    d1 = d2.dot(W2.T) * (h > 0) * scale  # where h is above 0 the unit was on and kept
    return loss, x.T.dot(d1), d1.sum(0), h.T.dot(d2), d2.sum(0)


# %%
class AdamW:
    def __init__(self, lr, beta1, beta2, eps, decay):
        self.lr, self.beta1, self.beta2, self.eps, self.decay = lr, beta1, beta2, eps, decay
        self.m = self.v = self.t = 0

    def step(self, w, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        w = w * (1 - self.lr * self.decay)
        m_hat, v_hat = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return w - self.lr * m_hat / (v_hat**0.5 + self.eps)


def train_classifier(params, x, y, order, masks, keep_prob, lr, beta1, beta2, eps, decay, batch_size):
    theta = dict(params)
    rules = {k: AdamW(lr, beta1, beta2, eps, decay if theta[k].ndim == 2 else 0) for k in theta}
    for perm, mask in zip(order, masks):
        xs, ys, ms = x[perm], y[perm], mask[perm]
        while len(ys):
            grads = classifier_gradients(
                theta["W1"], theta["b1"], theta["W2"], theta["b2"],
                xs[:batch_size], ys[:batch_size], ms[:batch_size], keep_prob,
            )
            for k, g in zip(["W1", "b1", "W2", "b2"], grads[1:]):
                theta[k] = rules[k].step(theta[k], g)
            xs, ys, ms = xs[batch_size:], ys[batch_size:], ms[batch_size:]
    return theta
