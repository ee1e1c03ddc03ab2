#!/usr/bin/env python3
"""Every torchvision family against torch itself: are the cuts where torch's hooks are, and the vectors the same?

usage: zoo.py [--families a,b] [--opsets 11,12,...] [--all] [--transfer bin/transfer]
       (Debian's python3-torch, python3-torchvision, python3-numpy, python3-pil)

Each family is exported with random weights, once with a dynamic and once with a fixed batch, opsets in turn (--all: each with each).
`transfer extract` and `transfer features export` make the vectors of a few synthetic photos; torch makes them from the same photos
through torchvision's transforms, with hooks at the input of the last layer (penultimate) and at the last map (features).
Prints a Markdown table; the difference is the largest, relative to the largest value. Exit code 1 when a length is wrong or a
difference is above 1e-4.
"""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
import torchvision.transforms as T
from PIL import Image

warnings.filterwarnings("ignore")
M = torchvision.models
TOLERANCE = 1e-4
PHOTOS = 6

# Name: constructor, the layer that classifies, the module that makes the last map, input size.
FAMILIES = {
    "resnet18": (M.resnet18, lambda m: m.fc, lambda m: m.layer4, 224),
    "resnet50": (M.resnet50, lambda m: m.fc, lambda m: m.layer4, 224),
    "alexnet": (M.alexnet, lambda m: m.classifier[6], lambda m: m.features, 224),
    "vgg11_bn": (M.vgg11_bn, lambda m: m.classifier[6], lambda m: m.features, 224),
    "vgg16": (M.vgg16, lambda m: m.classifier[6], lambda m: m.features, 224),
    "squeezenet1_0": (M.squeezenet1_0, lambda m: m.classifier[1], lambda m: m.features, 224),
    "densenet121": (M.densenet121, lambda m: m.classifier, lambda m: m.features, 224),
    "inception_v3": (lambda: M.inception_v3(init_weights=False), lambda m: m.fc, lambda m: m.Mixed_7c, 299),
    "mobilenet_v2": (M.mobilenet_v2, lambda m: m.classifier[1], lambda m: m.features, 224),
    "mobilenet_v3_large": (M.mobilenet_v3_large, lambda m: m.classifier[3], lambda m: m.features, 224),
    "efficientnet_b0": (M.efficientnet_b0, lambda m: m.classifier[1], lambda m: m.features, 224),
    "googlenet": (lambda: M.googlenet(init_weights=False), lambda m: m.fc, lambda m: m.inception5b, 224),
    "vit_b_16": (M.vit_b_16, lambda m: m.heads.head, lambda m: m.encoder, 224),
    "swin_t": (M.swin_t, lambda m: m.head, lambda m: m.permute, 224),
    "convnext_tiny": (M.convnext_tiny, lambda m: m.classifier[2], lambda m: m.features, 224),
}


def make_photos(folder):
    """Photos of odd sizes, smooth and noisy at once, as PNG: every decoder reads the same pixels."""
    random = np.random.default_rng(7)
    for i in range(PHOTOS):
        h, w = 230 + 17 * i, 330 - 13 * i
        y, x = np.mgrid[0:h, 0:w]
        waves = [127 + 90 * np.sin(x / random.uniform(8, 40) + y / random.uniform(8, 40) + c) for c in range(3)]
        pixels = np.clip(np.stack(waves, -1) + random.normal(0, 25, (h, w, 3)), 0, 255).astype(np.uint8)
        file = folder / "train" / f"class{i % 2}" / f"photo{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)


def torch_vectors(name, model, last, last_map, size, photos):
    steps = T.Compose([T.Resize(size * 256 // 224), T.CenterCrop(size), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    batch = torch.stack([steps(Image.open(p).convert("RGB")) for p in photos])
    seen = {}
    hooks = [
        last(model).register_forward_pre_hook(lambda _, inputs: seen.update(penultimate=inputs[0])),
        last_map(model).register_forward_hook(lambda _, inputs, output: seen.update(features=output)),
    ]
    with torch.no_grad():
        model(batch)
    for hook in hooks:
        hook.remove()
    penultimate, features = seen["penultimate"], seen["features"]
    if penultimate.dim() == 4:
        penultimate = penultimate.mean((2, 3))
    if name == "densenet121":
        features = F.relu(features)
    expected = {("penultimate", "none"): penultimate, ("features", "none"): features}
    if name == "vgg16":
        expected["features", "adaptive:3x3"] = F.adaptive_avg_pool2d(features, 3)
    return batch, {cut: value.flatten(1).numpy() for cut, value in expected.items()}


def our_vectors(transfer, work, onnx, data, cut, pooling, photos):
    out, prefix = work / "set", work / "vectors"
    call(transfer, "extract", "--data", data, "--model", onnx, "--cut", cut, "--pooling", pooling, "--out", out)
    call(transfer, "features", "export", out, "--format", "npy", "--out", prefix)
    rows = [r["path"] for r in csv.DictReader(open(f"{prefix}.csv", newline=""))]
    vectors = np.load(f"{prefix}.npy")
    subprocess.run(["rm", "-rf", str(out), f"{prefix}.npy", f"{prefix}.csv"], check=True)
    return vectors[[rows.index(str(p.relative_to(data))) for p in photos]]


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def main():
    repository = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--opsets", default="11,12,13,14,15,16,17")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--transfer", default=repository / "bin" / "transfer", type=pathlib.Path)
    given = parser.parse_args()
    opsets = [int(o) for o in given.opsets.split(",")]
    failures, turn = 0, 0
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, random weights, {PHOTOS} photos\n")
    print("| family | opset | batch | cut | pooling | values | torch's | relative difference | |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        data = work / "photos"
        make_photos(data)
        photos = sorted(data.rglob("*.png"))
        for name in given.families.split(","):
            make, last, last_map, size = FAMILIES[name]
            torch.manual_seed(1)
            model = make().eval()
            if name == "vit_b_16":  # its head starts at zero
                torch.nn.init.normal_(model.heads.head.weight, std=0.02)
            batch, expected = torch_vectors(name, model, last, last_map, size, photos)
            for fixed in (False, True):
                for opset in opsets if given.all else [opsets[turn % len(opsets)]]:
                    onnx = work / f"{name}.onnx"
                    axes = None if fixed else {"input": {0: "N"}, "logits": {0: "N"}}
                    torch.onnx.export(model, batch[:1], onnx, opset_version=opset, input_names=["input"], output_names=["logits"], dynamic_axes=axes)
                    for (cut, pooling), theirs in expected.items():
                        ours = our_vectors(given.transfer, work, onnx, data, cut, pooling, photos)
                        same = ours.shape == theirs.shape
                        difference = np.abs(ours - theirs).max() / np.abs(theirs).max() if same else np.nan
                        right = same and difference <= TOLERANCE
                        failures += not right
                        print(f"| {name} | {opset} | {'1' if fixed else 'dynamic'} | {cut} | {pooling} | {ours.shape[1]:,} | {theirs.shape[1]:,} | {difference:.1e} | {'' if right else 'WRONG'} |", flush=True)
                    onnx.unlink()
                turn += 1
    sys.exit(1 if failures else 0)


main()
