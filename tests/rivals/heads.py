"""softmax, logistic, linear-svm and ridge beside scikit-learn and LIBLINEAR (as scikit-learn builds it, and Debian's liblinear-train), on the same vectors in one run.

    python3 tests/rivals/heads.py [--features FEATURES.npy LABELS.npy] [--only softmax:3068x1280x10 ...] [--full]
        [--tolerances 0.001 ...] [--rounds 8] [--extrapolate N]

TRANSFER names the command; bin/transfer otherwise. Without --features the vectors are made: rectified mixtures with the decaying spectrum of
pooled features. Each rival runs with falling tolerances until its objective is within 1e-6 of the best one found, and that run's time counts;
each problem is given to every solver of scikit-learn that solves it (lbfgs, newton-cg; with n_jobs=2 where classes are fitted one by one): "best"
marks the fastest. objectives are computed here in float64 from both sides' coefficients. Ours stops at a relative gap of 1e-6 and is the best of the rounds after the first, which compiles.
Behind each time stands the processor time of all cores, which other work on the machine disturbs less.
--extrapolate N is for shapes that take hours with a plain BLAS: a softmax rival runs 5 iterations and counts as N (those of a run with a faster
BLAS), logistic ones solve the problems of 20 classes (linear-svm ones of 40 where there are more than 200) and count as all; such rows say "about".
The 1,000-class rivals run with --full, or where --only names them; only vectors that are asked for are made. knn:SHAPE finds all k up to 100 at once, beside this BLAS's own matrix product.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
SHAPES = [(3068, 1280, 10, 0.28), (10000, 1280, 10, 0.28), (8000, 2048, 120, 0.55), (20000, 512, 1000, 0.9)]
HEADS = [("softmax", 1.0), ("logistic", 1.0), ("linear-svm", 0.01)]
CLOSE = 1e-6


def make(rows, columns, classes, separation, seed=1):
    r = np.random.default_rng(seed)
    latent = min(columns, 400)
    scale = 1 / np.sqrt(1 + np.arange(latent) / 4)
    y = r.integers(0, classes, rows)
    y[:classes] = np.arange(classes)
    means = r.normal(size=(classes, latent)) * scale * separation
    mixing = r.normal(size=(latent, columns)).astype(np.float32) / np.sqrt(np.sum(scale**2))
    x = np.empty((rows, columns), np.float32)
    for start in range(0, rows, 4096):
        end = min(rows, start + 4096)
        z = (means[y[start:end]] + r.normal(size=(end - start, latent)) * scale).astype(np.float32)
        x[start:end] = np.maximum(0, z @ mixing * 0.6 + 0.25 * r.normal(size=(end - start, columns)).astype(np.float32) - 0.1)
    return x, y


def outputs(x, weights, bias):
    return x.astype(np.float64) @ weights.astype(np.float64).T + bias.astype(np.float64)


def objective(head, c, x, y, weights, bias):
    z = outputs(x, weights, bias)
    half = 0.5 * np.sum(weights.astype(np.float64) ** 2)
    if head == "softmax":
        most = z.max(1, keepdims=True)
        return c * np.sum(np.log(np.exp(z - most).sum(1)) + most[:, 0] - z[np.arange(len(y)), y]) + half
    own = np.where(np.arange(z.shape[1])[None] == y[:, None], z, -z)
    if head == "logistic":
        return c * np.logaddexp(0, -own).sum() + half
    return c * (np.maximum(0, 1 - own) ** 2).sum() + half + 0.5 * np.sum(bias.astype(np.float64) ** 2)


def rivals(head, c):
    if head == "softmax":
        return [(f"LogisticRegression {solver}", lambda tol, solver=solver: LogisticRegression(C=c, tol=tol, max_iter=5000, solver=solver)) for solver in ("lbfgs", "newton-cg")]
    if head == "logistic":
        return [(f"LogisticRegression {solver} ovr n_jobs={jobs}", lambda tol, solver=solver, jobs=jobs: LogisticRegression(
            C=c, tol=tol, max_iter=5000, multi_class="ovr", solver=solver, n_jobs=jobs)) for solver in ("lbfgs", "newton-cg", "newton-cholesky") for jobs in (1, 2)]
    tools = [("liblinear-train -s 2", lambda tol: LiblinearTrain(2, c, tol)), ("liblinear-train -s 1", lambda tol: LiblinearTrain(1, c, tol))]
    return [("LinearSVC dual=False", lambda tol: LinearSVC(C=c, tol=tol, max_iter=5000, dual=False)),
            ("LinearSVC dual=True", lambda tol: LinearSVC(C=c, tol=tol, max_iter=5000, dual=True, random_state=0)), *(tools if shutil.which("liblinear-train") else [])]


class LiblinearTrain:
    """Debian's LIBLINEAR by its command; the time to read its text file and write its model is that of a run that stops at once, and is taken off."""

    def __init__(self, solver, c, tol):
        self.arguments = ["-q", "-B", "1", "-s", str(solver), "-c", repr(c)]
        self.tol = tol

    def fit(self, x, y):
        with tempfile.TemporaryDirectory() as folder:
            data, model = f"{folder}/data", f"{folder}/model"
            with open(data, "w") as file:
                for row, label in zip(x, y):
                    file.write(f"{label} " + " ".join(f"{i + 1}:{row[i]:.9g}" for i in np.flatnonzero(row)) + "\n")
            def run(tol):
                before, start = os.times(), time.perf_counter()
                subprocess.run(["liblinear-train", *self.arguments, "-e", repr(tol), data, model], check=True)
                after = os.times()
                return time.perf_counter() - start, after.children_user + after.children_system - before.children_user - before.children_system
            empty = min(run(1e30) for _ in range(2))
            self.seconds = tuple(max(a - b, 0) for a, b in zip(run(self.tol), empty))
            with open(model) as file:
                lines = file.read().split("\n")
        labels = [int(v) for v in next(line for line in lines if line.startswith("label")).split()[1:]]
        weights = np.array([[float(v) for v in line.split()] for line in lines[lines.index("w") + 1:] if line.strip()]).T
        order = np.argsort(labels)
        self.coef_, self.intercept_ = weights[order, :-1], weights[order, -1]
        return self


