#!/usr/bin/env python3
"""Public ONNX files of several exporters: our vectors against OpenCV's dnn module, or torch's layers, on the same pixels.

usage: public_onnx.py [--transfer bin/transfer] FILE.onnx ...
       (Debian's python3-opencv, python3-onnx, python3-torchvision, python3-pil)

`transfer inspect --json` says which tensor is the feature and which preprocessing is used; `transfer extract` makes the vectors of sample photos.
The photos are prepared once more by torchvision's transforms and run one by one up to that tensor by OpenCV, or, where OpenCV cannot read the file,
node by node by torch in float32. Prints a Markdown table; the difference is the largest, relative to the largest value. Exit code 1 when one is
above 1e-3 (1e-2 for files in float16) or a file cannot be run.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as F
import torchvision.transforms as T
from onnx import helper, numpy_helper
from PIL import Image

FILTERS = {"nearest": 0, "bilinear": 2, "bicubic": 3, "lanczos": 1}
PHOTOS = 6


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
    return done.stdout


def pixels(photo, p):
    """torchvision's Resize and CenterCrop, then the levels as the preprocessing states them; 3 x height x width."""
    filter = T.InterpolationMode(str(p["interpolation"]).lower())
    size = p["resize_short_side"] or [p["resize_height"], p["resize_width"]]
    image = T.Resize(size, filter)(Image.open(photo).convert("RGB"))
    if p["crop_height"]:
        image = T.CenterCrop([p["crop_height"], p["crop_width"]])(image)
    x = np.asarray(image).astype(np.float32)
    x = (x - np.float32(p["offset"])) / np.float32(p["divisor"]) if p["divisor"] else (x / np.float32(255) - np.float32(p["mean"])) / np.float32(p["std"])
    return (x[..., ::-1] if p["bgr"] else x).transpose(2, 0, 1).copy()


def theirs(file, model, tensor, batch):
    net = cv2.dnn.readNetFromONNX(str(file))
    # OpenCV's layers have the nodes' names, with a prefix, or those of their outputs.
    names = {tensor} | {n.name for n in model.graph.node if tensor in n.output}
    layers = [n for n in net.getLayerNames() if n.split("!")[-1] in names]
    if not layers:
        raise RuntimeError(f"OpenCV has no layer of '{tensor}'")
    rows = []
    for photo in batch:
        net.setInput(photo[None])
        rows.append(net.forward(layers[-1]).reshape(-1))
    return np.stack(rows)


def padded(x, a, value=0.0):
    """The input with ONNX's pads (top, left, bottom, right) around it."""
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    return F.pad(x, (left, right, top, bottom), value=value) if top + left + bottom + right else x


def average(a, x):
    kernel, stride = a["kernel_shape"], a.get("strides", [1, 1])
    ones = torch.ones_like(x[:1, :1])
    return F.avg_pool2d(padded(x, a), kernel, stride) / (1.0 if a.get("count_include_pad") else F.avg_pool2d(padded(ones, a), kernel, stride))


OPERATORS = {
    "Conv": lambda a, x, w, b=None: F.conv2d(padded(x, a), w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1)),
    "BatchNormalization": lambda a, x, w, b, m, v: F.batch_norm(x, m, v, w, b, eps=a.get("epsilon", 1e-5)),
    "Relu": lambda a, x: x.relu(),
    "Clip": lambda a, x, low=None, high=None: x.clamp(a.get("min") if low is None else low.item(), a.get("max") if high is None else high.item()),
    "MaxPool": lambda a, x: F.max_pool2d(padded(x, a, -float("inf")), a["kernel_shape"], a.get("strides", 1)),
    "AveragePool": average,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y,
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Split": lambda a, x: x.split(a["split"], a.get("axis", 0)),
    "Dropout": lambda a, x: x,
    "Identity": lambda a, x: x,
    "Cast": lambda a, x: x.float(),
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Gemm": lambda a, x, w, b=0: (x.T if a.get("transA") else x) @ (w.T if a.get("transB") else w) * a.get("alpha", 1) + b * a.get("beta", 1),
    "MatMul": lambda a, x, w: x @ w,
}


def by_torch(file, tensor, batch):
    graph = onnx.load(str(file)).graph
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).astype(np.float32)) for i in graph.initializer}
    (name,) = [i.name for i in graph.input if i.name not in weights]
    rows = []
    with torch.no_grad():
        for photo in batch:
            values = weights | {name: torch.from_numpy(photo[None])}
            for node in graph.node:
                if tensor in values:
                    break
                attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
                if node.op_type == "Constant":
                    made = torch.from_numpy(numpy_helper.to_array(attributes["value"]).astype(np.float32))
                elif node.op_type in OPERATORS:
                    made = OPERATORS[node.op_type](attributes, *[values[i] if i else None for i in node.input])
                else:
                    raise RuntimeError(f"no {node.op_type} here")
                values |= zip(node.output, made if isinstance(made, tuple) else [made])
            rows.append(values[tensor].numpy().reshape(-1))
    return np.stack(rows)


def main():
    repository = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--transfer", default=repository / "bin" / "transfer", type=pathlib.Path)
    given = parser.parse_args()
    failures = 0
    print(f"OpenCV {cv2.__version__}, torch {torch.__version__}, {PHOTOS} photos\n")
    print("| file | exporter | opset | feature | values | compared with | relative difference |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        photos = sorted((repository / "samples" / "clothing" / "validation").rglob("*.jpg"))[::17][:PHOTOS]
        for photo in photos:
            target = work / "photos" / "train" / photo.parent.name / photo.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(photo.read_bytes())
        for file in given.files:
            model = onnx.load(str(file), load_external_data=False)
            head = f"| {file.name.split('__')[-1]} | {model.producer_name or '?'} {model.producer_version} | {max(o.version for o in model.opset_import if o.domain in ('', 'ai.onnx'))} |"
            try:
                seen = json.loads(call(given.transfer, "inspect", file, "--json"))
                out = work / "set"
                call(given.transfer, "extract", "--data", work / "photos", "--model", file, "--out", out)
                call(given.transfer, "features", "export", out, "--format", "npy", "--out", work / "v")
                rows = [work / "photos" / r["path"] for r in csv.DictReader(open(work / "v.csv", newline=""))]
                ours = np.load(work / "v.npy")
                subprocess.run(["rm", "-rf", str(out), str(work / "v.npy"), str(work / "v.csv")], check=True)
                batch, engine = [pixels(p, seen["preprocessing"]) for p in rows], "OpenCV"
                try:
                    expected = theirs(file, model, seen["cut"], batch)
                except (RuntimeError, cv2.error):
                    expected, engine = by_torch(file, seen["cut"], batch), "torch"
                if expected.shape[1] != ours.shape[1]:  # a map whose average is the feature
                    expected = expected.reshape(len(rows), ours.shape[1], -1).mean(2)
                difference = np.abs(ours - expected).max() / np.abs(expected).max()
                failures += not difference <= (1e-2 if seen["input"]["element_type"] == "float16" else 1e-3)
                print(f"{head} {seen['cut']} | {ours.shape[1]:,} | {engine} | {difference:.1e} |", flush=True)
            except RuntimeError as error:
                failures += 1
                print(f"{head} | | | {str(error).splitlines()[0][:160]} |", flush=True)
    sys.exit(1 if failures else 0)


main()
