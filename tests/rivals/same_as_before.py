#!/usr/bin/python3
"""Two builds of the program side by side: are vectors, comparisons and classifiers the same bytes?

Each build extracts the same photos, compares the heads and exports the best one. Then the second build compares and exports on the first
build's feature set, which leaves the heads alone: the two may have other versions of ONNX Runtime. Timings (`*_seconds`), versions, the
command line, folders, empty lists and the recipe's decoder (once the names of libraries, now that of their pixels) are left out of the
comparison; everything else of comparison.json must be the same text, and classifier.onnx the same bytes without its metadata and producer.

Usage: same_as_before.py OLD/bin/transfer NEW/bin/transfer [--data samples/clothing] [--model efficientnet-lite0] [--heads LIST]
Exit code 1 when something differs.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADS = "softmax,logistic,linear-svm,ridge,lda,nearest-mean,knn,svm-rbf,forest,mlp,linear-sgd,softmax:C=[0.01,0.1,1]"
LEFT_OUT = {"versions", "command", "folder", "decoder"}


def run(*command):
    """Standard output of a program that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def plain(value):
    """A JSON value without timings, versions, places and empty lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in LEFT_OUT and not k.endswith("_seconds") and v != []}
    return [plain(v) for v in value] if isinstance(value, list) else value


def fields(data):
    """Top-level fields of a protobuf message: number and the field's whole bytes."""

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    at = 0
    while at < len(data):
        start = at
        key, at = varint(at)
        if key & 7 == 0:
            _, at = varint(at)
        elif key & 7 == 2:
            length, at = varint(at)
            at += length
        else:
            at += {1: 8, 5: 4}[key & 7]
        yield key >> 3, data[start:at]


def graph(file):
    """An ONNX file without producer (2, 3) and metadata (14)."""
    with open(file, "rb") as f:
        return b"".join(content for number, content in fields(f.read()) if number not in (2, 3, 14))


def differences(a, b, path=""):
    """Paths of a JSON value at which two differ, with both values."""
    if type(a) is type(b) and isinstance(a, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}")
    elif type(a) is type(b) and isinstance(a, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b or json.dumps(a) != json.dumps(b):
        yield f"{path.lstrip('.')}: {json.dumps(a)[:60]}, {json.dumps(b)[:60]}"


def heads_of(transfer, features, options, folder):
    """comparison.json without places, and the graph of its best head."""
    os.makedirs(folder, exist_ok=True)
    text = run(transfer, "compare", "--features", features, "--heads", options.heads, "--json")
    comparison, classifier = os.path.join(folder, "comparison.json"), os.path.join(folder, "classifier.onnx")
    with open(comparison, "w") as f:
        f.write(text)
    run(transfer, "export", comparison, "--data", options.data, "--model", options.model, "--out", classifier)
    photos = os.path.join(options.data, "validation")
    predictions = json.loads(run(transfer, "predict", classifier, photos, "--probabilities", "--json"))
    return plain(json.loads(text)), graph(classifier), predictions


def report(what, same, detail=()):
    """Prints one line per thing compared."""
    print(f"{what}: {'the same' if same else 'DIFFERENT'}")
    for line in list(detail)[:20]:
        print(f"  {line}")
    return same


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--data", default=os.path.join(REPOSITORY, "samples", "clothing"))
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--heads", default=HEADS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for name, transfer in (("old", options.old), ("new", options.new)):
            print(f"{name}: {run(transfer, '--version').strip()}")
            features = os.path.join(folder, name, "set")
            run(transfer, "extract", "--data", options.data, "--model", options.model, "--out", features)
            run(transfer, "features", "export", features, "--format", "npy", "--out", os.path.join(folder, name, "vectors"))
            contents = []
            for suffix in (".npy", ".csv"):
                with open(os.path.join(folder, name, "vectors" + suffix), "rb") as f:
                    contents.append(f.read())
            made[name] = (features, contents, heads_of(transfer, features, options, os.path.join(folder, name, "own")))
        (old_set, old_vectors, old), (_, new_vectors, new) = made["old"], made["new"]
        shared = heads_of(options.new, old_set, options, os.path.join(folder, "new", "shared"))
        good = [
            report(f"vectors (SHA-256 {hashlib.sha256(old_vectors[0]).hexdigest()[:16]})", old_vectors[0] == new_vectors[0]),
            report("paths, labels and splits", old_vectors[1] == new_vectors[1]),
        ]
        for what, other in (("each build's own vectors", new), ("the old build's vectors", shared)):
            good += [
                report(f"comparison of {len(old[0]['heads'])} heads on {what}", old[0] == other[0], differences(old[0], other[0])),
                report(f"classifier's graph on {what}", old[1] == other[1]),
                report(f"predictions on {what}", old[2] == other[2], differences(old[2], other[2])),
            ]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
