"""Our heads beside ML.NET's and TorchSharp's on the same vectors.

    python3 tests/rivals/packages.py FEATURES

FEATURES is a feature set with splits train and validation (transfer extract). TRANSFER names the command; bin/transfer otherwise.
Accuracies and first fits are of one comparison, where a head's fit includes loading and compiling what it is the first to use. Heads that
took less than ten seconds are then fitted three times more in one process, and the fastest is told.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HEADS = [
    "softmax", "logistic", "linear-svm:C=0.01", "forest", "mlp",
    "mlnet-sdca-maximum-entropy", "mlnet-lbfgs-maximum-entropy", "mlnet-linear-svm", "mlnet-averaged-perceptron", "mlnet-sdca-logistic-regression",
    "torch-linear", "torch-linear:solver=sgd,learning_rate=0.01", "torch-linear:solver=lbfgs,learning_rate=1,weight_decay=0.001", "torch-mlp",
    "mlnet-fast-forest", "mlnet-fast-tree", "mlnet-light-gbm",
]
LONG = 10


def run(command, *arguments):
    return json.loads(subprocess.run([*command, *arguments, "--threads", "2", "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    features = sys.argv[1]
    command = os.environ.get("TRANSFER", "bin/transfer").split()
    compared = run(command, "compare", "--features", features, "--heads", ",".join(HEADS))["heads"]
    short = [head for head, found in zip(HEADS, compared) if found["fit_seconds"] < LONG]
    with tempfile.TemporaryDirectory() as folder:
        exported = os.path.join(folder, "set")
        subprocess.run([*command, "features", "export", features, "--format", "npy", "--out", exported], check=True, stdout=subprocess.DEVNULL)
        with open(exported + ".csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        train = [i for i, row in enumerate(rows) if row["split"] == "train"]
        classes = sorted({row["label"] for row in rows})
        vectors, labels = os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy")
        np.save(vectors, np.load(exported + ".npy")[train])
        np.save(labels, np.array([classes.index(rows[i]["label"]) for i in train]))
        fits = dict(zip(short, run(command, "bench", "heads", "--vectors", vectors, "--labels", labels, "--heads", ",".join(short), "--rounds", "3")))
    print("| head | accuracy | first fit s | best of three s |\n|---|---|---|---|")
    for head, found in zip(HEADS, compared):
        best = f"{min(fits[head]['seconds']):.3f}" if head in fits else ""
        print(f"| {head} | {found['accuracy']:.3f} | {found['fit_seconds']:.2f} | {best} |")


main()
