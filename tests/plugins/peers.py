"""Losses of single rows by scikit-learn's and PyTorch's own functions, for tests/plugins/test_peers.c.

Prints "peer NAME" or "absent NAME" for each, then lines "id;params;classes;targets;pred;target;loss".
"""
import math
import random

PREDS = [-2.3, -0.4, 0.0, 0.7, 1.9]


def say(name, params, classes, pred, target, loss):
    one = lambda values: ",".join(repr(float(v)) for v in values)
    print(f"{name};{params};{classes};{len(target)};{one(pred)};{one(target)};{float(loss)!r}")


def sklearn_lines():
    import numpy as np
    from sklearn._loss import loss as peer

    cases = [
        ("mse", "", peer.HalfSquaredError(), 2, [-1.5, 0.3, 4]),
        ("mae", "", peer.AbsoluteError(), 1, [-1.5, 0.3, 4]),
        ("quantile", "tau=0.2", peer.PinballLoss(quantile=0.2), 1, [-1.5, 0.3, 4]),
        ("poisson", "", peer.HalfPoissonLoss(), 1, [0, 1, 5]),
        ("gamma", "", peer.HalfGammaLoss(), 1, [0.2, 1, 5]),
        ("tweedie", "power=1.5", peer.HalfTweedieLoss(power=1.5), 1, [0, 1, 5]),
        ("logistic", "", peer.HalfBinomialLoss(), 1, [0, 1, 0.25]),
    ]
    for name, params, function, factor, targets in cases:
        for p in PREDS:
            for t in targets:
                value = function.loss(y_true=np.array([float(t)]), raw_prediction=np.array([p]))[0]
                say(name, params, 0, [p], [t], factor * value)
    multinomial = peer.HalfMultinomialLoss(n_classes=4)
    generator = random.Random(1)
    for t in range(4):
        pred = [generator.gauss(0, 2) for _ in range(4)]
        value = multinomial.loss(y_true=np.array([float(t)]), raw_prediction=np.array([pred]))[0]
        say("cross_entropy", "", 4, pred, [t], value)


def torch_lines():
    import torch
    import torch.nn.functional as peer

    tensor = lambda values: torch.tensor(values, dtype=torch.float64)
    real = [
        ("mse", "", peer.mse_loss),
        ("mae", "", peer.l1_loss),
        ("huber", "delta=0.7", lambda p, t: peer.huber_loss(p, t, delta=0.7)),
    ]
    for name, params, function in real:
        for p in PREDS:
            for t in [-1.5, 0.3, 4.0]:
                say(name, params, 0, [p], [t], function(tensor([p]), tensor([t])))
    for p in PREDS:
        for t in [0.0, 1.0, 0.25]:
            say("logistic", "", 0, [p], [t], peer.binary_cross_entropy_with_logits(tensor([p]), tensor([t])))
        for t in [0.0, 1.0, 5.0]:
            say("poisson", "", 0, [p], [t], peer.poisson_nll_loss(tensor([p]), tensor([t])))
    generator = random.Random(2)
    for t in range(4):
        pred = [generator.gauss(0, 2) for _ in range(4)]
        for smoothing in [0.0, 0.1]:
            value = peer.cross_entropy(tensor([pred]), torch.tensor([t]), label_smoothing=smoothing)
            say("cross_entropy", f"label_smoothing={smoothing}", 4, pred, [t], value)


for peer_name, lines in [("scikit-learn", sklearn_lines), ("PyTorch", torch_lines)]:
    try:
        __import__({"scikit-learn": "sklearn", "PyTorch": "torch"}[peer_name])
    except ImportError:
        print(f"absent {peer_name}")
        continue
    print(f"peer {peer_name}")
    lines()
