"""Writes MapGoldens.json: scikit-learn's PCA of the reference features of hymenoptera/val (scikit-learn 1.2.1).

Run with the shared folder beside the repository.
"""
import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA

here = pathlib.Path(__file__)
x = np.load(here.parents[5] / "shared/reference/features-hymenoptera-val-efficientnet-lite0.npy").astype(np.float64)
pca = PCA(2, svd_solver="full").fit(x)
out = {"explained": pca.explained_variance_ratio_.tolist(), "coordinates": np.round(pca.transform(x), 5).tolist()}
here.with_suffix(".json").write_text(json.dumps(out) + "\n")
