#!/usr/bin/env python3
"""Gradients of whole networks against PyTorch's in float64: is a tuner's error larger than that of PyTorch's own float32?

usage: gradients.py [--families a,b] [--photos 4] [--batches 5] [--benchmarks artifacts/bin/TransferPipeline.Benchmarks/release/TransferPipeline.Benchmarks]
       (Debian's python3-torch, python3-torchvision, python3-numpy; build the benchmarks first: dotnet build tests/Benchmarks -c Release)

Each family has random weights, a linear head of 10 classes that is not zero, and is exported with its BatchNormalization in it
(training=PRESERVE). inception_v3 has its auxiliary classifier, whose loss counts 0.4 times. Batches of random pixels go through both; BatchNormalization in train mode, dropout and stochastic depth off.
Prints a Markdown table: the error of all gradients together, |g - g64| / |g64|, least, median and largest of the batches. A rounding
that moves one activation over the corner of a ReLU changes a gradient by 1e-3, so that single batches say little.
Exit code 1 when a weight is unknown to PyTorch or the median is more than twice that of PyTorch's own float32.
"""
import argparse
import copy
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision

warnings.filterwarnings("ignore")
M = torchvision.models
CLASSES = 10



class InceptionWithAuxiliary(torch.nn.Module):
    """torchvision's Inception v3, whose second classifier is computed in eval mode too, so that it can be exported."""

    def __init__(self):
        super().__init__()
        self.net = M.inception_v3(init_weights=False, aux_logits=True)

    def forward(self, pixels):
        found = []
        hook = self.net.Mixed_6e.register_forward_hook(lambda module, inputs, output: found.append(output))
        logits, early = self.net._forward(pixels)
        hook.remove()
        return logits, self.net.AuxLogits(found[0]) if early is None else early


# Name: constructor and the layer that classifies.
FAMILIES = {
    "resnet18": (M.resnet18, "fc"),
    "mobilenet_v3_large": (M.mobilenet_v3_large, "classifier.3"),
    "densenet121": (M.densenet121, "classifier"),
    "convnext_tiny": (M.convnext_tiny, "classifier.2"),
    "swin_t": (M.swin_t, "head"),
    "vit_b_16": (M.vit_b_16, "heads.head"),
    "inception_v3": (InceptionWithAuxiliary, "net.fc"),
}
# A second classifier, whose loss counts 0.4 times.
AUXILIARY = {"inception_v3": "net.AuxLogits.fc"}
SIDES = {"inception_v3": 299}


def put_head(model, place):
    parent, _, child = place.rpartition(".")
    holder = model.get_submodule(parent) if parent else model
    layer = torch.nn.Linear(getattr(holder, child).in_features, CLASSES)
    torch.nn.init.normal_(layer.weight, std=0.05)
    if isinstance(holder, torch.nn.Sequential) and child.isdigit():
        holder[int(child)] = layer
    else:
        setattr(holder, child, layer)


def make(name, seed=1):
    torch.manual_seed(seed)
    constructor, last = FAMILIES[name]
    model = constructor()
    put_head(model, last)
    if name in AUXILIARY:
        put_head(model, AUXILIARY[name])
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0
        # Running statistics and affine weights as after some training.
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)) and module.weight is not None:
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
    return model, [place for place in (last, AUXILIARY.get(name)) if place]


def gradients(model, pixels, labels):
    model.train()
    model.zero_grad()
    scores = model(pixels)
    losses = [torch.nn.functional.cross_entropy(s, labels) for s in (scores if isinstance(scores, tuple) else [scores])]
    sum(loss * weight for loss, weight in zip(losses, (1, 0.4))).backward()
    return {n: p.grad.double().numpy() for n, p in model.named_parameters() if p.grad is not None}


def ours(benchmarks, folder, onnx, model, heads, pixels, labels):
    pixels.numpy().tofile(folder / "pixels.f32")
    labels.numpy().astype(np.int32).tofile(folder / "labels.i32")
    for place, head, bias in zip(heads, ("head.f32", "auxiliary-head.f32"), ("bias.f32", "auxiliary-bias.f32")):
        layer = model.get_submodule(place)
        layer.weight.detach().numpy().tofile(folder / head)
        layer.bias.detach().numpy().tofile(folder / bias)
    done = subprocess.run([benchmarks, "tuned-gradients", onnx, folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")
    names = (folder / "names.txt").read_text().split("\n")[:-1]
    renamed = {f"head {i} {ours}": f"{place}.{theirs}" for i, place in enumerate(heads) for ours, theirs in (("weights", "weight"), ("bias", "bias"))}
    return {renamed.get(n, n): np.fromfile(folder / f"{i}.f32", np.float32).astype(np.float64) for i, n in enumerate(names)}


def error(found, expected, names):
    square = sum(((found[n].ravel() - expected[n].ravel()) ** 2).sum() for n in names)
    return (square / sum((expected[n] ** 2).sum() for n in names)) ** 0.5


def text(values):
    return " / ".join(f"{v:.1e}" for v in (min(values), np.median(values), max(values)))


def main():
    repository = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--batches", type=int, default=5)
    program = "artifacts/bin/TransferPipeline.Benchmarks/release/TransferPipeline.Benchmarks"
    parser.add_argument("--benchmarks", default=repository / program, type=pathlib.Path)
    given = parser.parse_args()
    failures = 0
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, random weights, {given.batches} batches of {given.photos} photos\n")
    print("| family | weight arrays | trained here | error here: least / median / largest | PyTorch's float32 | |")
    print("|---|---|---|---|---|---|")
    for name in given.families.split(","):
        model, heads = make(name)
        side = SIDES.get(name, 224)
        here, theirs = [], []
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work)
            onnx = folder / f"{name}.onnx"
            torch.onnx.export(
                copy.deepcopy(model).eval(), torch.randn(2, 3, side, side), onnx, opset_version=17, input_names=["input"],
                output_names=["logits", "auxiliary"][: len(heads)],
                dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}} | ({"auxiliary": {0: "N"}} if heads[1:] else {}), training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
            )
            for seed in range(given.batches):
                torch.manual_seed(100 + seed)
                pixels, labels = torch.randn(given.photos, 3, side, side), torch.arange(given.photos) % CLASSES
                expected = gradients(copy.deepcopy(model).double(), pixels.double(), labels)
                single = gradients(copy.deepcopy(model), pixels, labels)
                found = ours(given.benchmarks, folder, onnx, model, heads, pixels, labels)
                names = [n for n in expected if n in found]
                here.append(error(found, expected, names))
                theirs.append(error(single, expected, names))
        unknown, missing = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
        right = not unknown and np.median(here) <= 2 * np.median(theirs)
        failures += not right
        print(f"| {name} | {len(expected)} | {len(names)} | {text(here)} | {text(theirs)} | {'' if right else 'WRONG'} |", flush=True)
        for what, some in (("Unknown to PyTorch", unknown), ("Not trained here", missing)):
            if some:
                print(f"{what} in {name}: {', '.join(some[:3])}{' ...' if len(some) > 3 else ''}", file=sys.stderr)
    sys.exit(1 if failures else 0)


main()
