"""Writes a file of vectors for each model of golden/models.

    python3 models.py

Each model is written again with PyTorch's own functions and optimisers, and
takes five steps in float64, each on a batch of its own. A file holds

    weights/<path>   the first parameters and states
    input/<name>     the five batches, one after another along the first axis
    gradient/<path>  the gradient at the first batch
    report/<name>    loss and metrics at each step, before its update
    after/<path>     parameters and states after the five steps
    output/<name>    what the trained model, no longer training, makes of the
                     first batch

It was run with PyTorch 1.13.1.
"""

import os

import torch
import torch.nn.functional as F

import safetensors

torch.set_default_dtype(torch.float64)

STEPS = 5


class Draws:
    """Inputs and weights from one generator."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape, std=1.0, mean=0.0):
        return mean + std * torch.randn(shape, generator=self.generator)

    def uniform(self, *shape):
        return torch.rand(shape, generator=self.generator)

    def integers(self, high, *shape):
        return torch.randint(high, shape, generator=self.generator, dtype=torch.int32)

    def linear(self, name, inputs, outputs, std=0.5):
        return {name + ".W": self.normal(inputs, outputs, std=std), name + ".b": self.normal(outputs, std=0.2)}

    def norm(self, name, width):
        return {
            name + ".scale": self.normal(width, std=0.2, mean=1.0),
            name + ".shift": self.normal(width, std=0.2),
        }


def linear(x, p, name):
    """A layer whose weight has the shape [in, out]."""
    return F.linear(x, p[name + ".W"].T, p[name + ".b"])


def layer_norm(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[name + ".scale"], p[name + ".shift"])


class Model:
    """What the subclasses share.

    params and inputs are made by __init__; states are tensors that forward sets
    while it trains. forward gives the loss, the metrics and the outputs.
    """

    states = {}

    def batch(self, i):
        return {k: x[i] for k, x in self.inputs.items()}


class Classifier(Model):
    def __init__(self):
        d = Draws(1)
        self.params = {**d.linear("h1", 6, 8), **d.linear("h2", 8, 7), **d.linear("logits", 7, 4)}
        y = d.integers(4, STEPS, 9)
        y[:, 4] = -1
        self.inputs = {"x": d.normal(STEPS, 9, 6), "y": y}
        self.optimiser = lambda p: torch.optim.Adam(p, lr=1e-2)

    def forward(self, p, batch, training):
        h = torch.relu(linear(batch["x"], p, "h1"))
        logits = linear(torch.tanh(linear(h, p, "h2")), p, "logits")
        y = batch["y"].long()
        loss = F.cross_entropy(
            logits, y, weight=torch.tensor([1, 0.5, 2, 1.5]), ignore_index=-1, label_smoothing=0.1
        )
        return loss, {}, {"probs": F.softmax(logits, dim=1)}


class Transformer(Model):
    def __init__(self):
        d = Draws(2)
        self.params = {
            "E": d.normal(11, 8, std=0.5),
            "pos": d.normal(5, 8, std=0.3),
            **d.norm("layer_norm", 8),
            "attention.Wqkv": d.normal(8, 24, std=0.4),
            "attention.bqkv": d.normal(24, std=0.2),
            "attention.Wo": d.normal(8, 8, std=0.4),
            "attention.bo": d.normal(8, std=0.2),
            **d.norm("layer_norm2", 8),
            **d.linear("dense", 8, 12),
            **d.linear("dense2", 12, 8),
            **d.norm("layer_norm3", 8),
        }
        ids = d.integers(11, STEPS, 3, 6)
        y = ids[..., 1:].clone()
        y[:, 1, 3:] = -100
        self.inputs = {"ids": ids[..., :5], "y": y}
        self.optimiser = lambda p: torch.optim.AdamW(p, lr=3e-3, betas=(0.9, 0.99), weight_decay=0.1)

    def forward(self, p, batch, training):
        h = F.embedding(batch["ids"].long(), p["E"]) + p["pos"]
        x = layer_norm(h, p, "layer_norm").transpose(0, 1)
        later = torch.ones(5, 5).triu(1).bool()
        a, _ = F.multi_head_attention_forward(
            x, x, x, 8, 2, p["attention.Wqkv"].T, p["attention.bqkv"], None, None, False, 0.0,
            p["attention.Wo"].T, p["attention.bo"], need_weights=False, attn_mask=later,
        )
        h = h + a.transpose(0, 1)
        h = h + linear(F.gelu(linear(layer_norm(h, p, "layer_norm2"), p, "dense")), p, "dense2")
        logits = F.linear(layer_norm(h, p, "layer_norm3"), p["E"])
        loss = F.cross_entropy(logits.reshape(-1, 11), batch["y"].long().reshape(-1))
        return loss, {}, {"logits": logits}


class Autoencoder(Model):
    def __init__(self):
        d = Draws(3)
        self.params = {
            **d.linear("h", 8, 6),
            **d.linear("mu", 6, 2),
            **d.linear("logvar", 6, 2),
            **d.linear("dense", 2, 6),
            **d.linear("r", 6, 8),
        }
        self.inputs = {"x": d.uniform(STEPS, 7, 8).round(), "noise": d.normal(STEPS, 7, 2)}
        self.optimiser = lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3)

    def forward(self, p, batch, training):
        h = torch.tanh(linear(batch["x"], p, "h"))
        mu, logvar = linear(h, p, "mu"), linear(h, p, "logvar")
        q = torch.distributions.Normal(mu, (0.5 * logvar).exp())
        kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
        z = q.loc + q.scale * batch["noise"]
        r = linear(F.softplus(linear(z, p, "dense")), p, "r")
        fit = F.binary_cross_entropy_with_logits(r, batch["x"], reduction="sum") / len(r)
        return fit + kl, {"kl": kl}, {"probs": torch.sigmoid(r)}


class Critic(Model):
    def __init__(self):
        d = Draws(4)
        self.params = {
            "W1": d.normal(3, 7, std=0.6),
            "b1": d.normal(7, std=0.2),
            "W2": d.normal(7, 5, std=0.6),
            "b2": d.normal(5, std=0.2),
            "w3": d.normal(5, std=0.8),
        }
        self.inputs = {
            "real": d.normal(STEPS, 6, 3),
            "fake": d.normal(STEPS, 6, 3, mean=1.0),
            "part": d.uniform(STEPS, 6),
        }
        self.optimiser = lambda p: torch.optim.RMSprop(p, lr=2e-3, alpha=0.9)

    def forward(self, p, batch, training):
        def critic(v):
            return F.softplus(torch.tanh(v @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]) @ p["w3"]

        mixed = torch.lerp(batch["fake"], batch["real"], batch["part"][:, None]).requires_grad_()
        (g,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        far = F.mse_loss(g.norm(dim=1), torch.ones(len(g)))
        score = critic(batch["real"])
        loss = critic(batch["fake"]).mean() - score.mean() + 10 * far
        return loss, {"far": far}, {"score": score, "slope": g.norm(dim=1)}


class Wave(Model):
    def __init__(self):
        d = Draws(5)
        self.params = {
            "speed": d.normal(mean=1.5, std=0.1),
            "W1": d.normal(2, 6, std=0.8),
            "b1": d.normal(6, std=0.2),
            "W2": d.normal(6, 6, std=0.6),
            "b2": d.normal(6, std=0.2),
            "w3": d.normal(6, std=0.8),
        }
        x0 = d.uniform(STEPS, 4)
        self.inputs = {
            "t": d.uniform(STEPS, 8),
            "x": d.uniform(STEPS, 8),
            "x0": x0,
            "u0": torch.sin(torch.pi * x0),
        }
        self.optimiser = lambda p: torch.optim.Adam(p, lr=5e-3, weight_decay=1e-4)

    def forward(self, p, batch, training):
        def height(t, x):
            h = torch.tanh(torch.stack([t, x], dim=1) @ p["W1"] + p["b1"])
            return torch.tanh(h @ p["W2"] + p["b2"]) @ p["w3"]

        def slope(y, x):
            return torch.autograd.grad(y.sum(), x, create_graph=True)[0]

        t, x = batch["t"].clone().requires_grad_(), batch["x"].clone().requires_grad_()
        u = height(t, x)
        u_tt, u_xx = slope(slope(u, t), t), slope(slope(u, x), x)
        rest = torch.zeros(4, requires_grad=True)
        start = height(rest, batch["x0"])
        residual = u_tt - p["speed"] ** 2 * u_xx
        loss = residual.square().mean() + F.mse_loss(start, batch["u0"]) + 0.1 * slope(start, rest).square().mean()
        return loss, {"worst": residual.abs().max()}, {"u": u, "u_tt": u_tt, "u_xx": u_xx}


class Recommender(Model):
    def __init__(self):
        d = Draws(6)
        self.params = {"p.W": d.normal(6, 4), "q.W": d.normal(7, 4), "bias": d.normal(7, std=0.2)}
        self.inputs = {
            "who": d.integers(6, STEPS, 8),
            "what": d.integers(7, STEPS, 8, 3),
            "chosen": d.integers(3, STEPS, 8),
            "stars": d.normal(STEPS, 8, mean=1.0),
        }
        self.optimiser = lambda p: torch.optim.Adagrad(p, lr=0.05)

    def forward(self, p, batch, training):
        who, what = F.embedding(batch["who"], p["p.W"]), F.embedding(batch["what"], p["q.W"])
        scores = (who[:, None] * what).sum(2) + p["bias"][batch["what"].long()]
        best = scores.amax(1)
        loss = (
            F.cross_entropy(scores, batch["chosen"].long())
            + F.huber_loss(best, batch["stars"], delta=0.5)
            + 0.01 * who.square().sum()
        )
        rmse = F.mse_loss(best, batch["stars"]).sqrt()
        return loss, {"rmse": rmse}, {"scores": scores, "best": scores.argmax(1).int()}


class Recurrent(Model):
    def __init__(self):
        d = Draws(7)
        self.params = {
            "Wx": d.normal(1, 15, std=0.8),
            "Wh": d.normal(5, 15, std=0.5),
            "bx": d.normal(15, std=0.2),
            "bh": d.normal(15, std=0.2),
            "w": d.normal(5, std=0.5),
        }
        self.inputs = {"x": d.normal(STEPS, 6, 7).cumsum(2)}
        self.optimiser = lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True)

    def forward(self, p, batch, training):
        x, total = batch["x"], 0.0
        h = torch.zeros(len(x), 5)
        for i in range(6):
            h = torch.gru_cell(x[:, i : i + 1], h, p["Wx"].T, p["Wh"].T, p["bx"], p["bh"])
            guess = x[:, i] + h @ p["w"]
            total = total + F.mse_loss(guess, x[:, i + 1])
        return total / 6, {}, {"guess": guess, "h": h}


class Running(Model):
    def __init__(self):
        d = Draws(8)
        self.params = {
            **d.linear("h", 4, 5),
            "scale": d.normal(5, std=0.2, mean=1.0),
            "shift": d.normal(5, std=0.2),
            **d.linear("dense", 5, 1),
        }
        self.states = {"mean": d.normal(5, std=0.2), "var": 0.5 + d.uniform(5)}
        self.inputs = {"x": d.normal(STEPS, 7, 4), "y": d.normal(STEPS, 7).sign()}
        self.optimiser = lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.01)

    def forward(self, p, batch, training):
        h = linear(batch["x"], p, "h")
        n = F.batch_norm(h, self.states["mean"], self.states["var"], p["scale"], p["shift"], training)
        out = linear(F.leaky_relu(n), p, "dense")[:, 0]
        loss = torch.relu(1 - batch["y"] * out).mean() + 0.05 * F.l1_loss(out, batch["y"])
        return loss, {}, {"p": out}


def vectors(model):
    """The tensors of a model's file."""
    out = {}

    def keep(kind, tensors):
        for name, x in tensors.items():
            out[kind + "/" + name] = x.detach().clone()

    params = {k: x.clone().requires_grad_() for k, x in model.params.items()}
    keep("weights", {**params, **model.states})
    keep("input", model.inputs)
    optimiser = model.optimiser(params.values())
    reports = []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss, metrics, _ = model.forward(params, model.batch(step), True)
        loss.backward()
        reports.append({"loss": loss, **metrics})
        if step == 0:
            keep("gradient", {k: x.grad for k, x in params.items()})
        optimiser.step()
    keep("report", {k: torch.stack([r[k] for r in reports]) for k in reports[0]})
    keep("after", {**params, **model.states})
    keep("output", model.forward(params, model.batch(0), False)[2])
    return out


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    for kind in [Classifier, Transformer, Autoencoder, Critic, Wave, Recommender, Recurrent, Running]:
        path = os.path.join(here, kind.__name__.lower() + ".safetensors")
        safetensors.write(path, vectors(kind()), {"source": "PyTorch " + torch.__version__})


if __name__ == "__main__":
    main()
