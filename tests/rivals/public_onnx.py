#!/usr/bin/env python3
"""Public ONNX files of several exporters: our vectors against torch's operators, or OpenCV's dnn module, on the same pixels.

usage: public_onnx.py [--transfer bin/transfer] FILE.onnx ...
       (Debian's python3-opencv, python3-onnx, python3-torchvision, python3-pil)

`transfer inspect --json` says which tensor is the feature and which preprocessing is used; `transfer extract` makes the vectors of sample photos.
The photos are prepared once more by torchvision's transforms and run one by one up to that tensor, node by node by torch in float32
(onnx_by_torch.py), or, where that lacks an operator, by OpenCV. Prints a Markdown table; the difference is the largest, relative to the largest value. Exit code 1 when one is
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
import onnx_by_torch
import torch
import torchvision.transforms as T
from PIL import Image

PHOTOS = 6


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
    return done.stdout


def pixels(photo, p, layout):
    """torchvision's Resize and CenterCrop, then the levels as the preprocessing states them; 3 x height x width, or height x width x 3."""
    filter = T.InterpolationMode(str(p["interpolation"]).lower())
    size = p["resize_short_side"] or [p["resize_height"], p["resize_width"]]
    image = T.Resize(size, filter)(Image.open(photo).convert("RGB"))
    if p["crop_height"]:
        image = T.CenterCrop([p["crop_height"], p["crop_width"]])(image)
    x = np.asarray(image).astype(np.float32)
    x = (x - np.float32(p["offset"])) / np.float32(p["divisor"]) if p["divisor"] else (x / np.float32(255) - np.float32(p["mean"])) / np.float32(p["std"])
    x = x[..., ::-1] if p["bgr"] else x
    return x.transpose(2, 0, 1).copy() if layout == "nchw" else x.copy()


def theirs(file, model, tensor, batch):
    try:
        net = cv2.dnn.readNetFromONNX(str(file))
    except cv2.error as error:
        raise RuntimeError("OpenCV cannot read it") from error
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
                batch, engine = [pixels(p, seen["preprocessing"], seen["input"]["layout"]) for p in rows], "torch"
                try:
                    expected = onnx_by_torch.run(file, seen["cut"], batch)
                except RuntimeError:
                    expected, engine = theirs(file, model, seen["cut"], batch), "OpenCV"
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
