"""Every head of this build on the same vectors, in one run: accuracy, fit and predict time.

    python3 tests/rivals/every_head.py FEATURES

FEATURES is a feature set with splits train and validation (transfer extract). TRANSFER names the command; bin/transfer otherwise.
Accuracies and first fits are of one comparison with the defaults of each head (C of linear-svm and alpha of ridge as in pipelines/clothing-sample.yaml);
a first fit includes loading and compiling what the head is the first to use. All heads but those that took longer than ten seconds are then
fitted three times more in one process, and the fastest counts.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

SETTINGS = {"linear-svm": "C=0.01", "ridge": "alpha=100"}
LONG = 10


def run(command, *arguments):
    return json.loads(subprocess.run([*command, *arguments, "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    features = sys.argv[1]
    command = os.environ.get("TRANSFER", "bin/transfer").split()
    listed = run(command, "heads")
    for head in listed:
        if not head["available"]:
            print(f"left out: {head['name']}: {head['unavailable']}", file=sys.stderr)
    heads = [":".join(filter(None, (h["name"], SETTINGS.get(h["name"])))) for h in listed if h["available"]]
    compared = run(command, "compare", "--features", features, "--heads", ",".join(heads), "--threads", "2")["heads"]
    assert [h["name"] for h in compared] == [h.split(":")[0] for h in heads]
    short = [head for head, found in zip(heads, compared) if found["fit_seconds"] < LONG]
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
        fits = dict(zip(short, run(command, "bench", "heads", "--vectors", vectors, "--labels", labels, "--heads", ",".join(short), "--rounds", "3", "--threads", "2")))
    print("| head | accuracy | first fit s | best of three s | predict ms |\n|---|---|---|---|---|")
    for head, found in zip(heads, compared):
        best = f"{min(fits[head]['seconds']):.3f}" if head in fits else ""
        print(f"| {head} | {found['accuracy']:.3f} | {found['fit_seconds']:.2f} | {best} | {1000 * found['predict_seconds']:.1f} |")


if __name__ == "__main__":
    main()
