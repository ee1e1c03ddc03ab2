#!/usr/bin/env python3
"""Everything that docs/results.md wants of a GPU, in one run: `transfer` beside PyTorch on the same GPU and photos.

For efficientnet-lite0, resnet50 and vgg16, in fp32, tf32 and fp16:
  ours      `transfer bench extract`: decoding alone, model only (bytes over the bus and vectors back included, two batches in flight),
            from JPEG files to committed Parquet; fp16 also with CUDA graphs, as NCHW, and with a kernel of its own for each bias, whatever the trial chose
  PyTorch   model only, eager and torch.compile (in each of --modes), channels_last, for fp16 with autocast and with weights in fp16, the
            best of all; its batch stays on the GPU, which favours it
            from files: PIL transforms and a DataLoader with a worker a core, its start not counted
  drift     `transfer features drift` of the default backbone: CPU and GPU in fp32, then fp32 and each lower precision on the GPU,
            and the accuracy of softmax and linear-svm on both
resnet50 and vgg16 are exported from torchvision with random weights, for which torch needs the onnx package.

What is promised of it is said below the tables, line by line, and measured first. Each figure is saved as soon as it is there
(OUT/gpu.json): the same line again goes on with what is missing, and --minutes ends in time for a machine that is lent. `transfer` takes
CUDA and cuDNN from PyTorch's environment unless TRANSFER_CUDA_PATH is set, so that both run on the same libraries.

Usage: gpu.py --transfer transfer-linux-x64-cuda13/transfer [--device cuda] [--data DIR] [--photos 20000] [--out gpu] [--models NAME ...] [--minutes 9]
       gpu.py --device cpu --models efficientnet-lite0 resnet50 --photos 40 --seconds 0.2 --out gpu-cpu    # anywhere; its figures say nothing
       TRANSFER_CUDA_PATH=STAND-IN gpu.py --feeder    # without a GPU: how fast photos come, with a GPU that takes no time (tests/cuda-stub)
"""

import argparse
import gc
import inspect
import json
import os
import subprocess
import sys
import time

import torch
import torchvision
from torch import nn
from torchvision import transforms

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = ["efficientnet-lite0", "resnet50", "vgg16"]
HEADS = ["softmax", "linear-svm"]

# Ways to run the same fp16 graph, beside the default.
WAYS = {"graphs": ["--cuda-graphs", "on"], "nchw": ["--cuda-layout", "nchw"], "bias apart": ["--cuda-fusion", "off"]}


