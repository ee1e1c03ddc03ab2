"""Weights after training with torch.optim's SGD and Adam from given weights in a given order: python3 epochs.py > epochs.json"""
import json

import numpy as np
import torch

from mixture import Draw, mixture

ROWS, COLUMNS, CLASSES, TRAIN = 40, 9, 3, 30


def linear(draw, inputs, outputs):
    layer = torch.nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[draw.next() - 0.5 for _ in range(inputs)] for _ in range(outputs)]))
        layer.bias.copy_(torch.tensor([draw.next() - 0.5 for _ in range(outputs)]))
    return layer


def order(draw, count):
    rows = list(range(count))
    for i in range(count - 1, 0, -1):
        j = int(draw.next() * (i + 1))
        rows[i], rows[j] = rows[j], rows[i]
    return rows


def run(hidden, solver, batch, epochs, rate, momentum=0.0, decay=0.0, step=0, gamma=0.1, weights=None):
    torch.set_num_threads(1)
    x, y = mixture(ROWS, COLUMNS, CLASSES, seed=41)
    x, y = torch.tensor(x), torch.tensor(y)
    draw = Draw(43)
    widths = [COLUMNS, *hidden, CLASSES]
    layers = [linear(draw, a, b) for a, b in zip(widths, widths[1:])]
    model = torch.nn.Sequential(*[m for l in layers for m in (l, torch.nn.ReLU())][:-1])
    kind = torch.optim.Adam(model.parameters(), lr=rate, weight_decay=decay) if solver == "adam" else \
        torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.StepLR(kind, step, gamma) if step else None
    loss = torch.nn.CrossEntropyLoss(weight=None if weights is None else torch.tensor(weights))
    history = []
    for _ in range(epochs):
        rows = order(draw, TRAIN)
        right = 0
        for start in range(0, TRAIN, batch):
            part = rows[start:start + batch]
            kind.zero_grad()
            scores = model(x[part])
            loss(scores, y[part]).backward()
            right += int((scores.argmax(1) == y[part]).sum())
            kind.step()
        if schedule:
            schedule.step()
        with torch.no_grad():
            scores = model(x[TRAIN:])
            history.append([right / TRAIN, float(loss(scores, y[TRAIN:])), float((scores.argmax(1) == y[TRAIN:]).float().mean())])
    return {
        "hidden": ",".join(map(str, hidden)), "solver": solver, "batch_size": batch, "epochs": epochs, "learning_rate": rate, "momentum": momentum,
        "weight_decay": decay, "step_size": step, "gamma": gamma, "class_weights": weights or [], "history": history,
        "parameters": [[float(np.float32(v)) for v in p.detach().numpy().ravel()] for p in model.parameters()],
    }


print(json.dumps({"torch": torch.__version__, "cases": [
    run([], "sgd", 4, 6, 0.05, momentum=0.9, step=2, gamma=0.1),
    run([], "sgd", 7, 4, 0.1, momentum=0.0, decay=0.02),
    run([], "adam", 4, 6, 0.01, decay=0.01, step=3, gamma=0.5),
    run([], "sgd", 30, 5, 0.2, momentum=0.5, weights=[0.5, 1.0, 2.0]),
    run([17, 5], "adam", 8, 5, 0.005),
    run([12], "sgd", 5, 5, 0.05, momentum=0.9, decay=0.001, step=2),
]}))
