"""Writes MetricsGoldens.json: scikit-learn's figures for synthetic predictions (scikit-learn 1.2.1, scipy 1.10.1, numpy 1.24)."""
import json
import pathlib

import numpy as np
from scipy import optimize, stats
from sklearn import metrics, model_selection

random = np.random.default_rng(7)
cases = []
for count, classes, sharpness, missing in [(40, 2, 1.0, False), (341, 10, 2.0, False), (200, 7, 0.3, True), (25, 8, 6.0, True)]:
    truth = random.integers(0, classes - 1 if missing else classes, count)
    logits = random.normal(size=(count, classes)) + sharpness * (np.arange(classes) == truth[:, None])
    if missing:
        logits[:, classes - 2] -= 50  # a class that is never predicted, and probabilities that are clipped
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = np.round(p / p.sum(1, keepdims=True), 9).astype(np.float32)
    predicted = p.argmax(1)
    labels = np.arange(classes)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    top = p.max(1).astype(np.float64)
    bins = np.clip(np.ceil(top * 15).astype(int) - 1, 0, 14)
    ece = sum(abs((truth == predicted)[bins == b].mean() - top[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    cases.append({
        "classes": classes, "truth": truth.tolist(), "probabilities": [float(v) for v in p.ravel()],
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "top5": metrics.top_k_accuracy_score(truth, p, k=5, labels=labels) if classes > 5 else None,
        "log_loss": metrics.log_loss(truth, p, labels=labels),
        "ece": ece,
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
        "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist(),
    })

wilson = [{"k": k, "n": n, "low": (i := stats.binomtest(k, n).proportion_ci(method="wilson")).low, "high": i.high}
          for k, n in [(0, 10), (3, 10), (10, 10), (291, 341), (9000, 10000)]]
mcnemar = [{"b": b, "c": c, "p": stats.binomtest(b, b + c).pvalue if b + c else 1.0} for b, c in [(0, 0), (1, 0), (3, 9), (12, 12), (30, 60), (400, 300)]]
student = [{"t": t, "df": df, "p": 2 * stats.t.sf(t, df)} for t, df in [(0.5, 1), (2.0, 4), (3.3, 9), (2.5, 99), (8.0, 29)]]
# stats.t.ppf of this version is off by 3e-9 at 49 degrees of freedom, so its survival function is inverted instead.
quantile = [{"df": df, "t": optimize.brentq(lambda t: 2 * stats.t.sf(t, df) - 0.05, 1, 20, xtol=1e-13)} for df in [1, 4, 9, 49]]
folds = []
for count, classes, k in [(50, 3, 5), (37, 4, 10), (120, 7, 4)]:
    y = random.choice(classes, count, p=(w := np.arange(1, classes + 1)) / w.sum())
    y = np.concatenate([np.repeat(np.arange(classes), k), y])
    assigned = np.empty(len(y), int)
    for f, (_, test) in enumerate(model_selection.StratifiedKFold(k).split(y, y)):
        assigned[test] = f
    folds.append({"k": k, "y": y.tolist(), "folds": assigned.tolist()})

out = {"metrics": cases, "wilson": wilson, "mcnemar": mcnemar, "student": student, "quantile": quantile, "folds": folds}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
