#!/usr/bin/env python3
"""Writes expected.tsv (pixels after torchvision's Resize and CenterCrop on small and odd pictures) and normalized.tsv (the
float32 of every level, in hexadecimal bits). Run once with Debian's python3-torchvision (0.14) and Pillow 9.4."""
import hashlib, os, struct
import numpy as np
import torch
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F, InterpolationMode as M

os.chdir(os.path.dirname(os.path.abspath(__file__)))
modes = {"Nearest": M.NEAREST, "Bilinear": M.BILINEAR, "Bicubic": M.BICUBIC, "Lanczos": M.LANCZOS}
noise = Image.open("../Augmentations/noise.png").convert("RGB")
pictures = {"41x41": noise, "37x29": noise.crop((0, 0, 37, 29)), "1x1": noise.crop((3, 3, 4, 4)), "2x41": noise.crop((0, 0, 2, 41)),
            "41x3": noise.crop((0, 0, 41, 3)), "16x16": noise.crop((0, 0, 16, 16)), "5x7": noise.crop((0, 0, 5, 7))}
with open("expected.tsv", "w") as table:
    table.write("picture\tresize\tcrop\tinterpolation\twidth\theight\tsha256\n")
    for name, image in pictures.items():
        for resize in [(), (16,), (50,), (9, 31), (16, 16), (40, 23)]:
            for crop in [(), (16, 16), (17, 8), (60, 61)]:
                for mode in modes:
                    if not resize and mode != "Bilinear":
                        continue
                    out = image if not resize else T.Resize(resize[0] if len(resize) == 1 else resize, modes[mode])(image)
                    out = F.center_crop(out, list(crop)) if crop else out
                    text = lambda size: "x".join(map(str, size)) or "-"
                    table.write("\t".join([name, text(resize), text(crop), mode, str(out.width), str(out.height),
                                           hashlib.sha256(out.tobytes()).hexdigest()]) + "\n")

levels = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2))
tensor = T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(T.ToTensor()(levels))[:, 0]
other = (torch.arange(256, dtype=torch.float32) - 127) / 128
with open("normalized.tsv", "w") as table:
    table.write("level\tred\tgreen\tblue\tless_127_by_128\n")
    for level in range(256):
        values = [tensor[0, level], tensor[1, level], tensor[2, level], other[level]]
        table.write("\t".join([str(level)] + ["%08x" % struct.unpack("<I", struct.pack("<f", float(v)))[0] for v in values]) + "\n")
