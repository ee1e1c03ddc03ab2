#!/usr/bin/env python3
"""Writes noise.png and expected.tsv: what torchvision's functions give on PIL images with forced parameters.

Run once with Debian's python3-torchvision (0.14) and Pillow 9.4: python3 make.py.
"""
import hashlib, os
import numpy as np
from PIL import Image
from torchvision.transforms import functional as F, InterpolationMode as M

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(11)
noise = Image.fromarray(rng.integers(0, 256, (41, 41, 3)).astype(np.uint8))
noise.save("noise.png")
photo = Image.open("../Formats/rgb.png").convert("RGB")
codes = np.arange(1 << 24, dtype=np.uint32)
every_color = Image.fromarray(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.uint8).reshape(4096, 4096, 3))
modes = {"Nearest": M.NEAREST, "Bilinear": M.BILINEAR, "Bicubic": M.BICUBIC, "Lanczos": M.LANCZOS}

with open("expected.tsv", "w") as table:
    table.write("picture\toperation\tparameters\twidth\theight\tsha256\n")

    def row(picture, operation, parameters, image):
        table.write("\t".join([picture, operation, parameters, str(image.width), str(image.height),
                               hashlib.sha256(image.tobytes()).hexdigest()]) + "\n")

    for name, image in {"noise": noise, "photo": photo}.items():
        row(name, "flip", "", F.hflip(image))
        for factor in [0.0, 0.3, 0.77, 1.0, 1.25, 2.6]:
            row(name, "brightness", repr(factor), F.adjust_brightness(image, factor))
            row(name, "contrast", repr(factor), F.adjust_contrast(image, factor))
            row(name, "saturation", repr(factor), F.adjust_saturation(image, factor))
        for factor in [-0.5, -0.21, -0.001, 0.1, 0.5]:
            row(name, "hue", repr(factor), F.adjust_hue(image, factor))
        for angle in [0.0, 90.0, 180.0, 270.0, -90.0, 360.0, 1.0, -13.7, 30.0, 45.0, 123.456, 271.0]:
            for mode in ["Nearest", "Bilinear"]:
                for fill in [0, 77]:
                    row(name, "rotate", f"{angle!r} {mode} {fill}", F.rotate(image, angle, modes[mode], fill=fill))
        for x, y, w, h in [(0, 0, 37, 29), (3, 5, 20, 11), (30, 20, 7, 9), (10, 10, 1, 1), (0, 0, 37, 1), (1, 2, 16, 16)]:
            for mode in modes:
                for width, height in [(16, 16), (53, 40)]:
                    row(name, "resized_crop", f"{x} {y} {w} {h} {width} {height} {mode}", F.resized_crop(image, y, x, h, w, [height, width], modes[mode]))
    row("every-color", "hue", "0.2", F.adjust_hue(every_color, 0.2))
    row("every-color", "saturation", "1.7", F.adjust_saturation(every_color, 1.7))