def ours(command, folder, head, c, rounds=8):
    name = "alpha" if head == "ridge" else "C"
    c = f"[{','.join(map(str, c))}]" if isinstance(c, (list, tuple, np.ndarray)) else c
    text = subprocess.run([*command, "bench", "heads", "--vectors", f"{folder}/x.npy", "--labels", f"{folder}/y.npy", "--heads", f"{head}:{name}={c}" + ("" if head == "ridge" else ",tol=1e-6"),
                           "--rounds", str(rounds), "--threads", "2", "--coefficients", f"{folder}/coefficients", "--json"],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def timed(work):
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, *getattr(result, "seconds", (time.perf_counter() - wall, time.process_time() - processor))


def extrapolated(head, c, x, y, iterations):
    """Time of a whole fit from a part of it."""
    if head == "softmax":
        model, wall, processor = timed(lambda: LogisticRegression(C=c, tol=0, max_iter=5).fit(x, y))
        return [(f"LogisticRegression lbfgs, 5 of {iterations} iterations", wall * iterations / model.n_iter_[0], processor * iterations / model.n_iter_[0])]
    name, build = rivals(head, c)[1 if head == "linear-svm" else 0]
    if head == "linear-svm":
        classes, some = y.max() + 1, 40
        _, wall, processor = timed(lambda: build(1e-3).fit(x, y if classes <= 200 else np.minimum(y, some)))
        if classes <= 200:
            return [(f"{name} tol=0.001", wall, processor)]
        # In one call, since alone each class would convert the vectors to float64 again; the problem of all others is taken off, conversion and all.
        _, less, unused = timed(lambda: build(1e-3).fit(x, y < some))
        return [(f"{name} tol=0.001, {some} of {classes} classes", (wall - less) * classes / some, (processor - unused) * classes / some)]
    _, wall, processor = timed(lambda: [build(1e-3).fit(x, y == k) for k in range(20)])
    share = (y.max() + 1) / 20
    return [(f"{name} tol=0.001, 20 of {y.max() + 1} classes", wall * share, processor * share)]


def compare(command, folder, title, head, c, x, y, options):
    run = ours(command, folder, head, c, options.rounds)[0]
    weights, bias = np.load(run["weights"]), np.load(run["bias"])
    mine, seconds, processor = objective(head, c, x, y, weights, bias), min(run["seconds"][1:] or run["seconds"]), min(run["processor_seconds"][1:] or run["processor_seconds"])
    if options.extrapolate:
        for name, took, used in extrapolated(head, c, x, y, options.extrapolate):
            about = "about " if " of " in name else ""
            print(f"| {title} | {head} C={c:g} | {mine:.9g} | {seconds:.3f} ({processor:.3f}) | {name} | | | {about}{took:.0f} ({used:.0f}) | {took / seconds:.1f} ({used / processor:.1f}) | |", flush=True)
        return
    rows = []
    for name, build in rivals(head, c):
        best, found = mine, None
        for tol in options.tolerances:
            model, took, used = timed(lambda: build(tol).fit(x, y))
            value = objective(head, c, x, y, model.coef_, model.intercept_)
            found = (value, took, tol, model)
            if value <= min(best, value) * (1 + CLOSE):
                break
        value, took, tol, model = found
        a, b = outputs(x, weights, bias), outputs(x, model.coef_, model.intercept_)
        if head == "softmax":
            a, b = (np.exp(z - z.max(1, keepdims=True)) for z in (a, b))
            a, b = a / a.sum(1, keepdims=True), b / b.sum(1, keepdims=True)
        elif head == "logistic":
            a, b = (1 / (1 + np.exp(-z)) for z in (a, b))
        rows.append((took if value <= mine * (1 + 1e-5) else float("inf"), f"| {took:.3f} ({used:.3f}) | {took / seconds:.1f} ({used / processor:.1f}) | {np.abs(a - b).max():.1e} |",
                     f"| {title} | {head} C={c:g} | {mine:.9g} | {seconds:.3f} ({processor:.3f}) | {name} tol={tol:g}", f" | {value:.9g} | {(value - mine) / mine:+.1e} "))
    for row in rows:
        print(row[2] + (", best" if row is min(rows) else "") + row[3] + row[1], flush=True)


def ridge(command, folder, title, x, y):
    runs = ours(command, folder, "ridge", 100)
    # Its best of eight, since a fit is short and the first ones start the BLAS's threads.
    took = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        model = RidgeClassifier(alpha=100).fit(x, y)
        took = min(took, time.perf_counter() - start)
    difference = np.abs(outputs(x, np.load(runs[0]["weights"]), np.load(runs[0]["bias"])) - model.decision_function(x)).max()
    path = ours(command, folder, "ridge", np.logspace(-2, 6, 20))
    seconds, fits = min(path[0]["seconds"][1:]), min(path[1]["seconds"][1:])
    print(f"| {title} | ridge alpha=100 | | {min(runs[0]['seconds'][1:]):.3f} | RidgeClassifier | | | {took:.3f} | {took / min(runs[0]['seconds'][1:]):.1f} | {difference:.1e} |")
    print(f"| {title} | ridge, 20 alphas, leave-one-out | | {seconds:.3f} | one RidgeClassifier fit | | | {took:.3f} | {took / seconds:.2f} | |")
    print(f"| {title} | ridge, 20 alphas, heads | | {fits:.3f} | one RidgeClassifier fit | | | {took:.3f} | {took / fits:.2f} | |", flush=True)


def knn(command, folder, title, x, y):
    """The 100 nearest of all rows for all rows, which serves every k up to 100: 2 N^2 D operations."""
    text = subprocess.run([*command, "bench", "heads", "--vectors", f"{folder}/x.npy", "--labels", f"{folder}/y.npy", "--heads", "knn:n_neighbors=100",
                           "--rounds", "4", "--threads", "2", "--json"], check=True, capture_output=True, text=True).stdout
    seconds = json.loads(text)[0]["predict_seconds"]
    other = x.copy()
    operations = 2 * len(x) ** 2 * x.shape[1]
    product = min(timed(lambda: x @ other.T)[1] for _ in range(3))
    print(f"| {title} | knn, k of 1 to 100 at once | {operations / seconds / 1e9:.0f} GFLOP/s | {seconds:.3f} | numpy's product of the same, float32 | {operations / product / 1e9:.0f} GFLOP/s | | {product:.3f} | {product / seconds:.2f} | |", flush=True)


def blas():
    with open("/proc/self/maps") as maps:
        names = {line.split("/")[-1].strip() for line in maps if "blas" in line}
    return ", ".join(sorted(n for n in names if n.endswith((".so", ".so.3")) or ".so." in n))


def choose(options):
    """What to compare: a shape to make or files, the name of its shape, and the heads that are asked for."""
    sets = [(shape, None, "x".join(map(str, shape[:3]))) for shape in SHAPES]
    if options.features:
        x, y = (np.load(file, mmap_mode="r") for file in options.features)
        sets.insert(0, (None, options.features, f"{x.shape[0]}x{x.shape[1]}x{y.max() + 1}"))
    heads = [head for head, _ in HEADS] + ["knn", "ridge"]
    known = {f"{head}:{name}" for _, _, name in sets for head in heads}
    if unknown := [asked for asked in options.only if asked not in known]:
        raise ValueError(f"--only {unknown[0]}: expected {'|'.join(heads)}:{'|'.join(dict.fromkeys(name for _, _, name in sets))}")
    chosen = [(shape, files, name, [head for head in heads if f"{head}:{name}" in options.only]) for shape, files, name in sets] if options.only \
        else [(shape, files, name, heads) for shape, files, name in sets if options.full or not shape or shape[2] < 1000]
    return [row for row in chosen if row[3]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", nargs=2, metavar=("X", "Y"))
    parser.add_argument("--only", nargs="*", default=[], metavar="HEAD:SHAPE")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--tolerances", nargs="*", type=float, default=[1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--extrapolate", type=int, metavar="N")
    options = parser.parse_args()
    try:
        sets = choose(options)
    except ValueError as error:
        parser.error(str(error))
    command = os.environ.get("TRANSFER", "bin/transfer").split()
    np.ones((64, 64)) @ np.ones((64, 64))
    print(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, BLAS {blas()}, {os.cpu_count()} cores\n")
    print("| vectors | head | objective | s (processor s) | rival | its objective | (its - ours) / ours | its s (processor s) | times faster (by processor time) | largest difference |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for shape, files, name, asked in sets:
        wanted = [(h, c) for h, c in HEADS if h in asked]
        x, y = make(*shape) if shape else (np.load(files[0]), np.load(files[1]))
        title = name + ("" if shape else " given")
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", x)
            np.save(f"{folder}/y.npy", y.astype(np.int32))
            for head, c in wanted:
                compare(command, folder, title, head, c, x, y, options)
            if "knn" in asked:
                knn(command, folder, title, x, y)
            if "ridge" in asked:
                ridge(command, folder, title, x, y)


if __name__ == "__main__":
    main()