class Block(nn.Module):
    """Inverted residual of EfficientNet-Lite: no squeeze-and-excitation, ReLU6. The whole has 383.9 M multiply-adds, as our file has."""

    def __init__(self, inputs, outputs, expansion, kernel, stride):
        super().__init__()
        hidden = inputs * expansion
        steps = [] if expansion == 1 else [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()]
        steps += [nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(),
                  nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.steps = nn.Sequential(*steps)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.steps(x) if self.shortcut else self.steps(x)


def efficientnet_lite0():
    stages = [(1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2), (6, 320, 1, 3, 1)]
    layers, channels = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()], 32
    for expansion, outputs, blocks, kernel, stride in stages:
        for block in range(blocks):
            layers.append(Block(channels, outputs, expansion, kernel, stride if block == 0 else 1))
            channels = outputs
    return nn.Sequential(*layers, nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def features(name):
    """The network up to its penultimate layer, as `transfer` cuts it."""
    torch.manual_seed(1)
    if name == "efficientnet-lite0":
        return efficientnet_lite0().eval()
    network = getattr(torchvision.models, name)().eval()
    if name == "vgg16":
        network.classifier = network.classifier[:-1]
    else:
        network.fc = nn.Identity()
    return network


class Results:
    """Figures by key, on disk after each. None of those that failed, or for which there was no time."""

    def __init__(self, path, minutes, of):
        self.path = path
        self.end = time.time() + 60 * minutes if minutes else None
        self.values = json.load(open(path)) if os.path.exists(path) else {}
        if self.values.setdefault("of", of) != of:
            sys.exit(f"gpu.py: {path} has figures of {self.values['of']}, this run is of {of}: give another --out")
        self.failed, self.left = [], []

    def seconds_left(self):
        """Until nothing more begins, and a minute; None without a limit."""
        return None if self.end is None else max(60.0, self.end - time.time() + 60)

    def get(self, key, measure):
        if key not in self.values and key not in self.failed and key not in self.left:
            start = time.time()
            if self.end is not None and start > self.end:
                self.left.append(key)
                return None
            try:
                self.values[key] = measure()
            except Exception as error:
                # Kept out of the file: the next run tries again. One tool's failure must not cost the others' figures.
                self.failed.append(key)
                text = getattr(error, "stderr", None) or f"{type(error).__name__}: {error}"
                if isinstance(text, bytes):
                    text = text.decode(errors="replace")
                print(f"{key}: FAILED ({type(error).__name__}): {(text.strip() or repr(error)).splitlines()[-1]}", file=sys.stderr, flush=True)
                return None
            with open(self.path + ".new", "w") as file:
                json.dump(self.values, file, indent=1)
            os.replace(self.path + ".new", self.path)
            print(f"{key}: {time.time() - start:.0f} s", file=sys.stderr, flush=True)
        return self.values.get(key)


class Gpu:
    def __init__(self, options):
        self.options = options
        self.cpu = options.device == "cpu"
        self.torch_device = "cpu" if self.cpu else options.device.split(",")[0]
        of = {"device": options.device, "gpu": "" if self.cpu or not torch.cuda.is_available() else torch.cuda.get_device_name(0), "torch": torch.__version__,
              "photos": options.photos, "rounds": options.rounds, "modes": options.modes}
        self.results = Results(os.path.join(options.out, "gpu.json"), options.minutes, of)
        # NVIDIA's wheels that torch itself uses.
        self.environment = {"TRANSFER_CUDA_PATH": os.path.dirname(os.path.dirname(os.path.abspath(torch.__file__))), **os.environ}
        self.precisions = ["fp16", "fp32"] if self.cpu else ["fp16", "tf32", "fp32"]

    def transfer(self, *arguments):
        self.forget()
        done = subprocess.run([self.options.transfer, *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
                              env=self.environment, timeout=self.results.seconds_left())
        notes = [line for line in done.stderr.splitlines() if "warning" in line or "against fp32" in line or "batches of" in line or "threads decode" in line or "their bias" in line]
        for line in notes:
            print("  " + line, file=sys.stderr, flush=True)
        return json.loads(done.stdout)

    def model(self, name):
        """What --model takes: a name, or a file that torch exports."""
        if name == "efficientnet-lite0":
            return name
        path = os.path.join(self.options.out, name + ".onnx")
        if not os.path.exists(path):
            torch.manual_seed(1)
            network = getattr(torchvision.models, name)().eval()
            pixels, names = torch.zeros(2, 3, 224, 224), {"input_names": ["input"], "output_names": ["logits"]}
            more = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
            try:
                torch.onnx.export(network, pixels, path + ".new", opset_version=13, dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, **names, **more)
            except Exception as error:
                # A torch that has the newer exporter alone.
                print(f"  {name}: exported by torch.export ({type(error).__name__} without it)", file=sys.stderr, flush=True)
                torch.onnx.export(network, (pixels,), path + ".new", dynamic_shapes=({0: torch.export.Dim("N")},), external_data=False, **names)
            os.replace(path + ".new", path)
        return path

    def many(self):
        """As many photos as asked for: those of the data's training part again and again, as links."""
        target = os.path.join(self.options.out, f"photos-{self.options.photos}")
        if os.path.exists(target):
            return target
        source = os.path.join(self.options.data, "train")
        files = sorted(os.path.join(folder, f) for folder, _, names in os.walk(source) for f in names if f.lower().endswith((".jpg", ".jpeg")))
        if not files:
            sys.exit(f"gpu.py: no JPEG files in {source}")
        for i in range(self.options.photos):
            file = files[i % len(files)]
            folder = os.path.join(target + ".new", "train", os.path.basename(os.path.dirname(file)))
            os.makedirs(folder, exist_ok=True)
            os.symlink(os.path.abspath(file), os.path.join(folder, f"{i // len(files)}-{os.path.basename(file)}"))
        os.replace(target + ".new", target)
        return target

    def ours(self, name, precision, options=(), photos=None):
        return self.transfer("bench", "extract", "--data", self.many(), "--model", self.model(name), "--photos", str(photos or self.options.photos),
                             "--rounds", str(self.options.rounds), "--device", self.options.device, "--precision", precision, *options)

    def prepare(self, name, precision, mode=None, half=False):
        """mode: torch.compile's; None is eager."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.benchmark = True
        network = features(name).to(self.torch_device).to(memory_format=torch.channels_last)
        if half:
            network = network.half()
        if mode is None:
            return network
        # Else networks of one class count as one that is compiled again and again, which torch gives up after eight times.
        torch._dynamo.reset()
        return torch.compile(network, mode=mode)

    def forget(self):
        """Gives the GPU's memory back: `transfer` runs beside this process."""
        gc.collect()
        if not self.cpu:
            torch.cuda.empty_cache()

    def autocast(self, precision):
        half = torch.bfloat16 if self.cpu else torch.float16
        return torch.autocast(device_type="cpu" if self.cpu else "cuda", dtype=half, enabled=precision == "fp16")

    def wait(self):
        if not self.cpu:
            torch.cuda.synchronize()

    def torch_model(self, name, precision, compiled):
        """Best rate over batch sizes (a compiled network's of one alone: each takes it most of a minute); the batch stays where it is."""
        if compiled and not hasattr(torch, "compile"):
            return None
        modes = self.options.modes if compiled else [None]
        halves = [False, True] if precision == "fp16" and not self.cpu else [False]
        batches = [4] if self.cpu else [256] if compiled else [64, 256]
        best, problems = {"rate": 0.0}, []
        for mode, batch, half in [(m, b, h) for m in modes for b in batches for h in halves]:
            try:
                rate = self.torch_rate(name, precision, mode, batch, half)
            except Exception as error:
                # Of several ways one may not run.
                problems.append(error)
                print(f"  {name} {precision} {mode or 'eager'}, batch {batch}{', half' if half else ''}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                continue
            finally:
                self.forget()
            if rate > best["rate"]:
                best = {"rate": rate, "batch": batch, "half": half, "mode": mode}
        if best["rate"] == 0.0:
            raise problems[0]
        return best

    def torch_rate(self, name, precision, mode, batch, half):
        torch.manual_seed(2)
        network = self.prepare(name, precision, mode, half)
        pixels = torch.rand(batch, 3, 224, 224).to(self.torch_device).to(memory_format=torch.channels_last)
        if half:
            pixels = pixels.half()
        with torch.inference_mode(), self.autocast("fp32" if half else precision):
            for _ in range(2 if self.cpu else 10):
                network(pixels)
            self.wait()
            start, runs = time.time(), 0
            while runs < 2 or time.time() - start < self.options.seconds:
                for _ in range(1 if self.cpu else 5):
                    network(pixels)
                    runs += 1
                self.wait()
            return runs * batch / (time.time() - start)

    def torch_files(self, name):
        """PIL transforms in a DataLoader with a worker a core, pinned memory, fp16 autocast, eager; without a name no network at all."""
        normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize])
        folder = torchvision.datasets.ImageFolder(os.path.join(self.many(), "train"), steps)
        workers = max(1, os.cpu_count() or 1)
        batch = 8 if self.cpu else 128
        loader = torch.utils.data.DataLoader(folder, batch_size=batch, num_workers=workers, pin_memory=not self.cpu and name is not None)
        if name is None:
            start, photos = None, 0
            for pixels, _ in loader:
                photos += len(pixels)
                start = start or time.time()
            return {"rate": (photos - batch) / (time.time() - start) if photos > batch else None, "workers": workers}
        network = self.prepare(name, "fp16")
        vectors = []
        with torch.inference_mode(), self.autocast("fp32" if self.cpu else "fp16"):
            network(torch.zeros(batch, 3, 224, 224).to(self.torch_device).to(memory_format=torch.channels_last))
            self.wait()
            start = None
            for pixels, _ in loader:
                moved = pixels.to(self.torch_device, non_blocking=True).to(memory_format=torch.channels_last)
                vectors.append(network(moved).float().cpu())
                # The clock starts with the first batch: what the workers need to start is not counted.
                start = start or time.time()
            rate = (len(folder) - batch) / (time.time() - start) if len(folder) > batch else None
        if sum(len(v) for v in vectors) != self.options.photos:
            raise ValueError("the DataLoader lost photos")
        return {"rate": rate, "workers": workers}

    def extract(self, device, precision):
        out = os.path.join(self.options.out, f"set-{device.replace(':', '-').replace(',', '-')}-{precision}")
        result = self.transfer("extract", "--data", self.options.data, "--model", MODELS[0], "--device", device, "--precision", precision, "--out", out)
        # A set of another recipe is made beside the folder that was asked for.
        return result[0]["folder"]

    def drift(self, a, b):
        """Sets of the default backbone on the labelled photos: how far apart, and what heads make of them."""
        first, second = self.extract(*a), self.extract(*b)
        found = self.transfer("features", "drift", first, second)
        accuracies = []
        for folder in (first, second):
            heads = self.transfer("compare", "--features", folder, "--heads", ",".join(HEADS))["heads"]
            accuracies.append([next(h for h in heads if h["name"] == name)["accuracy"] for name in HEADS])
        return {"drift": found["drift"], "accuracies": accuracies}


def feeder(gpu):
    """The line for a GPU that takes no time: what reading, decoding and resizing allow, and a DataLoader without a network."""
    ours = gpu.results.get("feeder", lambda: gpu.ours(MODELS[0], "fp16"))
    loader = gpu.results.get("feeder DataLoader", lambda: gpu.torch_files(None))
    if not ours or not loader:
        sys.exit("gpu.py: the feeder was not measured")
    print("| decode alone | read, hash, decode and resize alone | ours, files to committed Parquet | of decode | of the latter | DataLoader without a network | times |")
    print("|---|---|---|---|---|---|---|")
    print(f"| {number(ours['decode'])} | {number(ours['feed'])} | {number(ours['achieved'])} | {ours['ratio']:.2f} | {ours['achieved'] / min(ours['feed'], ours['session']):.2f} | {number(loader['rate'])} | {ours['achieved'] / loader['rate']:.1f} |")


def number(value, form="{:,.0f}"):
    return "" if value is None else form.format(value)


def score(value):
    return value["value"] if isinstance(value, dict) else value


def verdicts(gpu, models):
    """What is promised of a GPU, each with what was measured; a line without figures is not measured."""
    values = gpu.results.values
    lines = []

    def evaluate(text, figure, holds, form):
        lines.append(f"- {text}: {'not measured' if figure is None else form.format(figure) + (' - holds' if holds(figure) else ' - DOES NOT HOLD')}")

    for name in models:
        for precision in gpu.precisions:
            ours = [values.get(f"{name} {precision} {way}") for way in ["ours", *WAYS]]
            best = max((r["session"] for r in ours if r), default=None)
            compiled = values.get(f"{name} {precision} compile")
            evaluate(f"{name} {precision}, model only at least torch.compile", best / compiled["rate"] if best and compiled else None, lambda v: v >= 1, "{:.2f} times")
            if ours[0]:
                evaluate(f"{name} {precision}, from files at least 0.9 of the smaller of model and decode", ours[0]["achieved"] / min(ours[0]["decode"], ours[0]["session"]), lambda v: v >= 0.9, "{:.2f}")
        files, ours = values.get(f"{name} DataLoader"), values.get(f"{name} fp16 ours")
        evaluate(f"{name} fp16, from files at least 3 times a DataLoader", ours["achieved"] / files["rate"] if ours and files and files["rate"] else None, lambda v: v >= 3, "{:.1f} times")
    device = gpu.options.device
    half = values.get(f"drift {device} fp32 and {device} fp16")
    evaluate("fp16 vectors, cosine to fp32 at least 0.9995", half and half["drift"]["cosine_min"], lambda v: v >= 0.9995, "{:.6f}")
    evaluate("fp16 vectors, accuracy within 0.5 points of fp32's", half and 100 * max(abs(score(a) - score(b)) for a, b in zip(*half["accuracies"])), lambda v: v <= 0.5, "{:.2f} points")
    if not gpu.cpu:
        both = values.get(f"drift cpu fp32 and {device} fp32")
        evaluate("CPU and GPU: heads may be shared", both and both["drift"]["shareable"], bool, "{}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--data", help="photos with train and validation folders; the samples beside the program by default")
    parser.add_argument("--photos", type=int, default=20000, help="photos of the runs from files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="time of each of PyTorch's measurements")
    parser.add_argument("--modes", nargs="+", default=["default"], choices=["default", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune"],
                        help="torch.compile's; max-autotune takes minutes for each network")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--minutes", type=float, help="begin nothing more after so many")
    parser.add_argument("--feeder", action="store_true", help="only how fast photos come, on libraries that stand in for a GPU's")
    parser.add_argument("--out", default="gpu")
    options = parser.parse_args()
    options.transfer = os.path.abspath(options.transfer)
    if options.data is None:
        beside = os.path.join(os.path.dirname(options.transfer), "samples", "clothing")
        options.data = beside if os.path.isdir(beside) else os.path.join(REPOSITORY, "samples", "clothing")
    os.makedirs(options.out, exist_ok=True)
    gpu = Gpu(options)
    if options.feeder:
        return feeder(gpu)
    if not gpu.cpu and not torch.cuda.is_available():
        sys.exit("gpu.py: torch sees no GPU; --device cpu tries the script without one")
    get = gpu.results.get

    # What is promised first, in case time ends: fp16, then how far its vectors are from others, then the rest.
    pairs = [] if gpu.cpu else [(("cpu", "fp32"), (options.device, "fp32"))]
    pairs += [((options.device, "fp32"), (options.device, other)) for other in gpu.precisions[:-1]]

    def rates(precision):
        for name in options.models:
            get(f"{name} {precision} ours", lambda: gpu.ours(name, precision))
            get(f"{name} {precision} compile", lambda: gpu.torch_model(name, precision, True))
            if precision == "fp16":
                get(f"{name} DataLoader", lambda: gpu.torch_files(name))
            get(f"{name} {precision} eager", lambda: gpu.torch_model(name, precision, False))

    rates("fp16")
    for a, b in pairs:
        get(f"drift {' '.join(a)} and {' '.join(b)}", lambda: gpu.drift(a, b))
    for name in options.models if not gpu.cpu else []:
        for way, arguments in WAYS.items():
            # For the model's rate alone; from 4,096 photos on the trial of fused biases is made.
            get(f"{name} fp16 {way}", lambda: gpu.ours(name, "fp16", arguments, min(options.photos, 8192)))
    for precision in gpu.precisions[1:]:
        rates(precision)

    values = gpu.results.values
    lines = [
        f"`tests/rivals/gpu.py --device {options.device} --photos {options.photos}` on {'the CPU' if gpu.cpu else torch.cuda.get_device_name(0)}, {os.cpu_count()} cores, "
        f"torch {torch.__version__}, torchvision {torchvision.__version__}; photos per second.",
        "",
        "| backbone | precision | ours, model only | with CUDA graphs | as NCHW | bias apart | PyTorch eager | torch.compile | ours, best / the faster | decode alone | ours, from files | of the smaller of model and decode | DataLoader | times |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in options.models:
        files = values.get(f"{name} DataLoader")
        for precision in reversed(gpu.precisions):
            ours, eager, compiled = (values.get(f"{name} {precision} {what}") for what in ("ours", "eager", "compile"))
            ways = [values.get(f"{name} {precision} {way}") for way in WAYS]
            rival = max((r["rate"] for r in (eager, compiled) if r), default=None)
            best = max((r["session"] for r in (ours, *ways) if r), default=None)
            lines.append("| " + " | ".join([
                name, precision, number(ours and ours["session"]), *(number(way and way["session"]) for way in ways), number(eager and eager["rate"]), number(compiled and compiled["rate"]),
                number(best and rival and best / rival, "{:.2f}"), number(ours and ours["decode"]), number(ours and ours["achieved"]),
                number(ours and ours["achieved"] / min(ours["decode"], ours["session"]), "{:.2f}"), number(files and files["rate"]),
                number(ours["achieved"] / files["rate"] if ours and files and files["rate"] else None, "{:.1f}")]) + " |")

    lines += ["", f"{MODELS[0]}, the same photos twice; accuracy of {' and '.join(HEADS)} on each:", "",
              "| sets | cosine least | mean | largest difference | same neighbour | same prediction | heads may be shared | accuracy |", "|---|---|---|---|---|---|---|---|"]
    for a, b in pairs:
        found = values.get(f"drift {' '.join(a)} and {' '.join(b)}")
        if found is None:
            continue
        d = found["drift"]
        scores = "; ".join(", ".join(f"{score(s):.3f}" for s in each) for each in found["accuracies"])
        lines.append(f"| {' '.join(a)} and {' '.join(b)} | {d['cosine_min']:.6f} | {d['cosine_mean']:.6f} | {d['largest_difference']:.1e} | {d['neighbour_agreement']:.3f} "
                     f"| {d['head_agreement']:.3f} | {'yes' if d['shareable'] else 'no'} | {scores} |")
    lines += ["", *verdicts(gpu, options.models)]

    text = "\n".join(lines) + "\n"
    with open(os.path.join(options.out, "gpu.md"), "w") as file:
        file.write(text)
    print(text)
    if gpu.results.failed or gpu.results.left:
        sys.exit(f"gpu.py: not measured: {', '.join(gpu.results.failed + gpu.results.left)}; the same line again tries them")


if __name__ == "__main__":
    main()
