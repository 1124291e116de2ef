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
# # Optimisers
#
# Ten ways to step down a slope, two ways to shorten a gradient, six ways to change the learning rate, and one
# optimiser for PyTorch. Define exactly the functions asked for, with their arguments in the given order; add cells
# and helpers of your own as you like. Work with NumPy, and in the last question with PyTorch.
#
# **Update rules.** A rule makes one step: `w, state = rule(w, dw, state, ...)`.
#
# - `w` is an array of any shape, `()` included, and `dw` the gradient there, of the same shape. Two of the rules
#   need the gradient at another place; they are given `grad`, a function of the parameters, in place of `dw`.
# - `state` is whatever your rule wants to remember. It is `None` before the first step; after that it is what your
#   last step returned. Nobody else looks into it, so its form is yours.
# - Return new parameters. The arrays that you are given belong to the caller: leave them as they were, also when
#   a later step changes your state.
#
# Grading follows several steps: the first one, then all the others, and what became of the caller's arrays.
# Squares, roots and quotients of arrays are meant entry by entry.

# %%
import numpy as np
import torch

# %% [markdown]
# ## 1. Stochastic gradient descent
#
# A step against the gradient of a minibatch (deck 003, *Stochastic Gradient Descent*):
#
# $$w \leftarrow w - \eta\,\nabla$$
#
# There is nothing to remember; return the state as it came.


# %%
def sgd(w, dw, state, lr):
    """A step of stochastic gradient descent.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    return np.subtract(w, np.multiply(lr, dw)), state
    ### END SOLUTION


# %%
print(sgd(np.array([1.0, -2.0]), np.array([0.5, 1.0]), None, 0.5))

# %% [markdown]
# ## 2. Momentum
#
# A ball that rolls keeps a part of its speed (deck 002, on momentum, with $v$ written out over three steps):
#
# $$v \leftarrow \lambda v - \eta\,\nabla, \qquad w \leftarrow w + v, \qquad v = 0 \text{ at the start}$$
#
# `decay` is $\lambda$. The learning rate is inside of $v$.


# %%
def momentum(w, dw, state, lr, decay):
    """A step of gradient descent with momentum.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    memory = state or {"speed": np.zeros(np.shape(w))}
    speed = memory["speed"] * decay - dw * lr
    return speed + w, {"speed": speed}
    ### END SOLUTION


# %%
w, state = np.array([1.0]), None
for _ in range(3):
    w, state = momentum(w, np.array([2.0]), state, 0.5, 0.5)
    print(w)

# %% [markdown]
# ## 3. Nesterov's momentum
#
# The speed will carry the parameters on in any case, so ask for the slope there (deck 002, *Nesterov*):
#
# $$\tilde w = w + \lambda v, \qquad v \leftarrow \lambda v - \eta\,\nabla(\tilde w), \qquad w \leftarrow w + v$$
#
# `grad` is the function $\nabla$: call it with an array of the shape of `w`. What you return is $w$, not $\tilde w$.


# %%
def nesterov(w, grad, state, lr, decay):
    """A step with Nesterov's momentum.

    w: an array. grad: a function of such an array that returns the gradient there. Returns (w, state).
    """
    ### BEGIN SOLUTION
    kept_speed = decay * (np.zeros(np.shape(w)) if state is None else state)
    speed = kept_speed - lr * grad(w + kept_speed)
    return w + speed, speed
    ### END SOLUTION


# %%
w, state = np.array([4.0]), None
for _ in range(3):
    w, state = nesterov(w, lambda w: w, state, 0.5, 0.5)
    print(w)

# %% [markdown]
# ## 4. AlexNet's update
#
# Momentum with a decay of the parameters inside of it (deck 004, *Train a Deep Neural Network with SGD*):
#
# $$v \leftarrow \mu v - \gamma\,\eta\,w - \eta\,\nabla, \qquad w \leftarrow w + v$$
#
# `momentum` is $\mu$, 0.9 in the deck, and `decay` is $\gamma$, 0.0005 in the deck.


