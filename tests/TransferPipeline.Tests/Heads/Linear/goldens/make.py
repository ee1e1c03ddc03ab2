"""Makes the golden values of the linear heads with scikit-learn (1.2.1 made the committed ones), in float64 to tight tolerances.

data-NAME.tsv: class, then the float32 values of a row.
scores.tsv: data set, head, options, row, then decision_function and predict_proba of that row (one column a class each).
"""
import sys
import warnings
import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
SHOWN = 20


def make(rows, columns, classes, seed):
    r = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), r.choice(classes, rows - classes, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())])
    means = r.normal(size=(classes, columns)) * 0.5
    mixing = r.normal(size=(columns, columns)) / np.sqrt(columns)
    x = np.maximum(0, (means[y] + r.normal(size=(rows, columns))) @ mixing + 0.3).astype(np.float32)
    x[:, -1] = 0.75
    return x, y


def scalers(scaling):
    return {"none": [], "standard": [StandardScaler()], "l2": [Normalizer()]}[scaling]


def model(head, o, classes):
    C = float(o.get("C", 1))
    weight = o.get("class_weight")
    weight = None if weight is None else "balanced" if weight == "balanced" else {int(p.split(":")[0]): float(p.split(":")[1]) for p in weight.split(",")}
    if head == "softmax":
        return LogisticRegression(C=C, class_weight=weight, tol=1e-12, max_iter=100000, solver="newton-cg", fit_intercept=o.get("fit_intercept") != "false")
    if head == "logistic":
        return LogisticRegression(C=C, class_weight=weight, tol=1e-12, max_iter=100000, solver="newton-cg", multi_class="ovr")
    if head == "linear-svm":
        return LinearSVC(C=C, class_weight=weight, tol=1e-12, max_iter=1000000, dual=False, fit_intercept=o.get("fit_intercept") != "false")
    if head == "ridge":
        return RidgeClassifier(alpha=float(o["alpha"]), class_weight=weight, solver="cholesky", fit_intercept=o.get("fit_intercept") != "false")
    if head == "lda":
        shrinkage = o.get("shrinkage", "auto")
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto" if shrinkage == "auto" else float(shrinkage),
                                          priors=np.full(classes, 1 / classes) if o.get("priors") == "uniform" else None)
    if head == "nearest-mean":
        return NearestCentroid()
    raise ValueError(head)


CASES = [
    ("four", "softmax", "C=1"), ("four", "softmax", "C=30"), ("four", "softmax", "C=0.1;scaling=standard"), ("four", "softmax", "C=1;scaling=l2"),
    ("four", "softmax", "C=1;class_weight=balanced"), ("four", "softmax", "C=2;class_weight=0:3,2:0.5"), ("four", "softmax", "C=1;fit_intercept=false"),
    ("wide", "softmax", "C=1"), ("two", "softmax", "C=1"), ("two", "softmax", "C=1;class_weight=balanced"),
    ("four", "logistic", "C=1"), ("four", "logistic", "C=1;class_weight=balanced"), ("two", "logistic", "C=5;scaling=standard"), ("wide", "logistic", "C=0.3"),
    ("four", "linear-svm", "C=0.1"), ("four", "linear-svm", "C=1;scaling=standard"), ("four", "linear-svm", "C=1;class_weight=0:3,2:0.5"),
    ("four", "linear-svm", "C=1;class_weight=balanced"), ("wide", "linear-svm", "C=1"), ("two", "linear-svm", "C=1"), ("two", "linear-svm", "C=1;fit_intercept=false"),
    ("two", "linear-svm", "C=1;class_weight=balanced"),
    ("four", "ridge", "alpha=1"), ("four", "ridge", "alpha=100"), ("wide", "ridge", "alpha=1"), ("two", "ridge", "alpha=10;scaling=standard"),
    ("four", "ridge", "alpha=1;class_weight=balanced"), ("wide", "ridge", "alpha=2;class_weight=balanced"), ("four", "ridge", "alpha=3;fit_intercept=false"),
    ("wide", "ridge", "alpha=3;fit_intercept=false"),
    ("four", "lda", "shrinkage=auto"), ("four", "lda", "shrinkage=0.3"), ("wide", "lda", "shrinkage=auto"), ("two", "lda", "shrinkage=auto"),
    ("four", "lda", "shrinkage=auto;priors=uniform"), ("four", "lda", "shrinkage=0.1;scaling=standard"),
    ("four", "nearest-mean", ""), ("wide", "nearest-mean", "scaling=standard"),
]


def scores(head, fitted, x, classes):
    if head == "nearest-mean":
        # NearestCentroid has no decision_function in this release: the same up to one amount a row, and its softmax.
        centroids = fitted[-1].centroids_
        for step in fitted[:-1]:
            x = step.transform(x)
        z = x @ centroids.T - 0.5 * (centroids ** 2).sum(1)
    else:
        z = fitted.decision_function(x)
    if z.ndim == 1:
        z = np.stack([-z, z], 1)
        if head == "softmax" or head == "lda":
            z /= 2
    if hasattr(fitted, "predict_proba"):
        p = fitted.predict_proba(x)
    else:
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
    return z, p


def main(folder):
    sets = {"four": make(150, 12, 4, 1), "wide": make(40, 70, 3, 2), "two": make(90, 17, 2, 3)}
    for name, (x, y) in sets.items():
        with open(f"{folder}/data-{name}.tsv", "w") as f:
            for row, label in zip(x, y):
                f.write("\t".join([str(label)] + [np.format_float_positional(v, unique=True, trim="0") for v in row]) + "\n")
    with open(f"{folder}/scores.tsv", "w") as f:
        for name, head, options in CASES:
            o = dict(p.split("=") for p in options.split(";") if p)
            x, y = sets[name]
            x = x.astype(np.float64)
            classes = y.max() + 1
            fitted = make_pipeline(*scalers(o.get("scaling", "none")), model(head, o, classes)).fit(x, y)
            z, p = scores(head, fitted, x, classes)
            for i in range(SHOWN):
                f.write("\t".join([name, head, options, str(i)] + [f"{v:.9g}" for v in list(z[i]) + list(p[i])]) + "\n")


main(sys.argv[1])
