#!/usr/bin/env python3
"""Every torchvision family as the tuner computes it, against ONNX Runtime: are the features the same?

usage: tuned_forward.py [--families a,b] [--benchmarks artifacts/bin/TransferPipeline.Benchmarks/release/TransferPipeline.Benchmarks] [FILE.onnx ...]
       (Debian's python3-torch, python3-torchvision; build the benchmarks first: dotnet build tests/Benchmarks -c Release)

Families have random weights; each is exported as usual, with BatchNormalization folded, and once more with it (training=PRESERVE).
Prints a Markdown table: nodes, arrays that train, the largest difference of the features of four random photos relative to the largest
value. Exit code 1 when one is above 1e-5.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
import torchvision

warnings.filterwarnings("ignore")
M = torchvision.models
FAMILIES = (
    "resnet18 resnet50 alexnet vgg11_bn vgg16 squeezenet1_0 densenet121 inception_v3 googlenet mobilenet_v2 mobilenet_v3_large "
    "mobilenet_v3_small efficientnet_b0 shufflenet_v2_x1_0 mnasnet1_0 regnet_y_400mf vit_b_16 convnext_tiny swin_t"
).split()


def export(name, file, preserve):
    torch.manual_seed(1)
    options = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    model = getattr(M, name)(**options).eval()
    size = 299 if name == "inception_v3" else 224
    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if preserve else {}
    torch.onnx.export(
        model, torch.randn(2, 3, size, size), file, opset_version=17, input_names=["input"], output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, **kept,
    )


def main():
    repository = pathlib.Path(__file__).resolve().parents[2]
    program = "artifacts/bin/TransferPipeline.Benchmarks/release/TransferPipeline.Benchmarks"
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--benchmarks", default=repository / program, type=pathlib.Path)
    given = parser.parse_args()
    worst, head = 0.0, False
    with tempfile.TemporaryDirectory() as work:
        jobs = [(file, None, None) for file in given.files]
        jobs += [(pathlib.Path(work) / f"{n}{'.bn' if p else ''}.onnx", n, p) for n in given.families.split(",") if n for p in (False, True)]
        for file, name, preserve in jobs:
            if name:
                export(name, file, preserve)
            done = subprocess.run([given.benchmarks, "tuned-forward", file], capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{file.name}: {done.stdout}{done.stderr}")
            lines = done.stdout.splitlines()
            print("\n".join(lines[2 if head else 0:]), flush=True)
            head = True
            worst = max(worst, float(lines[-1].split("|")[-2]))
            if name:
                file.unlink()
    print(f"\nlargest: {worst:.1e}")
    sys.exit(1 if worst > 1e-5 else 0)


main()
