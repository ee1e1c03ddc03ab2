"""Classifies photos with a classifier.onnx, without TransferPipeline: python3 predict.py classifier.onnx PHOTO..."""
import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def prepare(photo, info):
    """The network's input, 1 x 3 x height x width or 1 x height x width x 3 float32, as the classifier's metadata say."""
    p = info["preprocessing"]
    image = Image.open(photo)
    if info["exif_transpose"]:
        image = ImageOps.exif_transpose(image)
    image = image.convert("RGB")
    (width, height), short = image.size, p["resize_short_side"]
    if short:
        size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    else:
        size = (p["resize_width"] or width, p["resize_height"] or height)
    if size != image.size and short != min(image.size):
        image = image.resize(size, getattr(Image, p["interpolation"].upper()))
    if p["crop_width"]:
        crop, size = (p["crop_width"], p["crop_height"]), image.size
        corner = [round((s - c) / 2) if c <= s else -((c - s) // 2) for s, c in zip(size, crop)]
        image = image.crop((*corner, corner[0] + crop[0], corner[1] + crop[1]))  # black where the photo is smaller
    x = np.asarray(image, np.float32)
    if p["divisor"]:
        x = (x - np.float32(p["offset"])) / np.float32(p["divisor"])
    else:
        x = (x / np.float32(255) - np.array(p["mean"], np.float32)) / np.array(p["std"], np.float32)
    if p["bgr"]:
        x = x[..., ::-1]
    return np.ascontiguousarray(x.transpose(2, 0, 1) if info["layout"] == "Nchw" else x)[None]


session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
info = json.loads(session.get_modelmeta().custom_metadata_map["transfer.classifier"])
for photo in sys.argv[2:]:
    probabilities = session.run(["probabilities"], {session.get_inputs()[0].name: prepare(photo, info)})[0][0]
    best = int(probabilities.argmax())
    print(f"{photo}: {info['labels'][best]} {probabilities[best]:.3f}")
