# %%
import numpy as np


# %%
def classifier_gradients(W1, b1, W2, b2, x, y, mask, keep_prob):
    N = x.shape[0]
    a = np.dot(x, W1) + b1
    h = np.maximum(0, a) * mask / keep_prob
    s = np.dot(h, W2) + b2
    s -= s.max(axis=1, keepdims=True)
    p = np.exp(s)
    total = p.sum(axis=1, keepdims=True)
    loss = np.sum(np.log(total[:, 0]) - s[range(N), y])
    p /= total
    p[range(N), y] -= 1
    dh = np.dot(p, W2.T)
    da = dh * mask / keep_prob * (a > 0)
    return loss, np.dot(x.T, da), da.sum(axis=0), np.dot(h.T, p), p.sum(axis=0)


# %%
def train_classifier(params, x, y, order, masks, keep_prob, lr, beta1, beta2, eps, decay, batch_size):
    p = {k: params[k].copy() for k in params}
    m = {k: 0 for k in p}
    v = {k: 0 for k in p}
    t = 0
    for e in range(len(order)):
        for i in range(0, len(y), batch_size):
            idx = order[e, i : i + batch_size]
            loss, dW1, db1, dW2, db2 = classifier_gradients(
                p["W1"], p["b1"], p["W2"], p["b2"], x[idx], y[idx], masks[e, idx], keep_prob
            )
            t += 1
            for k, g in {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}.items():
                m[k] = beta1 * m[k] + (1 - beta1) * g
                v[k] = beta2 * v[k] + (1 - beta2) * g * g
                mh = m[k] / (1 - beta1**t)
                vh = v[k] / (1 - beta2**t)
                wd = decay if k[0] == "W" else 0
                p[k] = p[k] - lr * (mh / (np.sqrt(vh) + eps) + wd * p[k])
    return p