# %%
def alexnet_update(w, dw, state, lr, momentum, decay):
    """The update that AlexNet was trained with.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    pull = lr * (decay * w + dw)
    speed = -pull if state is None else momentum * state - pull
    return w + speed, speed
    ### END SOLUTION


# %%
print(alexnet_update(np.array([2.0]), np.array([3.0]), None, 0.01, 0.9, 0.0005))

# %% [markdown]
# ## 5. Adagrad
#
# Every parameter has a learning rate of its own, which shrinks with the slope that it has met so far (deck 002,
# *Adagrad*):
#
# $$r \leftarrow r + \nabla^2, \qquad w \leftarrow w - \frac{\eta}{\sqrt r + \epsilon}\,\nabla$$
#
# $r$ is 0 at the start, and $\epsilon$ (`eps`) is outside of the root.


# %%
def adagrad(w, dw, state, lr, eps):
    """A step of Adagrad.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    total = np.square(dw) + (0 if state is None else state["total"])
    return w - lr * (dw / (total**0.5 + eps)), {"total": total}
    ### END SOLUTION


# %%
print(adagrad(np.array([1.0]), np.array([3.0]), None, 0.5, 1.0))

# %% [markdown]
# ## 6. RMSProp
#
# Adagrad never forgets; an average does (deck 002, *RMSProp*):
#
# $$r \leftarrow \rho\,r + (1 - \rho)\,\nabla^2, \qquad w \leftarrow w - \frac{\eta}{\sqrt r + \epsilon}\,\nabla$$
#
# $r$ is 0 at the start, and $\epsilon$ is outside of the root. (The first of the deck's slides lets the average
# begin with the first square, and has no $\epsilon$; here it begins at 0, as in its algorithm.)


# %%
def rmsprop(w, dw, state, lr, rho, eps):
    """A step of RMSProp.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    average = (1 - rho) * np.multiply(dw, dw)
    if state is not None:
        average = average + rho * state
    return w - np.divide(lr * dw, np.sqrt(average) + eps), average
    ### END SOLUTION


# %%
print(rmsprop(np.array([1.0]), np.array([4.0]), None, 0.5, 0.75, 1.0))

# %% [markdown]
# ## 7. RMSProp with Nesterov's momentum
#
# Both together (deck 002, *RMSProp+ Nesterov*):
#
# $$g = \nabla(w + \mu v), \qquad r \leftarrow \rho\,r + (1 - \rho)\,g^2, \qquad
# v \leftarrow \mu v - \frac{\eta}{\sqrt r + \epsilon}\,g, \qquad w \leftarrow w + v$$
#
# `momentum` is $\mu$; $r$ and $v$ are 0 at the start. $\epsilon$, outside of the root, is not in the deck: with it, a
# parameter without slope stays where it is.


# %%
def rmsprop_nesterov(w, grad, state, lr, rho, momentum, eps):
    """A step of RMSProp with Nesterov's momentum.

    w: an array. grad: a function of such an array that returns the gradient there. Returns (w, state).
    """
    ### BEGIN SOLUTION
    nothing = np.zeros(np.shape(w))
    memory = {"average": nothing, "speed": nothing} if state is None else state
    kept_speed = momentum * memory["speed"]
    slope = np.asarray(grad(w + kept_speed))
    average = rho * memory["average"] + (1 - rho) * slope * slope
    speed = kept_speed - lr * slope / (average**0.5 + eps)
    return w + speed, {"average": average, "speed": speed}
    ### END SOLUTION


# %%
print(rmsprop_nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.75, 0.5, 1.0))

# %% [markdown]
# ## 8. Adadelta
#
# Named in decks 002 and 003 (*Gradient Descent Algorithms*), without a formula. Zeiler's: how far the parameters
# moved lately, over how steep it was lately,
#
# $$r \leftarrow \rho\,r + (1 - \rho)\,\nabla^2, \qquad
# \Delta = \frac{\sqrt{s + \epsilon}}{\sqrt{r + \epsilon}}\,\nabla,$$
#
# $$s \leftarrow \rho\,s + (1 - \rho)\,\Delta^2, \qquad w \leftarrow w - \eta\,\Delta$$
#
# in this order; $r$ and $s$ are 0 at the start. Here $\epsilon$ is inside of both roots, and $\Delta$ goes into its
# average without the learning rate.


# %%
def adadelta(w, dw, state, lr, rho, eps):
    """A step of Adadelta.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    steepness, distance = state if state else (np.zeros(np.shape(w)), np.zeros(np.shape(w)))
    steepness = rho * steepness + (1 - rho) * np.square(dw)
    move = np.sqrt((distance + eps) / (steepness + eps)) * dw
    distance = rho * distance + (1 - rho) * np.square(move)
    return w - lr * move, (steepness, distance)
    ### END SOLUTION


