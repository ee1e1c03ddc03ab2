"""Decisions and predictions of scikit-learn's SVC, solved closely: python3 svm_rbf.py > svm_rbf.json"""
import json

import numpy as np
import sklearn
from sklearn.svm import SVC

from mixture import mixture

cases = []
for classes, C, gamma, weight, break_ties in [
    (4, 10.0, "scale", None, False),
    (4, 1.0, "auto", "balanced", False),
    (3, 0.2, 0.05, {0: 1.0, 1: 3.0, 2: 0.5}, True),
    (7, 5.0, "scale", None, True),
    (2, 10.0, "scale", None, False),
    (2, 0.5, "auto", "balanced", False),
]:
    x, y = mixture(260, 16, classes, seed=71 + classes, spread=1.7)
    x = x.astype(np.float64)
    y[:40] = np.where(y[:40] == classes - 1, 0, y[:40])
    model = SVC(C=C, gamma=gamma, class_weight=weight, tol=1e-7, decision_function_shape="ovo", break_ties=False).fit(x[:180], y[:180])
    pairs = model.decision_function(x[180:])
    model.decision_function_shape = "ovr"
    scores = model.decision_function(x[180:])
    model.break_ties = break_ties and classes > 2
    cases.append({
        "classes": classes, "C": C, "gamma": str(gamma), "break_ties": break_ties,
        "class_weight": "none" if weight is None else weight if isinstance(weight, str) else ",".join(f"{k}:{v}" for k, v in weight.items()),
        "pairs": [round(float(v), 7) for v in pairs.ravel()], "scores": [round(float(v), 7) for v in scores.ravel()],
        "labels": model.predict(x[180:]).tolist(), "support": len(model.support_),
    })
print(json.dumps({"sklearn": sklearn.__version__, "cases": cases}))
