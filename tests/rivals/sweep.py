#!/usr/bin/python3
"""A sweep of 20 values of C x 5 folds of softmax by `transfer compare`, beside five single fits of scikit-learn's LogisticRegression
with its defaults (C=1, tol=1e-4, lbfgs), on the same feature set in one run; and ten folds of six heads.

Usage: sweep.py FEATURES [--transfer bin/transfer]     FEATURES is a folder of transfer extract
"""

import argparse
import csv
import os
import subprocess
import tempfile
import time

import numpy
from sklearn.linear_model import LogisticRegression

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def timed(command):
    start = time.time()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.time() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("features")
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    options = parser.parse_args()
    compare = [options.transfer, "compare", "--features", options.features, "--heads"]
    sweep = timed([*compare, "softmax:C=logspace(-4,2,20)", "--json"])
    folds = timed([*compare, "softmax,logistic,linear-svm,ridge,nearest-mean,knn", "--folds", "10", "--json"])
    with tempfile.TemporaryDirectory() as scratch:
        prefix = os.path.join(scratch, "vectors")
        timed([options.transfer, "features", "export", options.features, "--format", "npy", "--out", prefix])
        with open(prefix + ".csv", newline="") as file:
            rows = list(csv.DictReader(file))
        train = numpy.array([row["split"] == "train" for row in rows])
        x, y = numpy.load(prefix + ".npy")[train], numpy.array([row["label"] for row in rows])[train]
    start = time.time()
    for _ in range(5):
        LogisticRegression(max_iter=5000).fit(x, y)
    theirs = time.time() - start
    print("| what | s |")
    print("|---|---|")
    print(f"| ours: 20 C x 5 folds of softmax, the final fit and the start of the program included | {sweep:.1f} |")
    print(f"| scikit-learn: 5 single fits | {theirs:.1f} |")
    print(f"| ours: ten folds of six heads | {folds:.1f} |")


if __name__ == "__main__":
    main()
