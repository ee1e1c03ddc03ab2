"""Class shares of scikit-learn's RandomForestClassifier and ExtraTreesClassifier: python3 forest.py > forest.json"""
import json

import sklearn
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from mixture import mixture

x, y = mixture(700, 30, 5, seed=21, spread=1.2)
cases = []
for splitter, model in [
    ("best", RandomForestClassifier(1000, random_state=0, n_jobs=2)),
    ("random", ExtraTreesClassifier(1000, random_state=0, n_jobs=2)),
]:
    model.fit(x[:500], y[:500])
    cases.append({
        "splitter": splitter, "accuracy": model.score(x[500:], y[500:]),
        "probabilities": [[round(p, 4) for p in r] for r in model.predict_proba(x[500:]).tolist()],
        "nodes": sum(t.tree_.node_count for t in model.estimators_) / 1000,
    })
print(json.dumps({"sklearn": sklearn.__version__, "cases": cases}))
