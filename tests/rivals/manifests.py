#!/usr/bin/python3
"""Every manifest that names torchvision's weights against torchvision itself: size, resize, crop, interpolation, mean and deviation.

    manifests.py [models folder]        (Debian's python3-torchvision and python3-yaml)

Prints a line for each manifest; exit code 1 when a value differs.
"""
import pathlib
import re
import sys

import torchvision
import yaml


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2] / "models"
    failures = 0
    for file in sorted(folder.glob("*.yaml")):
        manifest = yaml.safe_load(file.read_text())
        named = re.search(r"(\w+_Weights)\.(\w+)\.transforms", manifest.get("preprocessing-source", ""))
        if not named:
            print(f"{manifest['name']}: {manifest.get('preprocessing-source', 'no source')}")
            continue
        t = getattr(torchvision.models, named[1])[named[2]].transforms()
        theirs = {"resize": t.resize_size[0], "crop": t.crop_size[0], "interpolation": t.interpolation.value, "mean": t.mean, "std": t.std, "size": t.crop_size[0]}
        ours = dict(manifest["preprocessing"], size=manifest["input"]["size"])
        wrong = [f"{k} is {ours.get(k)}, torchvision's {v}" for k, v in theirs.items() if ours.get(k) != v]
        failures += len(wrong)
        print(f"{manifest['name']}: {named[0]}: {'; '.join(wrong) or 'the same'}")
    sys.exit(1 if failures else 0)


main()
