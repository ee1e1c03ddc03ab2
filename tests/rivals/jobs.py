#!/usr/bin/python3
"""Runs the well-known jobs end to end with stand-in data and prints one table.

The tutorials' own photos and backbones are not in the repository; each job keeps its pipeline file and settings, and gets
  hymenoptera  the ants and bees of the shared folder, on efficientnet-lite0 in the place of ResNet18
  cifar10      CIFAR-10's binary format made from the clothing photos (32 x 32, ten classes), on efficientnet-lite0 or a VGG16 file
  dog-breeds   a labels.csv made from the clothing photos, on efficientnet-lite0 or a ResNet50 file
  flowers      80 photos of each of the ten kinds of clothes, a folder a class without splits, on efficientnet-lite0 or a VGG16 file
  cats-dogs    the ants and bees, 200 and 200, a folder a class without splits, on the same
  zoo          the pipeline's six torchvision families, exported with random weights, beside efficientnet-lite0, on 160 of the ants and bees:
               shows that each is cut and runs and what it costs; the accuracy of random weights is that of random features

Usage: jobs.py [--transfer bin/transfer] [--shared ../shared] [--vgg16 FILE.onnx] [--resnet50 FILE.onnx] [JOB ...]
Needs Debian's python3-pil and python3-numpy; the zoo also python3-torchvision.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def photos(clothing, split):
    root = os.path.join(clothing, split)
    for label in sorted(os.listdir(root)):
        folder = os.path.join(root, label)
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                yield label, os.path.join(folder, name)


def make_cifar(clothing, target):
    """data_batch_1..5.bin, test_batch.bin and batches.meta.txt: one label byte, then 32 x 32 red, green and blue planes."""
    os.makedirs(target)
    labels = sorted({label for label, _ in photos(clothing, "train")})
    with open(os.path.join(target, "batches.meta.txt"), "w") as file:
        file.write("\n".join(labels) + "\n")
    records = {"train": [], "validation": []}
    for split, rows in records.items():
        for label, path in photos(clothing, split):
            small = Image.open(path).convert("RGB").resize((32, 32), Image.BICUBIC)
            rows.append(bytes([labels.index(label)]) + numpy.asarray(small).transpose(2, 0, 1).tobytes())
    for number in range(5):
        with open(os.path.join(target, f"data_batch_{number + 1}.bin"), "wb") as file:
            file.write(b"".join(records["train"][number::5]))
    with open(os.path.join(target, "test_batch.bin"), "wb") as file:
        file.write(b"".join(records["validation"]))
    return target


def make_labels(clothing, target):
    """train/<id>.jpg and labels.csv with the columns id and breed."""
    os.makedirs(os.path.join(target, "train"))
    with open(os.path.join(target, "labels.csv"), "w") as file:
        file.write("id,breed\n")
        for label, path in photos(clothing, "train"):
            name = os.path.splitext(os.path.basename(path))[0]
            os.symlink(path, os.path.join(target, "train", name + ".jpg"))
            file.write(f"{name},{label}\n")
    return os.path.join(target, "labels.csv")


def make_classes(sources, target, count):
    """Links to the first photos of each class, in a folder a class."""
    for label, folders in sources.items():
        os.makedirs(os.path.join(target, label))
        files = [os.path.join(folder, name) for folder in folders for name in sorted(os.listdir(folder)) if name.endswith(".jpg")]
        for path in files[:count]:
            os.symlink(path, os.path.join(target, label, os.path.basename(path)))
    return target


def make_small(hymenoptera, target, photos=40):
    """Links to the first photos of each class and split."""
    for split in ("train", "val"):
        for label in ("ants", "bees"):
            folder = os.path.join(hymenoptera, split, label)
            os.makedirs(os.path.join(target, split, label))
            for name in sorted(n for n in os.listdir(folder) if n.endswith(".jpg"))[:photos]:
                os.symlink(os.path.join(folder, name), os.path.join(target, split, label, name))
    return target


def export_zoo(target):
    """The families of torchvision's finetuning tutorial with random weights, batch fixed at 1 as in the model zoo's files."""
    import torch
    import torchvision

    os.makedirs(target)
    files = []
    for name in ("resnet18", "alexnet", "vgg11_bn", "squeezenet1_0", "densenet121", "inception_v3"):
        torch.manual_seed(1)
        model = getattr(torchvision.models, name)(**({"init_weights": False} if name == "inception_v3" else {})).eval()
        side = 299 if name == "inception_v3" else 224
        files.append(os.path.join(target, name + ".onnx"))
        torch.onnx.export(model, torch.zeros(1, 3, side, side), files[-1], opset_version=16, input_names=["input"], output_names=["logits"])
    return files


def run(transfer, pipeline, out, settings):
    command = [transfer, "run", os.path.join(REPOSITORY, "pipelines", pipeline + ".yaml"), "--out", out, "--json"]
    for setting in settings:
        command += ["--set", setting]
    start = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{pipeline}: exit code {done.returncode}")
    return json.loads(done.stdout), time.time() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--shared", default=os.path.join(REPOSITORY, "..", "shared"))
    parser.add_argument("--vgg16", help="an ONNX file for the own backbone of CIFAR, flowers and cats-dogs; random weights serve to show that it runs")
    parser.add_argument("--resnet50", help="the same for the dog job")
    parser.add_argument("jobs", nargs="*", default=["hymenoptera", "cifar10", "dog-breeds", "flowers", "cats-dogs", "zoo"])
    options = parser.parse_args()
    shared = os.path.abspath(options.shared)
    clothing, hymenoptera = os.path.join(shared, "data", "clothing"), os.path.join(shared, "data", "hymenoptera")
    with tempfile.TemporaryDirectory() as scratch:
        jobs = {
            "hymenoptera": ("hymenoptera-resnet18", [f"data.path={hymenoptera}", "model=efficientnet-lite0"]),
            "cifar10": lambda: ("cifar10-vgg16", [f"data.path={make_cifar(clothing, os.path.join(scratch, 'cifar'))}"]
                                + ([f"model={options.vgg16}"] if options.vgg16 else ["model=efficientnet-lite0"])),
            "dog-breeds": lambda: ("dog-breeds-resnet50", [f"data.path={make_labels(clothing, os.path.join(scratch, 'dogs'))}"]
                                   + [f"model={options.resnet50 or 'efficientnet-lite0'}"]),
            "flowers": lambda: ("flowers-vgg16", [f"model={options.vgg16 or 'efficientnet-lite0'}", "data.path=" + make_classes(
                {label: [os.path.join(clothing, "train", label)] for label in sorted(os.listdir(os.path.join(clothing, "train")))}, os.path.join(scratch, "flowers"), 80)]),
            "cats-dogs": lambda: ("cats-dogs-vgg16", [f"model={options.vgg16 or 'efficientnet-lite0'}", "data.path=" + make_classes(
                {label: [os.path.join(hymenoptera, split, label) for split in ("train", "val")] for label in ("ants", "bees")}, os.path.join(scratch, "cats-dogs"), 200)]),
            "zoo": lambda: ("torchvision-zoo", [f"data.path={make_small(hymenoptera, os.path.join(scratch, 'small'))}",
                                                f"model=[{', '.join(export_zoo(os.path.join(scratch, 'zoo')))}, efficientnet-lite0]"]),
        }
        print("| job | features | extraction s | head | accuracy | 95 % interval | fit s | whole job s |")
        print("|---|---|---|---|---|---|---|---|")
        for name in options.jobs:
            job = jobs[name]() if callable(jobs[name]) else jobs[name]
            result, seconds = run(options.transfer, job[0], os.path.join(scratch, "out-" + name), job[1])
            sets = result["provenance"]["feature_sets"]
            for head in result["heads"]:
                features = sets[head["feature_set"]]
                print(f"| {name} | {features['model']} {features['cut']} ({features['dimension']:,}) | {features['extraction_seconds']:.1f} | {head['title']} | {head['accuracy']:.3f} "
                      f"| {head['accuracy_low']:.3f} - {head['accuracy_high']:.3f} | {head['fit_seconds']:.2f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
