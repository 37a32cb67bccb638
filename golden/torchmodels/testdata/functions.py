"""Writes functions.dnn and functions.safetensors: functions of the library with
their first and second derivatives, by PyTorch.

    python3 functions.py

Each function f of x becomes the number y + weigh(dy/dx, 2), where y is
weigh(f(x), 1) and weigh(v, k) the sum of v times cos(k), cos(k+1), …, so that
its gradient is made of first and second derivatives. The file holds by the
function's name the number, x, and the gradient there, in one vector. It was run with PyTorch 1.13.1.
"""

import os
import re

import torch
import torch.nn.functional as F

import safetensors

torch.set_default_dtype(torch.float64)

generator = torch.Generator().manual_seed(11)


def normal(*shape):
    return torch.randn(shape, generator=generator)


def between(low, high, *shape):
    return low + (high - low) * torch.rand(shape, generator=generator)



def weigh(v, k):
    return (v.reshape(-1) * torch.cos(k + torch.arange(v.numel()))).sum()


# The functions: name, text of x, the same in PyTorch, and an x.
FUNCTIONS = []


def add(text, f, x, name=None):
    name = name or re.sub(r"\W+", "_", text.removesuffix("(x)")).strip("_")
    FUNCTIONS.append((name, text, f, x))


def elementwise():
    for name in ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "hardtanh", "softsign", "softplus"]:
        add(name + "(x)", getattr(F, name), 2 * normal(2, 3))
    add("gelu_tanh(x)", lambda x: F.gelu(x, approximate="tanh"), 2 * normal(2, 3))
    add("elu(x, alpha: 0.3)", lambda x: F.elu(x, 0.3), normal(2, 3))
    add("clip(x, -0.5, 0.5)", lambda x: x.clamp(-0.5, 0.5), normal(2, 3))
    for name in ["sigmoid", "tanh", "erf", "exp", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "abs"]:
        add(name + "(x)", getattr(torch, name), 2 * normal(2, 3))
    for name in ["log", "log1p", "sqrt", "rsqrt"]:
        add(name + "(x)", getattr(torch, name), between(0.2, 1.2, 2, 3))
    for name in ["asin", "acos"]:
        add(name + "(x)", getattr(torch, name), between(-0.9, 0.9, 2, 3))
    add("x^3", lambda x: x**3, normal(2, 3))
    add("x^-2", lambda x: x**-2, normal(2, 3), "inverse_square")
    add("x^2.5", lambda x: x**2.5, between(0.2, 1.2, 2, 3))
    add("x^x", lambda x: x**x, between(0.2, 1.2, 2, 3))
    add("2^x", lambda x: 2**x, normal(2, 3), "power_of_two")
    add("x % 0.7", lambda x: x % 0.7, normal(2, 3))
    add("x / (1 + x * x)", lambda x: x / (1 + x * x), normal(2, 3))
    add("atan2(x, x^2 - 0.5)", lambda x: torch.atan2(x, x**2 - 0.5), normal(2, 3))
    add("where(x > 0.1, x^2, sin(x))", lambda x: torch.where(x > 0.1, x**2, torch.sin(x)), normal(2, 3))
    add("max(x, x[0:1]) * x", lambda x: torch.maximum(x, x[0:1]) * x, normal(3, 2))
    add("min(x^2, sin(x))", lambda x: torch.minimum(x**2, torch.sin(x)), normal(3, 2))


def reductions():
    for axes in [[0], [1], [0, 1]]:

        def reduce(text, f, axes=axes):
            add(text.replace("axis", "axis: %s" % axes), lambda x: f(x, axes), normal(3, 4))

        for name in ["sum", "mean", "logsumexp"]:
            reduce(name + "(x, axis)", getattr(torch, name))
        reduce("max(x, axis)", torch.amax)
        reduce("min(x, axis)", torch.amin)
        reduce("norm(x, axis)", lambda x, axes: torch.linalg.vector_norm(x, dim=axes))
        for ddof in [0, 1]:
            reduce("var(x, axis, ddof: %d)" % ddof, lambda x, axes, d=ddof: torch.var(x, axes, unbiased=bool(d)))
            reduce("std(x, axis, ddof: %d)" % ddof, lambda x, axes, d=ddof: torch.std(x, axes, unbiased=bool(d)))
    for axis in [0, 1]:
        for name in ["prod", "softmax", "log_softmax"]:
            add("%s(x, axis: %d)" % (name, axis), lambda x, f=getattr(torch, name), a=axis: f(x, a), normal(3, 4))
    ties = torch.tensor([[1.0, 3, 3], [2, 2, 2]])
    add("max(x, axis: 1)^2", lambda x: torch.amax(x, 1) ** 2, ties, "tied_max")
    zeros = torch.tensor([[1.0, 0, 2], [0, 0, 0.5], [1, 2, 3]])
    add("prod(x, axis: 1)", lambda x: torch.prod(x, 1), zeros, "prod_zeros")


