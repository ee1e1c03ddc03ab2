#!/usr/bin/env python3
"""Golden pixels of Hugging Face's image processors, by their documented arithmetic, on a synthetic photo (Debian's python3-numpy, python3-pil).

Resize to a shortest edge: the long side is int(size * long / short). Center crop: top = (height - crop) // 2, left likewise; where the photo is smaller it
is put into zeros at ceil((crop - size) / 2). The photo's levels are (7 x + 13 y + 29 c + x * y) % 256. Prints C# InlineData of
tests/TransferPipeline.Tests/Images/HuggingFacePixelsTests.cs: width, height, shortest edge (0: no resize), crop, PIL's filter, SHA-256 of the RGB bytes.
"""
import hashlib
import math

import numpy as np
from PIL import Image


def photo(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((7 * x + 13 * y + 29 * c + x * y) % 256).astype(np.uint8)


def resized(image, edge, filter):
    height, width = image.shape[:2]
    short, long = (width, height) if width <= height else (height, width)
    new_short, new_long = edge, int(edge * long / short)
    size = (new_short, new_long) if width <= height else (new_long, new_short)
    return np.asarray(Image.fromarray(image).resize(size, filter))


def cropped(image, crop):
    height, width = image.shape[:2]
    top, left = (height - crop) // 2, (width - crop) // 2
    if top >= 0 and left >= 0 and top + crop <= height and left + crop <= width:
        return image[top : top + crop, left : left + crop]
    new_height, new_width = max(crop, height), max(crop, width)
    new = np.zeros((new_height, new_width, 3), image.dtype)
    top_pad, left_pad = math.ceil((new_height - height) / 2), math.ceil((new_width - width) / 2)
    new[top_pad : top_pad + height, left_pad : left_pad + width] = image
    top, left = top + top_pad, left + left_pad
    return new[max(0, top) : min(new_height, top + crop), max(0, left) : min(new_width, left + crop)]


for width, height, edge, crop, filter in [
    (63, 40, 32, 28, 3),  # 50 - 28 = 22: no half
    (61, 40, 30, 28, 3),  # 45 - 28 = 17: 8, where torchvision's is 8
    (65, 40, 30, 25, 2),  # 48 - 25 = 23: 11, where torchvision's is 12; and 5: 2, as torchvision's
    (40, 67, 30, 23, 1),  # 50 - 23 = 27: 13, where torchvision's is 14; and 7: 3, where torchvision's is 4
    (39, 47, 0, 32, 0),  # 7 and 15 without resize: 3 and 7, where torchvision's are 4 and 8
    (37, 50, 37, 30, 3),  # the short side already is right
    (30, 21, 0, 24, 2),  # 3 rows short: padded by 2 above, where torchvision pads 1
    (200, 33, 20, 26, 3),  # padded below the crop on one side, cropped on the other
]:
    image = photo(width, height)
    if edge:
        image = resized(image, edge, filter)
    pixels = np.ascontiguousarray(cropped(image, crop))
    assert pixels.shape == (crop, crop, 3)
    print(f'    [InlineData({width}, {height}, {edge}, {crop}, {filter}, "{hashlib.sha256(pixels.tobytes()).hexdigest()}")]')
