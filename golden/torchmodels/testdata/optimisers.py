"""Writes optimisers.safetensors: 50 steps of each of PyTorch's optimisers.

    python3 optimisers.py

Three problems are run, in this order, from the rows of "start". "<run>/x" is
x [50, 3, 4] after each step, "<run>/loss" [3] is the loss before the last. It
was run with PyTorch 1.13.1 in float64.
"""

import os

import torch

import safetensors

torch.set_default_dtype(torch.float64)

A = torch.tensor([[3, 0.5, 0, 0.1], [0.5, 2, 0.3, 0], [0, 0.3, 1, 0.2], [0.1, 0, 0.2, 0.5]])
B = torch.tensor([1, -2, 0.5, 3])
X = torch.tensor(
    [[0.2, 1.1, -0.4, 1], [1.3, -0.7, 0.8, 1], [-0.9, 0.1, 0.6, 1], [0.5, 0.4, -1.2, 1], [-1.4, 0.9, 0.3, 1]]
)
Y = torch.tensor([1.0, 0, 1, 0, 1])


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(p):
    return p @ A @ p / 2 - B @ p


def logistic(p):
    return torch.nn.functional.binary_cross_entropy_with_logits(X @ p, Y)


PROBLEMS = [rosenbrock, quadratic, logistic]
START = torch.tensor([[-1.2, 1, 0.5, -0.3], [1, 1, -1, 2], [0.1, -0.2, 0.3, 0]])

# The runs by name: an optimiser and its arguments.
RUNS = {
    "sgd": (torch.optim.SGD, dict(lr=1e-3)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=1e-3, momentum=0.9)),
    "sgd_dampening": (torch.optim.SGD, dict(lr=1e-3, momentum=0.9, dampening=0.1)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=1e-3, momentum=0.9, nesterov=True)),
    "sgd_decay": (torch.optim.SGD, dict(lr=1e-3, weight_decay=0.01)),
    "adam": (torch.optim.Adam, dict(lr=1e-2)),
    "adam_betas": (torch.optim.Adam, dict(lr=1e-2, betas=(0.8, 0.99), eps=1e-6)),
    "adam_decay": (torch.optim.Adam, dict(lr=1e-2, weight_decay=0.01)),
    "amsgrad": (torch.optim.Adam, dict(lr=1e-2, amsgrad=True)),
    "adamw": (torch.optim.AdamW, dict(lr=1e-2, weight_decay=0.01)),
    "adamax": (torch.optim.Adamax, dict(lr=1e-2)),
    "nadam": (torch.optim.NAdam, dict(lr=1e-2)),
    "radam": (torch.optim.RAdam, dict(lr=1e-2)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=1e-3)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(lr=1e-3, momentum=0.9, centered=True)),
    "adagrad": (torch.optim.Adagrad, dict(lr=0.1)),
    "adagrad_falling": (torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.01, initial_accumulator_value=0.1)),
    "adadelta": (torch.optim.Adadelta, dict(lr=1.0, rho=0.9)),
    "rprop": (torch.optim.Rprop, dict(lr=1e-2)),
    "asgd": (torch.optim.ASGD, dict(lr=1e-3)),
}


def run(problem, start, kind, arguments):
    """The points after each step, and the loss before the last."""
    x = start.clone().requires_grad_()
    optimiser = kind([x], **arguments)
    points = []
    for _ in range(50):
        optimiser.zero_grad()
        loss = problem(x)
        loss.backward()
        optimiser.step()
        points.append(x.detach().clone())
    return torch.stack(points), loss.detach()


def main():
    tensors = {"start": START}
    for name, (kind, arguments) in RUNS.items():
        results = [run(p, s, kind, arguments) for p, s in zip(PROBLEMS, START)]
        tensors[name + "/x"] = torch.stack([x for x, _ in results], dim=1)
        tensors[name + "/loss"] = torch.stack([loss for _, loss in results])
    here = os.path.dirname(os.path.abspath(__file__))
    safetensors.write(os.path.join(here, "optimisers.safetensors"), tensors, {"source": "PyTorch " + torch.__version__})


if __name__ == "__main__":
    main()
