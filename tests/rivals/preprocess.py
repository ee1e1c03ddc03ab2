#!/usr/bin/env python3
"""What one thread of Pillow and torchvision takes per photo to decode, resize, crop and normalize.

usage: preprocess.py FOLDER [COUNT]     (Debian's python3-pil, python3-torch, python3-torchvision)
Prints milliseconds a photo, the best of five passes over files that are in memory.
"""
import io
import pathlib
import sys
import time

import torch
import torchvision.transforms as T
from PIL import Image, __version__

torch.set_num_threads(1)
folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))[:count]
encoded = [p.read_bytes() for p in files]
photos = [Image.open(io.BytesIO(b)).convert("RGB") for b in encoded]


def best(work, items):
    passes = []
    for _ in range(5):
        start = time.perf_counter()
        for item in items:
            work(item)
        passes.append(time.perf_counter() - start)
    return min(passes) / len(items) * 1e3


print(f"Pillow {__version__}, {len(photos)} photos, ms a photo")
print(f"decode\t{best(lambda b: Image.open(io.BytesIO(b)).convert('RGB'), encoded):.3f}")
for name, mode in (("bilinear", T.InterpolationMode.BILINEAR), ("bicubic", T.InterpolationMode.BICUBIC)):
    resize = T.Resize(256, interpolation=mode)
    steps = T.Compose([resize, T.CenterCrop(224), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    print(f"resize 256 {name}\t{best(resize, photos):.3f}")
    print(f"resize, crop, normalize {name}\t{best(steps, photos):.3f}")
