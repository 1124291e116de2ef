# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Optimisers

# %%
import numpy as np
import torch

# %% [markdown]
# ## 1. Stochastic gradient descent


# %%
def sgd(w, dw, state, lr):
    """A step of stochastic gradient descent.

    w, dw: arrays of one shape. Returns (w, state).
    """
    return np.subtract(w, np.multiply(lr, dw)), state


# %%
print(sgd(np.array([1.0, -2.0]), np.array([0.5, 1.0]), None, 0.5))

# %% [markdown]
# ## 2. Momentum


# %%
def momentum(w, dw, state, lr, decay):
    """A step of gradient descent with momentum.

    w, dw: arrays of one shape. Returns (w, state).
    """
    v = np.zeros_like(w)
    v = decay * v - lr * dw
    return w + v, v


# %%
w, state = np.array([1.0]), None
for _ in range(3):
    w, state = momentum(w, np.array([2.0]), state, 0.5, 0.5)
    print(w)

# %% [markdown]
# ## 3. Nesterov's momentum


# %%
def nesterov(w, grad, state, lr, decay):
    """A step with Nesterov's momentum.

    w: an array. grad: a function of such an array that returns the gradient there. Returns (w, state).
    """
    kept_speed = decay * (np.zeros(np.shape(w)) if state is None else state)
    speed = kept_speed - lr * grad(w + kept_speed)
    return w + speed, speed


# %%
w, state = np.array([4.0]), None
for _ in range(3):
    w, state = nesterov(w, lambda w: w, state, 0.5, 0.5)
    print(w)

# %% [markdown]
# ## 4. AlexNet's update


# %%
def alexnet_update(w, dw, state, lr, momentum, decay):
    """The update that AlexNet was trained with.

    w, dw: arrays of one shape. Returns (w, state).
    """
    v = 0 if state is None else state
    v = momentum * v - decay * w - lr * dw
    return w + v


# %%
print(alexnet_update(np.array([2.0]), np.array([3.0]), None, 0.01, 0.9, 0.0005))

# %% [markdown]
# ## 5. Adagrad


# %%
def adagrad(w, dw, state, lr, eps):
    """A step of Adagrad.

    w, dw: arrays of one shape. Returns (w, state).
    """
    total = np.square(dw) + (0 if state is None else state["total"])
    return w - lr * (dw / (total**0.5 + eps)), {"total": total}


# %%
print(adagrad(np.array([1.0]), np.array([3.0]), None, 0.5, 1.0))

# %% [markdown]
# ## 6. RMSProp


# %%
def rmsprop(w, dw, state, lr, rho, eps):
    """A step of RMSProp.

    w, dw: arrays of one shape. Returns (w, state).
    """
    average = 0 if state is None else state
    average = rho * average + dw**2
    return w - lr * dw / (np.sqrt(average) + eps), average


# %%
print(rmsprop(np.array([1.0]), np.array([4.0]), None, 0.5, 0.75, 1.0))

# %% [markdown]
# ## 7. RMSProp with Nesterov's momentum


# %%
def rmsprop_nesterov(w, grad, state, lr, rho, momentum, eps):
    """A step of RMSProp with Nesterov's momentum.

    w: an array. grad: a function of such an array that returns the gradient there. Returns (w, state).
    """
    nothing = np.zeros(np.shape(w))
    memory = {"average": nothing, "speed": nothing} if state is None else state
    kept_speed = momentum * memory["speed"]
    slope = np.asarray(grad(w + kept_speed))
    average = rho * memory["average"] + (1 - rho) * slope * slope
    speed = kept_speed - lr * slope / (average**0.5 + eps)
    return w + speed, {"average": average, "speed": speed}


# %%
print(rmsprop_nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.75, 0.5, 1.0))

# %% [markdown]
# ## 8. Adadelta


# %%
def adadelta(w, dw, state, lr, rho, eps):
    """A step of Adadelta.

    w, dw: arrays of one shape. Returns (w, state).
    """
    r = state["r"]
    s = state["s"]
    r = rho * r + (1 - rho) * dw**2
    step = dw * np.sqrt(s + eps) / np.sqrt(r + eps)
    s = rho * s + (1 - rho) * step**2
    return w - lr * step, {"r": r, "s": s}


# %%
print(adadelta(np.array([1.0]), np.array([2.0]), None, 1.0, 0.75, 3.0))

# %% [markdown]
# ## 9. Adam


# %%
def adam(w, dw, state, lr, beta1, beta2, eps):
    """A step of Adam.

    w, dw: arrays of one shape. Returns (w, state).
    """
    if state is None:
        state = {"step": 0, "first": np.zeros(np.shape(w)), "second": np.zeros(np.shape(w))}
    step = state["step"] + 1
    first = state["first"] + (1 - beta1) * (dw - state["first"])
    second = state["second"] + (1 - beta2) * (np.square(dw) - state["second"])
    direction = first / (1 - beta1**step)
    scale = np.sqrt(second / (1 - beta2**step)) + eps
    return w - lr * direction / scale, {"step": step, "first": first, "second": second}


