"""Epochs of fine-tuning beside PyTorch on the same network, the same layers trainable, the same photos, two threads, in one run.

    python3 tests/rivals/finetune.py --data clothing [--model resnet18|mobilenet_v2|efficientnet_b0] [--photos 400] [--batch 32]
        [--keep-batchnorm] [--precision fp32|bf16] [--cut last-stage|all]

TRANSFER names the command; bin/transfer otherwise. torchvision's network, with random weights and statistics of photos, is exported to ONNX in
evaluation mode, which folds BatchNormalization into the convolutions; with --keep-batchnorm it stays and trains, as it does in PyTorch. PyTorch
trains it as its tutorial does: a DataLoader with two workers decodes and augments each photo in each epoch, the layers below are frozen
by requires_grad, the frozen part in evaluation mode. Ours reads cached activations above the last stage's cut, or renders fresh copies
where everything is trained. The second epoch of each counts; ours without the evaluation that PyTorch's loop does not do is stated too.
With --precision bf16 both sides multiply in bfloat16: PyTorch by torch.autocast.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import torchvision
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

TRANSFER = os.environ.get("TRANSFER", "bin/transfer")
# torchvision's modules that are below the cut last-stage.
BELOW = {
    "resnet18": ["conv1", "bn1", "layer1", "layer2", "layer3"],
    "mobilenet_v2": [f"features.{i}" for i in range(14)],
    "efficientnet_b0": [f"features.{i}" for i in range(6)],
}


def subset(source, target, photos):
    """Links the first photos of each class, and a few for validation."""
    per_class = max(1, photos // len(list((source / "train").iterdir())))
    count = 0
    for split, most in [("train", per_class), ("validation", 2)]:
        for label in sorted((source / split).iterdir()):
            folder = target / split / label.name
            folder.mkdir(parents=True)
            for photo in sorted(label.iterdir())[:most]:
                (folder / photo.name).symlink_to(photo.resolve())
                count += split == "train"
    return count


def tutorial_photos(folder):
    transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(224, scale=(0.35, 1)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    return datasets.ImageFolder(folder / "train", transform)


def with_statistics(network, folder):
    """
    The network with the statistics of 24 photos. With those of a new network, 0 and 1, activations of random weights shrink from layer to
    layer until they are denormal numbers, with which CPUs compute many times slower; no trained network has that.
    """
    photos = tutorial_photos(folder)
    pixels = torch.stack([photos[i * len(photos) // 24][0] for i in range(24)])
    normalizations = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    usual = [module.momentum for module in normalizations]
    for module in normalizations:
        module.momentum = None
    with torch.no_grad():
        network.train()(pixels)
    for module, momentum in zip(normalizations, usual):
        module.momentum = momentum
    return network


def torch_epoch(network, folder, batch, frozen, precision, epochs=2):
    photos = tutorial_photos(folder)
    loader = DataLoader(photos, batch_size=batch, shuffle=True, num_workers=2, persistent_workers=True)
    network.train()
    for name in frozen:
        part = network.get_submodule(name)
        part.eval()
        for weight in part.parameters():
            weight.requires_grad = False
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.001, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                scores = network(x)
            loss(scores.float(), y).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds[-1]


def ours(folder, onnx, work, batch, cut, views, precision):
    command = [TRANSFER, "finetune", "--data", str(folder), "--model", str(onnx), "--out", str(work / f"{cut}.onnx"), "--cut", cut]
    command += ["--views", str(views), "--epochs", "2", "--batch", str(batch), "--threads", "2", "--json", "--cache", str(work / f"cache-{cut}")]
    command += ["--precision", precision]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result["history"][1]["seconds"], result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="resnet18", choices=BELOW)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--keep-batchnorm", action="store_true")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--cut", choices=["last-stage", "all"], help="one of the two; both by default")
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        photos = subset(options.data, work / "photos", options.photos)
        classes = len(list((work / "photos" / "train").iterdir()))
        onnx = work / f"{options.model}.onnx"
        network = with_statistics(getattr(torchvision.models, options.model)(), work / "photos")
        kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if options.keep_batchnorm else {}
        torch.onnx.export(
            network.eval(), torch.zeros(2, 3, 224, 224), onnx, opset_version=13, input_names=["input"], output_names=["logits"],
            dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, **kept,
        )
        for cut, views, frozen in [("last-stage", 1, BELOW[options.model]), ("all", 0, [])]:
            if options.cut not in (None, cut):
                continue
            mine, result = ours(work / "photos", onnx, work, options.batch, cut, views, options.precision)
            rival = with_statistics(getattr(torchvision.models, options.model)(num_classes=classes), work / "photos")
            theirs = torch_epoch(rival, work / "photos", options.batch, frozen, options.precision)
            print(
                f"{options.model} {cut} {options.precision}: {result['trained_parameters']:,} weights, {photos} photos; an epoch: ours {mine:.1f} s, "
                f"PyTorch {theirs:.1f} s, {theirs / mine:.2f} times"
            )


if __name__ == "__main__":
    main()
