#!/usr/bin/env python3
"""Public ONNX files of several exporters: our vectors against OpenCV's dnn module on the same pixels.

usage: public_onnx.py [--transfer bin/transfer] FILE.onnx ...
       (Debian's python3-opencv, python3-onnx, python3-torchvision, python3-pil)

`transfer inspect --json` says which tensor is the feature and which preprocessing is used; `transfer extract` makes the vectors of sample photos.
The photos are prepared once more by torchvision's transforms and run through OpenCV up to that tensor, one by one. Prints a Markdown table; the
difference is the largest, relative to the largest value. Exit code 1 when one is above 1e-3.
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
import torchvision.transforms as T
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


def main():
    repository = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--transfer", default=repository / "bin" / "transfer", type=pathlib.Path)
    given = parser.parse_args()
    failures = 0
    print(f"OpenCV {cv2.__version__}, {PHOTOS} photos\n\n| file | exporter | opset | feature | values | relative difference |\n|---|---|---|---|---|---|")
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
                expected = theirs(file, model, seen["cut"], [pixels(p, seen["preprocessing"]) for p in rows])
                if expected.shape[1] != ours.shape[1]:  # a map whose average is the feature
                    expected = expected.reshape(len(rows), ours.shape[1], -1).mean(2)
                difference = np.abs(ours - expected).max() / np.abs(expected).max()
                failures += not difference <= 1e-3
                print(f"{head} {seen['cut']} | {ours.shape[1]:,} | {difference:.1e} |", flush=True)
            except (RuntimeError, cv2.error) as error:
                print(f"{head} | | {str(error).splitlines()[0][:160]} |", flush=True)
    sys.exit(1 if failures else 0)


main()
