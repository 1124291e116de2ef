"""The recurrent layer against torch.nn.RNN in float64."""

import numpy as np
import pytest

from reference.recurrent import rnn_backward, rnn_forward

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("n", "steps", "d", "h"), [(3, 5, 2, 4), (1, 1, 3, 2), (2, 12, 1, 1)])
def test_values_and_gradients_are_those_of_torch(n, steps, d, h):
    rng = np.random.default_rng(10)
    x, h0 = rng.normal(size=(n, steps, d)), rng.normal(size=(n, h))
    wx, wh, b = rng.normal(size=(d, h)), rng.normal(size=(h, h)) / 2, rng.normal(size=h)
    theirs = torch.nn.RNN(d, h, batch_first=True).double()
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.tensor(wx.T))
        theirs.weight_hh_l0.copy_(torch.tensor(wh.T))
        theirs.bias_ih_l0.copy_(torch.tensor(b))
        theirs.bias_hh_l0.zero_()
    tx, th = torch.tensor(x, requires_grad=True), torch.tensor(h0[None], requires_grad=True)
    expected, _ = theirs(tx, th)
    dout = rng.normal(size=(n, steps, h))
    expected.backward(torch.tensor(dout))
    out, cache = rnn_forward(x, h0, wx, wh, b)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    right = [tx.grad, th.grad[0], theirs.weight_ih_l0.grad.T, theirs.weight_hh_l0.grad.T, theirs.bias_ih_l0.grad]
    for gradient, tensor in zip(rnn_backward(dout, cache), right, strict=True):
        np.testing.assert_allclose(gradient, tensor.numpy(), rtol=1e-10, atol=1e-12)
