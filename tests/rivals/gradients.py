#!/usr/bin/env python3
"""Gradients of whole networks against PyTorch's in float64: is a tuner's error larger than that of PyTorch's own float32?

usage: gradients.py [--families a,b] [--photos 4] [--batches 5] [--benchmarks artifacts/bin/TransferPipeline.Benchmarks/release/TransferPipeline.Benchmarks]
       (Debian's python3-torch, python3-torchvision, python3-numpy; build the benchmarks first: dotnet build tests/Benchmarks -c Release)

Each family has random weights, a linear head of 10 classes that is not zero, and is exported with its BatchNormalization in it
(training=PRESERVE). Batches of random pixels go through both; BatchNormalization in train mode, dropout and stochastic depth off.
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

# Name: constructor and the layer that classifies.
FAMILIES = {
    "resnet18": (M.resnet18, "fc"),
    "mobilenet_v3_large": (M.mobilenet_v3_large, "classifier.3"),
    "densenet121": (M.densenet121, "classifier"),
    "convnext_tiny": (M.convnext_tiny, "classifier.2"),
    "swin_t": (M.swin_t, "head"),
    "vit_b_16": (M.vit_b_16, "heads.head"),
}


def make(name, seed=1):
    torch.manual_seed(seed)
    constructor, last = FAMILIES[name]
    model = constructor()
    parent, _, child = last.rpartition(".")
    holder = model.get_submodule(parent) if parent else model
    layer = torch.nn.Linear(getattr(holder, child).in_features, CLASSES)
    torch.nn.init.normal_(layer.weight, std=0.05)
    if isinstance(holder, torch.nn.Sequential) and child.isdigit():
        holder[int(child)] = layer
    else:
        setattr(holder, child, layer)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0
        # Running statistics and affine weights as after some training.
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)) and module.weight is not None:
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
    return model, last


def gradients(model, pixels, labels):
    model.train()
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(pixels), labels).backward()
    return {n: p.grad.double().numpy() for n, p in model.named_parameters() if p.grad is not None}


def ours(benchmarks, folder, onnx, model, last, pixels, labels):
    layer = model.get_submodule(last)
    pixels.numpy().tofile(folder / "pixels.f32")
    labels.numpy().astype(np.int32).tofile(folder / "labels.i32")
    layer.weight.detach().numpy().tofile(folder / "head.f32")
    layer.bias.detach().numpy().tofile(folder / "bias.f32")
    done = subprocess.run([benchmarks, "tuned-gradients", onnx, folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")
    names = (folder / "names.txt").read_text().split("\n")[:-1]
    renamed = {"head 0 weights": f"{last}.weight", "head 0 bias": f"{last}.bias"}
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
        model, last = make(name)
        here, theirs = [], []
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work)
            onnx = folder / f"{name}.onnx"
            torch.onnx.export(
                copy.deepcopy(model).eval(), torch.randn(2, 3, 224, 224), onnx, opset_version=17, input_names=["input"], output_names=["logits"],
                dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
            )
            for seed in range(given.batches):
                torch.manual_seed(100 + seed)
                pixels, labels = torch.randn(given.photos, 3, 224, 224), torch.arange(given.photos) % CLASSES
                expected = gradients(copy.deepcopy(model).double(), pixels.double(), labels)
                single = gradients(copy.deepcopy(model), pixels, labels)
                found = ours(given.benchmarks, folder, onnx, model, last, pixels, labels)
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
