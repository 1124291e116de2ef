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
# # Recurrent networks
#
# A layer that reads a sequence, one state at a time, and how the gradient goes back through time. Define exactly what
# is asked for, with the arguments in the given order; add cells and helpers of your own as you like. Work with NumPy.

# %%
import numpy as np

# %% [markdown]
# ## A recurrent layer
#
# $$h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$$
#
# with $h_0$ before the first step (deck 003, *Recurrent Neural Networks*, and deck 004). The same weights are used at
# every step, so their gradients add up over the steps; and each state is used twice, by the output and by the next
# step.


# %%
def rnn_forward(x, h0, wx, wh, b):
    """Read sequences.

    x: (N, T, D). h0: (N, H). wx: (D, H). wh: (H, H). b: (H,). Returns (out, cache): out (N, T, H), the states after
    each step, and in cache whatever you need on the way back.
    """
    ### BEGIN SOLUTION
    n, steps, _ = x.shape
    out = np.empty((n, steps, len(b)))
    h = h0
    for t in range(steps):
        h = np.tanh(x[:, t].dot(wx) + h.dot(wh) + b)
        out[:, t] = h
    return out, {"x": x, "h0": h0, "wx": wx, "wh": wh, "out": out.copy()}
    ### END SOLUTION


def rnn_backward(dout, cache):
    """Gradients of a recurrent layer, by backpropagation through time.

    dout: (N, T, H), the gradient by every state. cache: of rnn_forward. Returns (dx, dh0, dwx, dwh, db): of the
    shapes of x, h0, wx, wh and b.
    """
    ### BEGIN SOLUTION
    x, wx, wh, out = cache["x"], cache["wx"], cache["wh"], cache["out"]
    dx, dwx, dwh = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape)
    db, dh = np.zeros(len(wh)), np.zeros(dout[:, 0].shape)
    for t in reversed(range(x.shape[1])):
        before = out[:, t - 1] if t > 0 else cache["h0"]
        dsum = (dh + dout[:, t]) * (1 - out[:, t] ** 2)
        dx[:, t] = dsum @ wx.T
        dwx += x[:, t].T @ dsum
        dwh += before.T @ dsum
        db += dsum.sum(axis=0)
        dh = dsum @ wh.T
    return dx, dh, dwx, dwh, db
    ### END SOLUTION


# %%
one = np.ones((1, 1))
out, cache = rnn_forward(np.zeros((1, 2, 1)), one, one, one, np.zeros(1))
print(out.round(4).tolist())