def losses():
    y, labels = normal(3, 4), torch.tensor([2, 0, 3])
    weight, share = torch.tensor([1, 0.5, 2, 1.5]), torch.softmax(normal(3, 4), 1)
    ys, shares, signs = y.tolist(), share.tolist(), y.sign()

    add("mse(x, %s)" % ys, lambda x: F.mse_loss(x, y), normal(3, 4), "mse")
    add("mae(x, %s)" % ys, lambda x: F.l1_loss(x, y), normal(3, 4), "mae")
    add("huber(x, %s)" % ys, lambda x: F.huber_loss(x, y), normal(3, 4), "huber")
    add("huber(x, %s, delta: 0.7)" % ys, lambda x: F.huber_loss(x, y, delta=0.7), normal(3, 4), "huber_delta")
    add("rmse(x, %s)" % ys, lambda x: F.mse_loss(x, y).sqrt(), normal(3, 4), "rmse")
    add("r2(x, %s)" % ys, lambda x: 1 - F.mse_loss(x, y) / y.var(unbiased=False), normal(3, 4), "r2")
    add("hinge(x, %s)" % signs.tolist(), lambda x: torch.relu(1 - signs * x).mean(), normal(3, 4), "hinge")

    def entropy(name, text, target, **arguments):
        y = shares if target is share else "int32([2, 0, 3])"
        text = "cross_entropy(x, %s%s)" % (y, text)
        add(text, lambda x: F.cross_entropy(x, target, **arguments), normal(3, 4), "cross_entropy_" + name)

    w = ", weight: [1, 0.5, 2, 1.5]"
    entropy("labels", "", labels)
    entropy("smooth", ", smoothing: 0.2", labels, label_smoothing=0.2)
    entropy("weight", w, labels, weight=weight)
    entropy("weight_smooth", w + ", smoothing: 0.2", labels, weight=weight, label_smoothing=0.2)
    entropy("ignore", ", ignore: 0", labels, ignore_index=0)
    entropy("ignore_smooth", ", ignore: 0, smoothing: 0.2", labels, ignore_index=0, label_smoothing=0.2)
    entropy(
        "ignore_weight_smooth", w + ", ignore: 3, smoothing: 0.2", labels,
        ignore_index=3, label_smoothing=0.2, weight=weight,
    )
    entropy("shares", "", share)
    entropy("shares_smooth", ", smoothing: 0.1", share, label_smoothing=0.1)
    entropy("shares_weight", w, share, weight=weight)
    entropy("shares_weight_smooth", w + ", smoothing: 0.1", share, weight=weight, label_smoothing=0.1)

    binary = F.binary_cross_entropy_with_logits
    add("binary_cross_entropy(x, %s)" % shares, lambda x: binary(x, share), normal(3, 4), "binary_cross_entropy")
    add("nll(log_softmax(x), int32([2, 0, 3]))", lambda x: F.nll_loss(torch.log_softmax(x, 1), labels), normal(3, 4), "nll")

    def divergence(log_q, p):
        return F.kl_div(log_q, p, reduction="sum") / log_q.numel()

    add("kl_divergence(x, %s)" % shares, lambda x: divergence(x, share), normal(3, 4), "kl_divergence")
    add(
        "kl_divergence(log_softmax(%s), softmax(x))" % shares,
        lambda x: divergence(torch.log_softmax(share, 1), torch.softmax(x, 1)), normal(3, 4), "kl_divergence_p",
    )


