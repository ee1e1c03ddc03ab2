"""knn, svm-rbf, forest and mlp beside scikit-learn's, on the same vectors in one run, two threads each.

    python3 tests/rivals/nonlinear_heads.py FEATURES [PART OF A HEAD ...]

FEATURES is a feature set with splits train and validation (transfer extract). TRANSFER names the command; bin/transfer otherwise.
Seconds are wall time, fit and prediction of the validation split; the first of three fits is left out on both sides.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import sklearn
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

HEADS = [
    ("knn:n_neighbors=5", KNeighborsClassifier(5, metric="cosine", n_jobs=2)),
    ("svm-rbf:C=10", SVC(C=10)),
    ("forest:n_estimators=200", RandomForestClassifier(200, n_jobs=2, random_state=0)),
    ("forest:n_estimators=200,splitter=random,bootstrap=false", ExtraTreesClassifier(200, n_jobs=2, random_state=0)),
    ("mlp:hidden_layer_sizes=128,epochs=30", make_pipeline(StandardScaler(), MLPClassifier(128, batch_size=128, max_iter=30, n_iter_no_change=30, random_state=0))),
]


def ours(command, features, head):
    """The second and third run of three; the process starts anew, so that each includes the compiler's work."""
    runs = []
    for _ in range(3):
        name, _, given = head.partition(":")
        options = [a for pair in given.split(",") for a in ("--set", f"{name}.{pair}")]
        text = subprocess.run([*command, "compare", "--features", features, "--heads", name, *options, "--threads", "2", "--json"],
                              check=True, capture_output=True, text=True).stdout
        runs.append(json.loads(text)["heads"][0])
    best = min(runs[1:], key=lambda r: r["fit_seconds"])
    return best["fit_seconds"], best["predict_seconds"], best["accuracy"]


def theirs(model, x, y, train, test):
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        model.fit(x[train], y[train])
        fit = time.perf_counter() - start
        start = time.perf_counter()
        accuracy = float((model.predict(x[test]) == y[test]).mean())
        runs.append((fit, time.perf_counter() - start, accuracy))
    return min(runs[1:])


def main():
    warnings.filterwarnings("ignore", module="sklearn")
    features = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    command = os.environ.get("TRANSFER", os.path.join(here, "..", "..", "bin", "transfer")).split()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("npy", "csv"):
            subprocess.run([*command, "features", "export", features, "--format", kind, "--out", f"{folder}/x"], check=True, capture_output=True)
        x, rows = np.load(f"{folder}/x.npy"), list(csv.DictReader(open(f"{folder}/x.csv", encoding="utf-8")))
    y = np.unique([r["label"] for r in rows], return_inverse=True)[1]
    train = np.array([r["split"] == "train" for r in rows])
    test = np.array([r["split"] == "validation" for r in rows])
    print(f"{train.sum()} x {x.shape[1]}, {y.max() + 1} classes; scikit-learn {sklearn.__version__}\n")
    print("| head | fit s | predict s | accuracy | scikit-learn fit s | predict s | accuracy | fit ratio |\n|---|---|---|---|---|---|---|---|")
    for head, model in HEADS:
        if len(sys.argv) > 2 and not any(part in head for part in sys.argv[2:]):
            continue
        fit, predict, accuracy = ours(command, features, head)
        their_fit, their_predict, their_accuracy = theirs(model, x, y, train, test)
        accuracy = accuracy["value"] if isinstance(accuracy, dict) else accuracy
        print(f"| {head} | {fit:.3f} | {predict:.3f} | {accuracy:.3f} | {their_fit:.3f} | {their_predict:.3f} | {their_accuracy:.3f} | {their_fit / fit:.1f} |", flush=True)


main()
