#!/usr/bin/python3
"""The tutorials' own backbones with random weights: memory against the file's size, rate against the raw session's; the cost of views.

    backbones.py [memory] [rate] [views] [--data PHOTOS] [--models FOLDER] [--only vgg16:features] [--photos 24] [--rounds 2]

memory  peak resident memory of `transfer extract`; the budget is the full model's file size plus 400 MB
rate    `transfer bench extract`: files to committed Parquet beside the same session fed the same pixels again and again, in its best layout
views   one pipeline on efficientnet-lite0 with 1 and with 8 augmented copies of each training photo, and the 8 again

VGG16 and ResNet50 are exported once into the models' folder by Debian's python3-torch and python3-torchvision.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CASES = [("vgg16", "features", "adaptive:3x3"), ("vgg16", "penultimate", "none"), ("vgg16", "features", "none"), ("resnet50", "penultimate", "none")]
SPARE = 400e6


def export(name, folder):
    file = folder / f"{name}.onnx"
    if not file.exists():
        import torch
        import torchvision

        torch.manual_seed(1)
        model = getattr(torchvision.models, name)().eval()
        axes = {"input": {0: "N"}, "logits": {0: "N"}}
        torch.onnx.export(model, torch.zeros(1, 3, 224, 224), file, opset_version=13, input_names=["input"], output_names=["logits"], dynamic_axes=axes)
    return file


def output(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def peak(*command):
    """Peak resident memory of a process in bytes."""
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: exit status {status}")
    return usage.ru_maxrss * 1024


def memory(given, cases, scratch):
    print("\n| backbone | cut | pooling | file MB | peak MB | budget MB | |\n|---|---|---|---|---|---|---|")
    worst = 0
    for name, cut, pooling in cases:
        file = export(name, given.models)
        used = peak(given.transfer, "extract", "--data", given.data, "--model", file, "--cut", cut, "--pooling", pooling, "--out", scratch / f"{name}-{cut}-{pooling.replace(':', '-')}")
        budget = file.stat().st_size + SPARE
        worst += used > budget
        print(f"| {name} | {cut} | {pooling} | {file.stat().st_size / 1e6:.0f} | {used / 1e6:.0f} | {budget / 1e6:.0f} | {'' if used <= budget else 'ABOVE'} |", flush=True)
    return worst


def rate(given, cases):
    print("\n| backbone | cut | pooling | bare session, best layout | photos/s | bare decode | ours, files to Parquet | of the session | of the bound (processor time) |\n|---|---|---|---|---|---|---|---|---|")
    worst = 0
    for name, cut, pooling in cases:
        r = json.loads(output(given.transfer, "bench", "extract", "--data", given.data, "--model", export(name, given.models), "--cut", cut, "--pooling", pooling,
                              "--photos", given.photos, "--rounds", given.rounds, "--json"))
        worst += r["achieved"] < 0.9 * r["session"]
        print(f"| {name} | {cut} | {pooling} | {r['best_layout']} | {r['session']:.2f} | {r['decode']:.0f} | {r['achieved']:.2f} | {r['achieved'] / r['session']:.3f} | {r['ratio']:.3f} ({r['processor_ratio']:.3f}) |", flush=True)
    return worst


def views(given, scratch):
    print("\n| copies of each training photo | vectors | extraction s | of it decoding s | preprocessing s | inference s | whole run s |\n|---|---|---|---|---|---|---|")
    costs = {}
    for title, count in (("0", 0), ("1", 1), ("8", 8), ("8, second run", 8)):
        pipeline = scratch / f"views{count}.yaml"
        augment = f"augment:\n  - random-resized-crop: {{size: 224}}\n  - random-horizontal-flip: {{p: 0.5}}\nviews: {count}\n" if count else ""
        pipeline.write_text(f"name: views{count}\ndata:\n  path: {given.data.resolve()}\nmodel: efficientnet-lite0\n{augment}heads:\n  - nearest-mean\n")
        out, before = scratch / f"out{count}", costs.get(count)
        start = time.time()
        output(given.transfer, "run", pipeline, "--out", out)
        seconds = time.time() - start
        manifests = list(out.rglob("manifest.json"))
        manifest = json.loads(manifests[0].read_text())
        cost, vectors = manifest["cost"], sum(p["rows"] for p in manifest["parts"])
        if before == cost:
            cost = dict.fromkeys(cost, 0)
        else:
            costs[count] = cost
        print(f"| {title} | {vectors} | {cost['seconds']:.2f} | {cost['decode_seconds']:.2f} | {cost['preprocess_seconds']:.2f} | {cost['infer_seconds']:.2f} | {seconds:.2f} |", flush=True)
    one, eight = costs[1]["seconds"], costs[8]["seconds"]
    print(f"\n8 views take {eight / one:.2f} times what 1 takes")
    return eight >= 8 * one


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["memory", "rate", "views"])
    parser.add_argument("--transfer", type=pathlib.Path, default=REPOSITORY / "bin" / "transfer")
    parser.add_argument("--data", type=pathlib.Path, default=REPOSITORY.parent / "shared" / "data" / "hymenoptera")
    parser.add_argument("--models", type=pathlib.Path, help="where vgg16.onnx and resnet50.onnx are or shall be; default: a folder that is removed")
    parser.add_argument("--only", help="such as vgg16:features")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    cases = [c for c in CASES if not given.only or f"{c[0]}:{c[1]}:{c[2]}".startswith(given.only)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        given.models = given.models or scratch
        given.models.mkdir(parents=True, exist_ok=True)
        if "memory" in given.parts:
            failures += memory(given, cases, scratch)
        if "rate" in given.parts:
            failures += rate(given, cases)
        if "views" in given.parts:
            failures += views(given, scratch)
    sys.exit(1 if failures else 0)


main()
