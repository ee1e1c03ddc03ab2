#!/usr/bin/python3
"""Extraction beside PyTorch: photos per second from JPEG files to vectors, both measured in turns in one run.

Ours: `transfer bench extract`, files to committed Parquet, efficientnet-lite0 (0.38 G multiply-adds).
Rival: Debian's torch and torchvision, PIL transforms (Resize, CenterCrop, ToTensor, Normalize), a DataLoader with two workers,
mobilenet_v2 with random weights (0.30 G multiply-adds: a network of the same kind, somewhat smaller), its pooled features, eager;
with --best also traced, frozen and in channels_last, with one and two threads, of which the fastest counts.
With --model FILE.onnx ours is another backbone, such as one that `transfer models quantize` made.
Without a network both show how fast they could feed a GPU: ours as hashed, decoded and resized bytes, the DataLoader as its tensors.

Usage: extract.py [--transfer bin/transfer] [--data ../shared/data/clothing] [--photos 1000] [--rounds 3] [--only feed] [--best] [--model NAME|FILE.onnx]
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


def frozen(network, batch):
    """The network traced, frozen and optimized, in channels_last, after the runs in which TorchScript optimizes it."""
    example = torch.zeros(batch, 3, 224, 224).to(memory_format=torch.channels_last)
    with torch.inference_mode(False), torch.no_grad():
        traced = torch.jit.trace(network.to(memory_format=torch.channels_last), example)
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        for _ in range(3):
            traced(example)
    return lambda pixels: traced(pixels.contiguous(memory_format=torch.channels_last))


def rival(data, photos, batch, with_network, best=False):
    """Rate of one pass over `photos` photos spread over the set, the start of the workers included as in any use of it."""
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize])
    folder = torchvision.datasets.ImageFolder(os.path.join(data, "train"), steps)
    picked = torch.utils.data.Subset(folder, [i * len(folder) // photos for i in range(photos)])
    network = torchvision.models.mobilenet_v2().eval()
    network.classifier = torch.nn.Identity()
    if best:
        network = frozen(network, batch)
    loader = torch.utils.data.DataLoader(picked, batch_size=batch, num_workers=2)
    vectors = []
    start = time.time()
    with torch.inference_mode():
        for pixels, _ in loader:
            vectors.append(network(pixels) if with_network else pixels.mean((2, 3)))
    rate = photos / (time.time() - start)
    assert torch.cat(vectors).shape == (photos, 1280 if with_network else 3)
    return rate


def ours(transfer, data, photos, model):
    done = subprocess.run([transfer, "bench", "extract", "--data", data, "--model", model, "--photos", str(photos), "--rounds", "1", "--json"],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--data", default=os.path.join(REPOSITORY, "..", "shared", "data", "clothing"))
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["feed"], help="leave PyTorch's network out")
    parser.add_argument("--best", action="store_true", help="PyTorch traced, frozen and in channels_last too")
    parser.add_argument("--model", default="efficientnet-lite0", help="our backbone")
    options = parser.parse_args()
    torch.set_num_threads(2)
    best = {}
    for _ in range(options.rounds):
        result = ours(options.transfer, options.data, options.photos, options.model)
        for name in ("decode", "feed", "session", "bound", "achieved", "ratio"):
            best[name] = max(best.get(name, 0), result[name])
        best["loader"] = max(best.get("loader", 0), rival(options.data, options.photos, 32, with_network=False))
        if not options.only:
            best["torch"] = max(best.get("torch", 0), rival(options.data, options.photos, 32, with_network=True))
        if options.best:
            for threads in (1, 2):
                torch.set_num_threads(threads)
                for batch in (8, 32):
                    rate = rival(options.data, options.photos, batch, with_network=True, best=True)
                    best["frozen"] = max(best.get("frozen", 0), rate)
    print(f"photos {options.photos}, best of {options.rounds} rounds, torch {torch.__version__}, torchvision {torchvision.__version__}, 2 threads")
    print("| | photos per second |")
    print("|---|---|")
    for name, words in [("feed", "without a network: ours, JPEG files to hashed, decoded and resized bytes"), ("loader", "without a network: PIL, DataLoader with two workers"),
                        ("decode", "bare decode"), ("session", "bare session, best layout"), ("bound", "bound of the two"),
                        ("achieved", "ours, JPEG files to committed Parquet"), ("torch", "PyTorch + PIL, DataLoader with two workers"),
                        ("frozen", "the same traced, frozen, channels_last; the best of 1 and 2 threads, batches of 8 and 32")]:
        if name in best:
            print(f"| {words} | {best[name]:.0f} |")
    print(f"\nwithout a network ours / DataLoader: {best['feed'] / best['loader']:.1f}")
    if "torch" in best:
        print(f"ours / bound: {best['achieved'] / (1 / (1 / best['decode'] + 1 / best['session'])):.2f}; ours / PyTorch: {best['achieved'] / best['torch']:.1f}")
    if "frozen" in best:
        print(f"ours / PyTorch traced and frozen: {best['achieved'] / best['frozen']:.2f}")


if __name__ == "__main__":
    main()
