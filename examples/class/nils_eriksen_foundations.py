# Nils Eriksen, foundations


"""My solutions to the assignment foundations."""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


# 1. Softmax


from scipy.special import logsumexp

def softmax(scores):
    return np.exp(scores - logsumexp(scores,axis=1,keepdims=True))


# 2. Cross-entropy


def softmax_cross_entropy(scores,y):
    m=np.amax(scores,axis=-1,keepdims=True)
    lp=scores - m - np.log(np.sum(np.exp(scores - m),axis=-1,keepdims=True))
    N=len(y)
    onehot=np.zeros_like(lp)
    onehot[range(N),y]=1
    return -lp[range(N),y].sum()/N,(np.exp(lp) - onehot)/N


# 3. Affine layer


class AffineCache(NamedTuple):
    x: np.ndarray
    w: np.ndarray


def affine_forward(x,w,b):
    return x @ w + b,AffineCache(x=x,w=w)


def affine_backward(upstream,saved):
    return upstream @ saved.w.T,saved.x.T @ upstream,upstream.sum(axis=0)


# 4. ReLU


def relu_forward(x):
    out=np.zeros(x.size)
    flat=x.reshape(-1)
    for i in range(x.size):
        if flat[i]>0:
            out[i]=flat[i]
    return out.reshape(x.shape),x

def relu_backward(upstream,saved):
    x=saved.reshape(-1)
    g=upstream.reshape(-1)
    dx=np.zeros(x.size)
    for i in range(x.size):
        if x[i]>0:
            dx[i]=g[i]
    return dx.reshape(upstream.shape)


# 5. Linear regression


@dataclass(frozen=True)
class Gradients:
    loss: float
    dw: np.ndarray
    db: float

    def as_tuple(self):
        return self.loss,self.dw,self.db


def mse_loss(w,b,x,y):
    r=x @ w + b - y
    return Gradients(np.mean(r*r),2*x.T @ r/len(r),2*np.mean(r)).as_tuple()


# 6. Minibatch gradient descent


import math

def minibatch_gradient_descent(x,y,w,b,eta,perms,batch_size):
    n_batches=math.ceil(perms.shape[1]/batch_size)
    for e in range(perms.shape[0]):
        for k in range(n_batches):
            take=perms[e,k*batch_size:(k + 1)*batch_size]
            X,t=x[take],y[take]
            diff=X @ w + b - t
            grad_w=2*np.mean(diff[:,None]*X,axis=0)
            grad_b=2*np.mean(diff)
            w,b=w - eta*grad_w,b - eta*grad_b
    return w,b


# 7. Perceptron


def perceptron_fit(x,y,epochs):
    w=np.zeros(x.shape[1])
    b=0.0
    mistakes=np.zeros(epochs,dtype=int)
    for epoch in range(epochs):
        for xi,yi in zip(x,y):
            if yi*(w @ xi + b)<=0:
                w+=yi*xi
                b+=yi
                mistakes[epoch]+=1
    return w,b,mistakes


xor_x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
xor_y = np.array([-1, 1, 1, -1])
# never reaches zero, XOR is not separable
print(perceptron_fit(xor_x, xor_y, 8)[2])


# 8. Autograd


import math

class Value:
    counter=0

    def __init__(self,data,inputs=(),slopes=()):
        self.data=data
        self.grad=0.0
        self.inputs=inputs
        self.slopes=slopes
        Value.counter+=1
        self.number=Value.counter

    def _lift(x):
        return x if type(x) is Value else Value(x)

    def __add__(a,b):
        b=Value._lift(b)
        return Value(a.data + b.data,(a,b),(1,1))

    def __sub__(a,b):
        b=Value._lift(b)
        return Value(a.data - b.data,(a,b),(1,-1))

    def __mul__(a,b):
        b=Value._lift(b)
        return Value(a.data*b.data,(a,b),(b.data,a.data))

    def __truediv__(a,b):
        b=Value._lift(b)
        q=a.data/b.data
        return Value(q,(a,b),(1/b.data,-q/b.data))

    def __pow__(a,p):
        return Value(a.data**p,(a,),(p*a.data**(p - 1),))

    def __neg__(a):
        return Value(-a.data,(a,),(-1,))

    def __radd__(a,b):
        return Value._lift(b) + a

    def __rsub__(a,b):
        return Value._lift(b) - a

    def __rmul__(a,b):
        return Value._lift(b)*a

    def __rtruediv__(a,b):
        return Value._lift(b)/a

    def exp(a):
        y=math.exp(a.data)
        return Value(y,(a,),(y,))

    def tanh(a):
        y=math.tanh(a.data)
        return Value(y,(a,),(1 - y**2,))

    def relu(a):
        on=a.data>0
        return Value(a.data*on,(a,),(float(on),))

    def backward(self):
        nodes={}
        stack=[self]
        while stack:
            v=stack.pop()
            if v.number in nodes:
                continue
            nodes[v.number]=v
            stack.extend(v.inputs)
        for v in nodes.values():
            v.grad=0.0
        self.grad=1.0
        for number in sorted(nodes,reverse=True):
            v=nodes[number]
            for inp,slope in zip(v.inputs,v.slopes):
                inp.grad=inp.grad + slope*v.grad


# 9. Gradient check


def gradient_check(f,grads,params):
    bad=0
    for k in params:
        p=params[k]
        for idx in np.ndindex(*p.shape):
            keep=p[idx]
            eps=1e-6*max(1.0,abs(keep))*6
            p[idx]=keep + eps
            f_plus=float(f(params))
            p[idx]=keep - eps
            f_minus=float(f(params))
            p[idx]=keep
            num=(f_plus - f_minus)/(2*eps)
            ana=grads[k][idx]
            scale=max(abs(num) + abs(ana),1e-6)
            if abs(num - ana)/scale>1e-4:
                bad+=1
    return bad==0


# 10. Training an MLP


def mlp_train(params,x,y,eta,perms,batch_size):
    W1, b1, W2, b2 = (params[k].copy() for k in ('W1', 'b1', 'W2', 'b2'))
    for idx in perms:
        for s in range(0,len(idx),batch_size):
            batch=idx[s:s + batch_size]
            xb,yb=x[batch],y[batch]
            n=len(batch)
            h = np.maximum(xb @ W1 + b1, 0)          # (n, H)
            z = h @ W2 + b2                          # (n, C)
            p=np.exp(z - z.max(axis=1,keepdims=True))
            p/=p.sum(axis=1,keepdims=True)
            dz=p
            dz[np.arange(n),yb]-=1
            dz/=n
            dh=dz @ W2.T
            dh[h<=0]=0
            W2-=eta*h.T @ dz
            b2-=eta*dz.sum(axis=0)
            W1-=eta*xb.T @ dh
            b1-=eta*dh.sum(axis=0)
    return {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}


def main():
    rng = np.random.default_rng(11)
    logits = rng.normal(size=(4, 3))
    print("softmax", softmax(logits).sum(axis=1))
    print("loss", softmax_cross_entropy(logits, np.array([0, 1, 2, 0]))[0])


if __name__ == "__main__":
    main()
