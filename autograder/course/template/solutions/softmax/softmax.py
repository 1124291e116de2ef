# %% [markdown]
# # From scores to probabilities
#
# Write `softmax(logits)`: scores in, probabilities out.
#
# $$p_{nc} = \frac{e^{z_{nc}}}{\sum_j e^{z_{nj}}}$$
#
# Scores may be huge: nothing may overflow.

# %%
import numpy as np


# %%
def softmax(logits):
    """Probabilities of C classes for N examples.

    logits: (N, C). Returns (N, C); each row adds up to 1.
    """
    ### BEGIN SOLUTION
    exponentials = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)
    ### END SOLUTION


# %%
print(softmax(np.array([[1.0, 2.0, 3.0]])))