# %%
print(adadelta(np.array([1.0]), np.array([2.0]), None, 1.0, 0.75, 3.0))

# %% [markdown]
# ## 9. Adam
#
# An average of the gradients over the root of an average of their squares (deck 002, *Adam*). Both start at 0, which
# makes them too small at first; the corrections make up for it. Step number $t = 1, 2, \ldots$:
#
# $$s \leftarrow \beta_1 s + (1 - \beta_1)\,\nabla, \qquad r \leftarrow \beta_2 r + (1 - \beta_2)\,\nabla^2, \qquad
# \hat s = \frac{s}{1 - \beta_1^t}, \qquad \hat r = \frac{r}{1 - \beta_2^t},$$
# $$w \leftarrow w - \eta\,\frac{\hat s}{\sqrt{\hat r} + \epsilon}$$
#
# $\epsilon$ is outside of the root. The deck calls the rates $\rho_1$ and $\rho_2$.


# %%
def adam(w, dw, state, lr, beta1, beta2, eps):
    """A step of Adam.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    if state is None:
        state = {"step": 0, "first": np.zeros(np.shape(w)), "second": np.zeros(np.shape(w))}
    step = state["step"] + 1
    first = state["first"] + (1 - beta1) * (dw - state["first"])
    second = state["second"] + (1 - beta2) * (np.square(dw) - state["second"])
    direction = first / (1 - beta1**step)
    scale = np.sqrt(second / (1 - beta2**step)) + eps
    return w - lr * direction / scale, {"step": step, "first": first, "second": second}
    ### END SOLUTION


# %%
# Where eps is tiny, the first step has the length of the learning rate, whatever the slope.
print(adam(np.array([2.0]), np.array([1000.0]), None, 0.1, 0.9, 0.999, 1e-8)[0])

# %% [markdown]
# ## 10. AdamW
#
# Adam with parameters that decay, not through the gradient but beside it:
#
# $$w \leftarrow w - \eta\,\frac{\hat s}{\sqrt{\hat r} + \epsilon} - \eta\,\gamma\,w$$
#
# with $\hat s$ and $\hat r$ of question 9, which know nothing of the decay $\gamma$ (`decay`). Both $w$ on the right
# are the parameters before the step.


# %%
def adamw(w, dw, state, lr, beta1, beta2, eps, decay):
    """A step of AdamW.

    w, dw: arrays of one shape. Returns (w, state).
    """
    ### BEGIN SOLUTION
    count, mean, square = state if state is not None else (0, 0.0, 0.0)
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dw
    square = beta2 * square + (1 - beta2) * dw * dw
    move = mean / (1 - beta1**count) / (np.sqrt(square / (1 - beta2**count)) + eps)
    return w - lr * (move + decay * w), (count, mean, square)
    ### END SOLUTION


# %%
print(adamw(np.array([2.0]), np.array([0.0]), None, 0.1, 0.9, 0.999, 1e-8, 0.5)[0])

# %% [markdown]
# ## 11. Clipping by norm
#
# Where the gradient of all parameters together is longer than a threshold $c$, make it as long as that, in its own
# direction (deck 004, *Gradient norm Clipping*):
#
# $$\lVert g \rVert = \sqrt{\sum g_i^2}, \qquad
# g \leftarrow \frac{c}{\lVert g \rVert}\,g \text{ where } \lVert g \rVert > c$$
#
# `grads` is a list of arrays, one a parameter; the sum runs over all entries of all of them. Return a list of
# arrays of the same shapes, and leave the given ones as they were. Gradients that are all zero stay so; as nothing is
# divided where the norm is small, no small constant belongs beside it. (Deck 002 has a line that compares the
# sum of the squares, without the root, with the threshold; that is not a norm.)


# %%
def clip_gradient_norm(grads, threshold):
    """Gradients whose common norm is at most the threshold.

    grads: a list of arrays. Returns such a list.
    """
    ### BEGIN SOLUTION
    length = np.linalg.norm([np.linalg.norm(g) for g in grads])
    if length <= threshold:
        return [np.copy(g) for g in grads]
    return [np.asarray(g) / length * threshold for g in grads]
    ### END SOLUTION


# %%
print(clip_gradient_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 2.5))

# %% [markdown]
# ## 12. Clipping by value
#
# Keep each entry between two bounds, by itself (deck 003, *Gradient clipping to scale big gradients*):
#
# $$g_i \leftarrow \min(\max(g_i, -c), c)$$


# %%
def clip_gradient_value(dw, limit):
    """A gradient with entries between -limit and limit.

    dw: an array, which stays as it was. Returns one of that shape.
    """
    ### BEGIN SOLUTION
    return np.minimum(np.maximum(dw, -limit), limit)
    ### END SOLUTION


# %%
print(clip_gradient_value(np.array([0.5, -3.0, 2.0]), 1.0))

# %% [markdown]
# ## 13. Learning rates in stairs
#
# From here on the learning rate changes on the way. Return the rates of the steps $t = 0, \ldots, T - 1$ as an array;
# T is `steps`. The first schedule of deck 002's slide on learning rate decay is *step decay*:
#
# $$\eta_t = \eta\, f^{\lfloor t / E \rfloor}$$
#
# `factor` is $f$ and `every` is $E$, the width of a stair.


# %%
def step_decay(lr, factor, every, steps):
    """Learning rates that fall in stairs.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    return np.array([lr * factor ** (t // every) for t in range(steps)])
    ### END SOLUTION


# %%
print(step_decay(0.8, 0.5, 2, 5))

# %% [markdown]
# ## 14. Learning rates on a line
#
# *Linear decay*, from $\eta$ at $t = 0$ to `end` at $t = D$ (`decay_steps`); from there on the rate is `end`:
#
# $$\eta_t = (1 - a)\,\eta + a\,\eta_{end}, \qquad a = \min(t / D, 1)$$


# %%
def linear_decay(lr, end, decay_steps, steps):
    """Learning rates on a line that ends.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    rates = np.full(steps, float(end))
    for t in range(min(steps, decay_steps)):
        rates[t] = lr + (end - lr) * t / decay_steps
    return rates
    ### END SOLUTION


# %%
print(linear_decay(1.0, 0.5, 2, 4))

# %% [markdown]
# ## 15. Learning rates as 1/t
#
# The third schedule of that slide, with `decay` $k$:
#
# $$\eta_t = \frac{\eta}{1 + k\,t}$$


# %%
def inverse_time_decay(lr, decay, steps):
    """Learning rates that fall as 1/t.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    return np.array([lr / (1.0 + t * decay) for t in range(steps)])
    ### END SOLUTION


# %%
print(inverse_time_decay(1.0, 1.0, 4))

# %% [markdown]
# ## 16. Learning rates on a cosine
#
# Half a period of a cosine, from $\eta$ towards `end` (a cycle of *SGDR*, deck 002's list of learning rates):
#
# $$\eta_t = \eta_{end} + \tfrac12\,(\eta - \eta_{end})\,\bigl(1 + \cos(\pi\,t / T)\bigr)$$
#
# $\eta_{end}$ itself belongs to step $T$, which is not among the $T$ rates.


# %%
def cosine_decay(lr, end, steps):
    """Learning rates on half a cosine.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    angle = np.linspace(0.0, np.pi, steps, endpoint=False)
    return (lr + end) / 2 + (lr - end) / 2 * np.cos(angle)
    ### END SOLUTION


# %%
print(cosine_decay(1.0, 0.0, 4))

# %% [markdown]
# ## 17. Warm-up
#
# Large steps at the very start do harm, so the rate rises over $W$ steps (`warmup`) and then stays:
#
# $$\eta_t = \eta\,\min\Bigl(\frac{t + 1}{W}, 1\Bigr)$$
#
# The first rate is $\eta / W$ and not 0.


# %%
def linear_warmup(lr, warmup, steps):
    """Learning rates that rise on a line, and then stay.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    rising = lr * np.arange(1, warmup + 1) / warmup
    return np.concatenate([rising, np.full(steps, lr)])[:steps]
    ### END SOLUTION


# %%
print(linear_warmup(1.0, 4, 6))

# %% [markdown]
# ## 18. SGDR: warm restarts
#
# Cosines that fall and start again (deck 002, *SGDR*). The first cycle has `first` steps, each further one `growth`
# times as many as the one before. At step $j = 0, 1, \ldots$ of a cycle of $P$ steps
#
# $$\eta = \eta_{end} + \tfrac12\,(\eta_0 - \eta_{end})\,\bigl(1 + \cos(\pi\,j / P)\bigr)$$
#
# with $\eta_0$ = `lr` in every cycle. The last cycle is cut where there are `steps` rates.


# %%
def cosine_restarts(lr, end, first, growth, steps):
    """Learning rates of SGDR.

    Returns (T,), T being steps.
    """
    ### BEGIN SOLUTION
    rates, length, place = [], first, 0
    for _ in range(steps):
        rates.append(end + (lr - end) * (1 + np.cos(np.pi * place / length)) / 2)
        place += 1
        if place == length:
            length, place = length * growth, 0
    return np.array(rates)
    ### END SOLUTION


# %%
print(cosine_restarts(1.0, 0.0, 2, 2, 6))

# %% [markdown]
# ## 19. An optimiser for PyTorch
#
# The momentum of question 2 (deck 002), in the form in which PyTorch's training loops take it: a subclass of
# `torch.optim.Optimizer`.
#
# - `self.param_groups` is a list of dicts: `group["params"]` are tensors, `group["lr"]` and `group["momentum"]` the
#   options of that group.
# - `self.state[p]` is a dict for what you want to remember of the parameter `p`.
# - A parameter whose `p.grad` is `None` was not used: neither it nor its velocity changes.
# - Here parameters are changed in place, `p.add_(...)`.


# %%
class MomentumSGD(torch.optim.Optimizer):
    """Stochastic gradient descent with momentum."""

    def __init__(self, params, lr, momentum):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """One step for every parameter that has a gradient."""
        ### BEGIN SOLUTION
        for group in self.param_groups:
            used = [p for p in group["params"] if p.grad is not None]
            for p in used:
                memory = self.state[p]
                if "speed" not in memory:
                    memory["speed"] = torch.zeros_like(p)
                memory["speed"].mul_(group["momentum"]).sub_(group["lr"] * p.grad)
                p.add_(memory["speed"])
        ### END SOLUTION


# %%
p = torch.nn.Parameter(torch.tensor([1.0]))
optimizer = MomentumSGD([p], lr=0.5, momentum=0.5)
for _ in range(2):
    p.grad = torch.tensor([2.0])
    optimizer.step()
    print(p.tolist())
