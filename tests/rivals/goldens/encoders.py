"""Encoders in the form of CLIP, DINOv2 (with registers) and SigLIP, small and with random weights, and torch's vectors of sample photos.

usage: encoders.py (Debian's python3-torch, python3-torchvision, python3-pil); writes encoders/NAME/{model.onnx,*.json} beside itself
"""
import json
import pathlib
import warnings

import torch
import torch.nn.functional as F
import torchvision.transforms as T
from PIL import Image
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "samples" / "clothing"
SIZE, PATCH, WIDTH, HEADS = 32, 8, 16, 2
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(-1)
        x = x + self.out((attention @ v).transpose(1, 2).reshape(n, t, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Vision(nn.Module):
    """Patches, a class token and registers or none, blocks, a norm."""

    def __init__(self, class_token, registers):
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.prefix = nn.Parameter(torch.randn(1, class_token + registers, WIDTH)) if class_token + registers else None
        self.position = nn.Parameter(torch.randn(1, (SIZE // PATCH) ** 2 + class_token, WIDTH) * 0.5)
        self.class_token = class_token
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, pixels):
        x = self.patch(pixels).flatten(2).transpose(1, 2)
        n = x.shape[0]
        if self.prefix is None:
            return self.norm(self.blocks(x + self.position))
        x = torch.cat([self.prefix[:, :1].expand(n, -1, -1), x], 1) + self.position
        x = torch.cat([x[:, :1], self.prefix[:, 1:].expand(n, -1, -1), x[:, 1:]], 1)
        return self.norm(self.blocks(x))


class Clip(nn.Module):
    def __init__(self):
        super().__init__()
        self.vision, self.visual_projection = Vision(1, 0), nn.Linear(WIDTH, 12, bias=False)

    def forward(self, pixels):
        tokens = self.vision(pixels)
        return F.normalize(self.visual_projection(tokens[:, 0]), dim=-1), tokens


class Dino(nn.Module):
    def __init__(self):
        super().__init__()
        self.vision = Vision(1, 4)

    def forward(self, pixels):
        return self.vision(pixels)


class Siglip(nn.Module):
    """The pooling head attends from a learned probe over all patches."""

    def __init__(self):
        super().__init__()
        self.vision, self.probe = Vision(0, 0), nn.Parameter(torch.randn(1, 1, WIDTH))
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm, self.up, self.down = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, pixels):
        tokens = self.vision(pixels)
        pooled = self.attention(self.probe.expand(tokens.shape[0], -1, -1), tokens, tokens)[0]
        return tokens, (pooled + self.down(F.gelu(self.up(self.norm(pooled)))))[:, 0]


def transform(resize, crop, interpolation, mean, std):
    steps = [T.Resize(resize, interpolation)] + ([T.CenterCrop(crop)] if crop else [])
    return T.Compose(steps + [T.ToTensor(), T.Normalize(mean, std)])


def write(name, model, outputs, steps, config, vectors):
    torch.manual_seed(5)
    model = model().eval()
    for p in model.parameters():
        if p.dim() == 1:
            nn.init.normal_(p, 0.5, 0.3)
    photos = [sorted((SAMPLES / "validation" / c).glob("*.jpg"))[0] for c in ("dress", "hat", "pants", "shoes")]
    batch = torch.stack([steps(Image.open(p).convert("RGB")) for p in photos])
    folder = HERE / "encoders" / name
    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(model, batch[:1], str(folder / "model.onnx"), opset_version=14, input_names=["pixel_values"], output_names=outputs,
                      dynamic_axes={n: {0: "batch"} for n in ["pixel_values", *outputs]})
    for file, content in config.items():
        (folder / file).write_text(json.dumps(content) + "\n")
    with torch.no_grad():
        results = model(batch)
    expected = {key: make(results).double().tolist() for key, make in vectors.items()}
    rounded = {key: [[float(f"{v:.7g}") for v in row] for row in rows] for key, rows in expected.items()}
    (folder / "vectors.json").write_text(json.dumps({"torch": torch.__version__, "photos": [str(p.relative_to(SAMPLES)) for p in photos], "vectors": rounded}) + "\n")


BICUBIC = T.InterpolationMode.BICUBIC
write("clip", Clip, ["image_embeds", "last_hidden_state"], transform(SIZE, SIZE, BICUBIC, *CLIP),
      {"preprocessor_config.json": {"image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": SIZE}, "resample": 3,
                                    "do_center_crop": True, "crop_size": {"height": SIZE, "width": SIZE}, "do_rescale": True,
                                    "rescale_factor": 0.00392156862745098, "do_normalize": True, "image_mean": CLIP[0], "image_std": CLIP[1]}},
      {"none": lambda r: r[0], "cls": lambda r: r[1][:, 0], "mean": lambda r: r[1][:, 1:].mean(1), "avg": lambda r: r[1].mean(1)})
write("dinov2", Dino, ["last_hidden_state"], transform(36, SIZE, BICUBIC, *IMAGENET),
      {"config.json": {"architecture": "vit_tiny_patch8_reg4_dinov2", "num_classes": 0,
                       "pretrained_cfg": {"input_size": [3, SIZE, SIZE], "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center",
                                          "mean": IMAGENET[0], "std": IMAGENET[1]}}},
      {"cls": lambda r: r[:, 0], "mean": lambda r: r[:, 5:].mean(1), "cls+mean": lambda r: torch.cat([r[:, 0], r[:, 5:].mean(1)], 1)})
write("siglip", Siglip, ["last_hidden_state", "pooler_output"], transform((SIZE, SIZE), None, BICUBIC, [0.5] * 3, [0.5] * 3),
      {"open_clip_config.json": {"model_cfg": {"embed_dim": WIDTH}, "preprocess_cfg": {"size": [SIZE, SIZE], "mean": [0.5] * 3, "std": [0.5] * 3,
                                                                                       "interpolation": "bicubic", "resize_mode": "squash"}}},
      {"none": lambda r: r[1], "mean": lambda r: r[0].mean(1)})
