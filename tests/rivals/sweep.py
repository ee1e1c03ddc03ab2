#!/usr/bin/python3
"""A sweep of 20 values of C x 5 folds by `transfer compare` beside the same sweep by scikit-learn, on the same feature set in one run:
softmax beside LogisticRegressionCV, which starts each C at the previous solution, and linear-svm beside GridSearchCV of LinearSVC with
two processes. Then ten folds of six heads, which has no rival. Both sides choose C by accuracy and end with the final fit.

Usage: sweep.py FEATURES [--transfer bin/transfer] [--solvers newton-cg,lbfgs]     FEATURES is a folder of transfer extract
"""

import argparse
import csv
import os
import subprocess
import tempfile
import time

import numpy
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


VALUES = numpy.logspace(-4, 2, 20)


def timed(command):
    start = time.time()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.time() - start


def ours(options, heads, *more):
    return timed([options.transfer, "compare", "--features", options.features, "--heads", heads, "--json", *more])


def training_vectors(options):
    with tempfile.TemporaryDirectory() as scratch:
        prefix = os.path.join(scratch, "vectors")
        timed([options.transfer, "features", "export", options.features, "--format", "npy", "--out", prefix])
        with open(prefix + ".csv", newline="") as file:
            rows = list(csv.DictReader(file))
        train = numpy.array([row["split"] == "train" for row in rows])
        return numpy.load(prefix + ".npy")[train], numpy.array([row["label"] for row in rows])[train]


def fitted(model, x, y):
    start = time.time()
    model.fit(x, y)
    return time.time() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("features")
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    parser.add_argument("--solvers", default="newton-cg,lbfgs")
    options = parser.parse_args()
    x, y = training_vectors(options)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    print("| sweep of 20 C x 5 folds, with the final fit | ours, with the start of the program, s | rival | its s | times faster |")
    print("|---|---|---|---|---|")

    def row(head, seconds, rival, theirs):
        print(f"| {head} | {seconds:.1f} | {rival} | {theirs:.1f} | {theirs / seconds:.1f} |", flush=True)

    seconds = ours(options, "linear-svm:C=logspace(-4,2,20)")
    for dual in (True, False):
        search = GridSearchCV(LinearSVC(dual=dual, tol=1e-2 if dual else 1e-4, max_iter=100000), {"C": VALUES}, cv=folds, n_jobs=2)
        row("linear-svm", seconds, f"GridSearchCV of LinearSVC dual={dual} tol={search.estimator.tol:g} n_jobs=2", fitted(search, x, y))
    seconds = ours(options, "softmax:C=logspace(-4,2,20)")
    for solver in options.solvers.split(","):
        search = LogisticRegressionCV(Cs=VALUES, cv=folds, solver=solver, tol=1e-3, max_iter=5000, multi_class="multinomial")
        row("softmax", seconds, f"LogisticRegressionCV {solver} tol=0.001", fitted(search, x, y))
    print()
    seconds = ours(options, "softmax,logistic,linear-svm,ridge,nearest-mean,knn", "--folds", "10")
    print(f"ours, ten folds of six heads: {seconds:.1f} s")


if __name__ == "__main__":
    main()
