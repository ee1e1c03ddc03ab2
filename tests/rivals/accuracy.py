#!/usr/bin/python3
"""Our heads beside scikit-learn's on the same exported vectors, and beside the figures of the shared reference.

Extracts hymenoptera and clothing with the given backbones, exports the vectors as .npy, trains both sides with the same C and
prints one table. The exported files are read by numpy, and the rows counted.

Usage: accuracy.py [--transfer bin/transfer] [--shared ../shared] [--models efficientnet-lite0 efficientnet-lite2]
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
import time

import numpy
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADS = [
    ("softmax", "softmax:C=1", LogisticRegression(C=1, max_iter=5000)),
    ("linear-svm", "linear-svm:C=0.01", LinearSVC(C=0.01, dual=False, max_iter=5000)),
    ("ridge", "ridge:alpha=100", RidgeClassifier(alpha=100)),
    ("nearest-mean", "nearest-mean", NearestCentroid()),
    ("knn", "knn:n_neighbors=5,metric=cosine", KNeighborsClassifier(5, metric="cosine")),
]
# shared/reference/README.md (scikit-learn 1.9.1), in the order of HEADS.
REFERENCE = {
    ("efficientnet-lite0", "hymenoptera"): [0.954, 0.954, 0.948, 0.961, 0.948],
    ("efficientnet-lite0", "clothing"): [0.862, 0.871, 0.862, 0.824, 0.812],
    ("efficientnet-lite2", "hymenoptera"): [0.961, 0.961, 0.967, 0.954, 0.967],
    ("efficientnet-lite2", "clothing"): [0.865, 0.877, 0.871, 0.824, 0.842],
}


def load(prefix):
    with open(prefix + ".csv", newline="") as file:
        rows = list(csv.DictReader(file))
    vectors = numpy.load(prefix + ".npy")
    assert len(rows) == len(vectors) and vectors.dtype == numpy.float32
    labels = numpy.array([row["label"] for row in rows])
    train = numpy.array([row["split"] == "train" for row in rows])
    return vectors, labels, train


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--shared", default=os.path.join(REPOSITORY, "..", "shared"))
    parser.add_argument("--models", nargs="*", default=["efficientnet-lite0", "efficientnet-lite2"])
    options = parser.parse_args()
    print("| backbone | data | head | ours | scikit-learn | reference | fit, ours s | fit, scikit-learn s |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for model in options.models:
            for data in ("hymenoptera", "clothing"):
                folder = os.path.join(scratch, f"{model}-{data}")
                run = lambda *arguments: subprocess.run([options.transfer, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
                run("extract", "--data", os.path.join(options.shared, "data", data), "--model", os.path.join(options.shared, "models", model + ".onnx"), "--out", folder)
                run("features", "export", folder, "--format", "npy", "--out", folder)
                ours = json.loads(run("compare", "--features", folder, "--heads", ",".join(h[1] for h in HEADS), "--json"))["heads"]
                vectors, labels, train = load(folder)
                for (name, _, head), mine, reference in zip(HEADS, ours, REFERENCE.get((model, data), [float("nan")] * len(HEADS))):
                    start = time.time()
                    head.fit(vectors[train], labels[train])
                    seconds = time.time() - start
                    theirs = head.score(vectors[~train], labels[~train])
                    print(f"| {model} | {data} | {name} | {mine['accuracy']:.3f} | {theirs:.3f} | {reference:.3f} | {mine['fit_seconds']:.3f} | {seconds:.3f} |", flush=True)


if __name__ == "__main__":
    main()
