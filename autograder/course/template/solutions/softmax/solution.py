# %% [markdown]
# # From scores to probabilities
# Write `softmax(logits)`: scores of shape (N, C) in, probabilities of the same shape out.

# %%
import numpy as np


# %%
def softmax(logits):
    exponentials = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)


# %%
softmax(np.array([[1.0, 2.0, 3.0]]))
