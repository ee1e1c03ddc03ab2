"""Neighbours and vote shares of scikit-learn's KNeighborsClassifier: python3 knn.py > knn.json"""
import json

import numpy as np
import sklearn
from sklearn.neighbors import KNeighborsClassifier

from mixture import mixture

x, y = mixture(150, 24, 4, seed=7, spread=1.5)
train, test = x[:110].astype(np.float64), x[110:].astype(np.float64)
cases = []
for metric in ["cosine", "euclidean"]:
    for weights in ["uniform", "distance"]:
        for k in [1, 4, 15]:
            model = KNeighborsClassifier(k, metric=metric, weights=weights, algorithm="brute").fit(train, y[:110])
            distances, rows = model.kneighbors(test)
            cases.append({
                "metric": metric, "weights": weights, "k": k, "rows": rows.tolist(),
                "probabilities": [[round(p, 9) for p in r] for r in model.predict_proba(test).tolist()],
                "labels": model.predict(test).tolist(),
            })
print(json.dumps({"sklearn": sklearn.__version__, "cases": cases}))