# %%
# Where eps is tiny, the first step has the length of the learning rate, whatever the slope.
print(adam(np.array([2.0]), np.array([1000.0]), None, 0.1, 0.9, 0.999, 1e-8)[0])

# %% [markdown]
# ## 10. AdamW


# %%
def adamw(w, dw, state, lr, beta1, beta2, eps, decay):
    """A step of AdamW.

    w, dw: arrays of one shape. Returns (w, state).
    """
    count, mean, square = state if state is not None else (0, 0.0, 0.0)
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dw
    square = beta2 * square + (1 - beta2) * dw * dw
    move = mean / (1 - beta1**count) / (np.sqrt(square / (1 - beta2**count)) + eps)
    return w - lr * (move + decay * w), (count, mean, square)


# %%
print(adamw(np.array([2.0]), np.array([0.0]), None, 0.1, 0.9, 0.999, 1e-8, 0.5)[0])

# %% [markdown]
# ## 11. Clipping by norm


# %%
def clip_gradient_norm(grads, threshold):
    """Gradients whose common norm is at most the threshold.

    grads: a list of arrays. Returns such a list.
    """
    length = np.linalg.norm([np.linalg.norm(g) for g in grads])
    if length <= threshold:
        return [np.copy(g) for g in grads]
    return [np.asarray(g) / length * threshold for g in grads]


# %%
print(clip_gradient_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 2.5))

# %% [markdown]
# ## 12. Clipping by value


# %%
def clip_gradient_value(dw, limit):
    """A gradient with entries between -limit and limit.

    dw: an array. Returns a new one of that shape.
    """
    return np.minimum(np.maximum(dw, -limit), limit)


# %%
print(clip_gradient_value(np.array([0.5, -3.0, 2.0]), 1.0))

# %% [markdown]
# ## 13. Learning rates in stairs


# %%
def step_decay(lr, factor, every, steps):
    """Learning rates that fall in stairs.

    Returns (T,), T being steps.
    """
    return np.array([lr * factor ** (t // every) for t in range(steps)])


# %%
print(step_decay(0.8, 0.5, 2, 5))

# %% [markdown]
# ## 14. Learning rates on a line


# %%
def linear_decay(lr, end, decay_steps, steps):
    """Learning rates on a line that ends.

    Returns (T,), T being steps.
    """
    rates = np.full(steps, float(end))
    for t in range(min(steps, decay_steps)):
        rates[t] = lr + (end - lr) * t / decay_steps
    return rates


# %%
print(linear_decay(1.0, 0.5, 2, 4))

# %% [markdown]
# ## 15. Learning rates as 1/t


# %%
def inverse_time_decay(lr, decay, steps):
    """Learning rates that fall as 1/t.

    Returns (T,), T being steps.
    """
    return np.array([lr / (1.0 + t * decay) for t in range(steps)])


# %%
print(inverse_time_decay(1.0, 1.0, 4))

# %% [markdown]
# ## 16. Learning rates on a cosine


# %%
def cosine_decay(lr, end, steps):
    """Learning rates on half a cosine.

    Returns (T,), T being steps.
    """
    angle = np.linspace(0.0, np.pi, steps, endpoint=False)
    return (lr + end) / 2 + (lr - end) / 2 * np.cos(angle)


# %%
print(cosine_decay(1.0, 0.0, 4))

# %% [markdown]
# ## 17. Warm-up


# %%
def linear_warmup(lr, warmup, steps):
    """Learning rates that rise on a line, and then stay.

    Returns (T,), T being steps.
    """
    rising = lr * np.arange(1, warmup + 1) / warmup
    return np.concatenate([rising, np.full(steps, lr)])[:steps]


# %%
print(linear_warmup(1.0, 4, 6))

# %% [markdown]
# ## 18. SGDR: warm restarts


# %%
def cosine_restarts(lr, end, first, growth, steps):
    """Learning rates of SGDR.

    Returns (T,), T being steps.
    """
    rates, length, place = [], first, 0
    for _ in range(steps):
        rates.append(end + (lr - end) * (1 + np.cos(np.pi * place / length)) / 2)
        place += 1
        if place == length:
            length, place = length * growth, 0
    return np.array(rates)


# %%
print(cosine_restarts(1.0, 0.0, 2, 2, 6))

# %% [markdown]
# ## 19. An optimiser for PyTorch


# %%
class MomentumSGD(torch.optim.Optimizer):
    """Stochastic gradient descent with momentum."""

    def __init__(self, params, lr, momentum):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """One step for every parameter that has a gradient."""
        for group in self.param_groups:
            used = [p for p in group["params"] if p.grad is not None]
            for p in used:
                memory = self.state[p]
                if "speed" not in memory:
                    memory["speed"] = torch.zeros_like(p)
                memory["speed"].mul_(group["momentum"]).sub_(group["lr"] * p.grad)
                p.add_(memory["speed"])


# %%
p = torch.nn.Parameter(torch.tensor([1.0]))
optimizer = MomentumSGD([p], lr=0.5, momentum=0.5)
for _ in range(2):
    p.grad = torch.tensor([2.0])
    optimizer.step()
    print(p.tolist())
