#!/usr/bin/python3
"""Extraction beside PyTorch: photos a second from JPEG files to vectors, both measured in turns in one run.

Ours: `transfer bench extract`, files to committed Parquet, efficientnet-lite0 (0.38 G multiply-adds).
Rival: Debian's torch and torchvision, PIL transforms (Resize, CenterCrop, ToTensor, Normalize), a DataLoader with two workers,
mobilenet_v2 with random weights (0.30 G multiply-adds: a network of the same kind, somewhat smaller), its pooled features, eager.
Without a network both show how fast they could feed a GPU: ours as hashed, decoded and resized bytes, the DataLoader as its tensors.

Usage: extract.py [--transfer bin/transfer] [--data ../shared/data/clothing] [--photos 1000] [--rounds 3] [--only feed]
"""

import argparse
import json
import os
import subprocess
import time

import torch
import torchvision
from torchvision import transforms

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def rival(data, photos, batch, with_network):
    """Rate of one pass over `photos` photos spread over the set, the start of the workers included as in any use of it."""
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize])
    folder = torchvision.datasets.ImageFolder(os.path.join(data, "train"), steps)
    picked = torch.utils.data.Subset(folder, [i * len(folder) // photos for i in range(photos)])
    network = torchvision.models.mobilenet_v2().eval()
    network.classifier = torch.nn.Identity()
    loader = torch.utils.data.DataLoader(picked, batch_size=batch, num_workers=2)
    vectors = []
    start = time.time()
    with torch.inference_mode():
        for pixels, _ in loader:
            vectors.append(network(pixels) if with_network else pixels.mean((2, 3)))
    rate = photos / (time.time() - start)
    assert torch.cat(vectors).shape == (photos, 1280 if with_network else 3)
    return rate


def ours(transfer, data, photos):
    done = subprocess.run([transfer, "bench", "extract", "--data", data, "--model", "efficientnet-lite0", "--photos", str(photos), "--rounds", "1", "--json"],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--data", default=os.path.join(REPOSITORY, "..", "shared", "data", "clothing"))
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["feed"], help="leave PyTorch's network out")
    options = parser.parse_args()
    torch.set_num_threads(2)
    best = {}
    for _ in range(options.rounds):
        result = ours(options.transfer, options.data, options.photos)
        for name in ("decode", "feed", "session", "bound", "achieved", "ratio"):
            best[name] = max(best.get(name, 0), result[name])
        best["loader"] = max(best.get("loader", 0), rival(options.data, options.photos, 32, with_network=False))
        if not options.only:
            best["torch"] = max(best.get("torch", 0), rival(options.data, options.photos, 32, with_network=True))
    print(f"photos {options.photos}, best of {options.rounds} rounds, torch {torch.__version__}, torchvision {torchvision.__version__}, 2 threads")
    print("| | photos a second |")
    print("|---|---|")
    for name, words in [("feed", "without a network: ours, JPEG files to hashed, decoded and resized bytes"), ("loader", "without a network: PIL, DataLoader with two workers"),
                        ("decode", "bare decode"), ("session", "bare session, best layout"), ("bound", "bound of the two"),
                        ("achieved", "ours, JPEG files to committed Parquet"), ("torch", "PyTorch + PIL, DataLoader with two workers")]:
        if name in best:
            print(f"| {words} | {best[name]:.0f} |")
    print(f"\nwithout a network ours / DataLoader: {best['feed'] / best['loader']:.1f}")
    if "torch" in best:
        print(f"ours / bound: {best['achieved'] / (1 / (1 / best['decode'] + 1 / best['session'])):.2f}; ours / PyTorch: {best['achieved'] / best['torch']:.1f}")


if __name__ == "__main__":
    main()