def shapes():
    add("triu(x) @ tril(x)", lambda x: torch.triu(x) @ torch.tril(x), normal(4, 4))
    add("diag(x) * x[0]", lambda x: torch.diag(x) * x[0], normal(4, 4))
    add("diag(x[1]) @ x", lambda x: torch.diag(x[1]) @ x, normal(4, 4))
    add("concat(x, x[1:3]^2, axis: 0)", lambda x: torch.cat([x, x[1:3] ** 2]), normal(4, 3))
    add("stack(x[0], x[1]^2, axis: 1)", lambda x: torch.stack([x[0], x[1] ** 2], 1), normal(2, 3))
    add("flip(x, axis: 1) * x", lambda x: x.flip(1) * x, normal(2, 4))
    add("pad(x, [[1, 2], [0, 1]], value: 2)^2", lambda x: F.pad(x, (0, 1, 1, 2), value=2) ** 2, normal(2, 3))
    add("tile(x, [2, 3])^3", lambda x: x.tile(2, 3) ** 3, normal(2, 3))
    add("set(x, 1, x[0]^2) * x", lambda x: torch.stack([x[0], x[0] ** 2, x[2]]) * x, normal(3, 2))
    across = torch.tensor([[0, 2, 2], [1, 1, 0]])
    add("gather(x, int32(%s), axis: 1)^2" % across.tolist(), lambda x: x.gather(1, across) ** 2, normal(2, 4))
    down = torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]])
    add("gather(x, int32(%s), axis: 0)^2" % down.tolist(), lambda x: x.gather(0, down) ** 2, normal(2, 4))
    add("x[int32([2, 0, 2])]^2", lambda x: x[[2, 0, 2]] ** 2, normal(3, 2))
    add("x[:, int32([[2, 0], [2, 1]])]^2", lambda x: x[:, [[2, 0], [2, 1]]] ** 2, normal(2, 3))
    add('einsum("ij,kj,ik->i", x, x, x @ x\')', lambda x: torch.einsum("ij,kj,ik->i", x, x, x @ x.T), normal(3, 3))
    add("x @ x[0] * (x[0] @ x)", lambda x: (x @ x[0]) * (x[0] @ x), normal(3, 3))
    add("permute(reshape(x, [2, 3, 2]), [2, 0, 1])^2", lambda x: x.reshape(2, 3, 2).permute(2, 0, 1) ** 2, normal(4, 3))
    add("logsumexp(x[:, new] + x, axis: 1)", lambda x: torch.logsumexp(x[:, None] + x, 1), normal(3, 2), "pairs")
    derivatives = torch.autograd.functional
    add(
        "hessian(sum(x^3 * x[0]), x)",
        lambda x: derivatives.hessian(lambda z: (z**3 * z[0]).sum(), x, create_graph=True), normal(2, 2),
    )
    add(
        "jacobian(x @ x[0], x)",
        lambda x: derivatives.jacobian(lambda z: z @ z[0], x, create_graph=True), normal(2, 3),
    )


HEADER = """// Code generated by functions.py; DO NOT EDIT.
package functions

fn along(v [N], k) = sum(v * cos(k + float(iota(N))))
fn weigh(v, k) = along(reshape(v, [-1]), k)
"""

FUNCTION = """
export fn f_%s(x %s) [] {
    y = weigh(%s, 1)
    return y + weigh(grad(y, x), 2)
}
"""


def main():
    for make in [elementwise, reductions, losses, shapes]:
        make()
    text, tensors = HEADER, {}
    for name, expression, f, x in FUNCTIONS:
        if name in tensors:
            raise ValueError(name)
        text += FUNCTION % (name, list(x.shape), expression)
        x.requires_grad_()
        y = weigh(f(x), 1)
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        value = y + weigh(slope, 2)
        (grad,) = torch.autograd.grad(value, x)
        tensors[name] = torch.cat([value[None], x.reshape(-1), grad.reshape(-1)])
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "functions.dnn"), "w") as file:
        file.write(text)
    safetensors.write(
        os.path.join(here, "functions.safetensors"), tensors, {"source": "PyTorch " + torch.__version__}
    )


if __name__ == "__main__":
    main()
