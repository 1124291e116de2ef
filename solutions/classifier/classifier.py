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
# # Training a small image classifier
#
# Two questions: the gradients of a network with one hidden layer and dropout, and its training by AdamW. Define
# exactly what is asked for, with the arguments in the given order; add cells and helpers of your own as you like. Work
# with NumPy: PyTorch is not there when this is graded. Whatever is random comes in as an argument, so there is nothing
# to draw.

# %%
import numpy as np

# %% [markdown]
# ## 1. Loss and gradients under dropout
#
# A batch of $N$ images goes through a hidden layer with ReLU, of which a mask $m$ keeps some units for each image. What
# is kept is divided by $p$, `keep_prob`: the *inverted* form, after which nothing is left to do in testing
# (deck 002, *Dropout*):
#
# $$h = \mathrm{relu}(x W_1 + b_1) \odot \frac{m}{p}, \qquad \text{scores} = h W_2 + b_2$$
#
# The loss is the mean cross-entropy
#
# $$L = -\frac{1}{N} \sum_n \log \mathrm{softmax}(\text{scores})_{n, y_n}$$
#
# Return it with its gradient with respect to each of the four parameters. Loss and gradients are graded each by
# itself. The derivative of ReLU at exactly 0 is 0. Scores may be huge. Leave the arguments as they are.


# %%
def classifier_gradients(W1, b1, W2, b2, x, y, mask, keep_prob):
    """Loss and gradients of one batch.

    W1: (D, H), b1: (H,), W2: (H, C), b2: (C,), x: (N, D), y: (N,) integers, mask: (N, H) of zeros and ones,
    keep_prob: in (0, 1]. Returns (loss, dW1, db1, dW2, db2), each gradient in the shape of its parameter.
    """
    ### BEGIN SOLUTION
    a = x @ W1 + b1
    h = np.maximum(a, 0) * mask / keep_prob
    s = h @ W2 + b2
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    n = np.arange(len(y))
    ds = np.exp(log_p)
    ds[n, y] -= 1
    ds /= len(y)
    da = ds @ W2.T * (a > 0) * mask / keep_prob
    return -log_p[n, y].mean(), x.T @ da, da.sum(axis=0), h.T @ ds, ds.sum(axis=0)
    ### END SOLUTION


# %%
# A gradient of yours beside the slope that two losses of yours show: is the second number the first?
rng = np.random.default_rng(0)
W1, b1, W2, b2 = rng.normal(size=(4, 6)), rng.normal(size=6), rng.normal(size=(6, 3)), rng.normal(size=3)
x, y, mask = rng.normal(size=(5, 4)), np.array([0, 2, 1, 1, 0]), np.array([[1, 0, 1, 1, 0, 1]] * 5)
up, down = (classifier_gradients(W1, b1 + step, W2, b2, x, y, mask, 0.6)[0] for step in (1e-6, -1e-6))
print(classifier_gradients(W1, b1, W2, b2, x, y, mask, 0.6)[2].sum(), (up - down) / 2e-6)

# %% [markdown]
# ## 2. Training by AdamW
#
# Train that network. In epoch $e$ visit the examples in the order `order[e]`, `batch_size` at a time; example $n$ has
# the mask `masks[e, n]`. After each batch every parameter takes a step of Adam (deck 002, *Adam*), $g$ being the
# gradient of that batch's mean loss:
#
# $$t \leftarrow t + 1, \quad s \leftarrow \beta_1 s + (1 - \beta_1)\, g, \quad r \leftarrow \beta_2 r + (1 - \beta_2)\, g^2$$
#
# $$w \leftarrow w - \eta\, \frac{s / (1 - \beta_1^t)}{\sqrt{r / (1 - \beta_2^t)} + \varepsilon} - \eta\, \lambda\, w$$
#
# $s$, $r$ and $t$ are 0 before the first batch and go on from epoch to epoch. The last term is the *decoupled* weight
# decay of AdamW: it never meets the averages, and is taken from the parameters before the step. Only $W_1$ and $W_2$
# decay. All gradients of a step belong to the parameters before it. Where `batch_size` does not divide N, the last
# batch of an epoch is shorter; keep it, and take the mean over its own size.
#
# Most of the points are for the parameters after some ten steps, which must be right to the last digits: a training
# that learns can be wrong in many ways. The rest is an exam: your function is given six hundred images of digits, 8 by
# 8 pixels, shifted, turned and noised, and the network that it returns is asked, without dropout, about images that it
# has never seen. Points grow with its accuracy, from guessing to what the reference reaches.
#
# You may call your function of question 1. Where that one is wrong, this question is tried with a right one, too.


# %%
def train_classifier(params, x, y, order, masks, keep_prob, lr, beta1, beta2, eps, decay, batch_size):
    """Train a classifier with one hidden layer by AdamW.

    params: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}, x: (N, D), y: (N,) integers,
    order: (epochs, N) integers, masks: (epochs, N, H) of zeros and ones, keep_prob: in (0, 1],
    lr, beta1, beta2, eps, decay: numbers, in the formula eta, beta_1, beta_2, epsilon and lambda.
    Returns the trained parameters in a dict with the same keys and shapes.
    """
    ### BEGIN SOLUTION
    names = ["W1", "b1", "W2", "b2"]
    p = {name: np.array(params[name], dtype=float) for name in names}
    s = {name: np.zeros_like(p[name]) for name in names}
    r = {name: np.zeros_like(p[name]) for name in names}
    t = 0
    for e in range(len(order)):
        for begin in range(0, len(order[e]), batch_size):
            i = order[e][begin : begin + batch_size]
            t += 1
            _, *grads = classifier_gradients(p["W1"], p["b1"], p["W2"], p["b2"], x[i], y[i], masks[e][i], keep_prob)
            for name, g in zip(names, grads, strict=True):
                s[name] = beta1 * s[name] + (1 - beta1) * g
                r[name] = beta2 * r[name] + (1 - beta2) * g * g
                step = s[name] / (1 - beta1**t) / (np.sqrt(r[name] / (1 - beta2**t)) + eps)
                if name in ("W1", "W2"):
                    step = step + decay * p[name]
                p[name] = p[name] - lr * step
    return p
    ### END SOLUTION


# %%
# A stand-in for digits: is the upper left pixel of 2 x 2 brighter than the lower right one, or the other way round?
images = rng.uniform(size=(300, 4)) - 0.5
brighter = (images[:, 0] > images[:, 3]).astype(int)
start = {"W1": rng.normal(size=(4, 16)), "b1": np.zeros(16), "W2": 0.3 * rng.normal(size=(16, 2)), "b2": np.zeros(2)}
orders, kept = np.array([rng.permutation(300) for _ in range(20)]), (rng.random((20, 300, 16)) < 0.8) * 1.0
trained = train_classifier(start, images, brighter, orders, kept, 0.8, 0.01, 0.9, 0.999, 1e-8, 0.01, 20)
scores = np.maximum(images @ trained["W1"] + trained["b1"], 0) @ trained["W2"] + trained["b2"]
print((scores.argmax(axis=1) == brighter).mean())
