#!/usr/bin/python3
"""`transfer train --stream` on a synthetic feature set that is larger than memory should be: time and peak resident memory.

    python3 tests/rivals/stream.py FEATURES [--rows 400000] [--heads softmax:C=0.01,tol=0.0001 ridge:alpha=100] [--folder DIR]

FEATURES is a feature set (transfer extract); its own rows are the first of the made set, so that the written classifier can be replayed on
photos. All others are its training rows again with noise, in parts of 1,024 rows as an extraction writes them, made by the DuckDB library
beside bin/transfer, which builds before commit 56708a7 bring and later ones do not. The set (2 GB of vectors for 400,000 x 1,280) is deleted at the end.
"""
import argparse
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PART_ROWS = 1024


class Duck:
    """Enough of DuckDB's C interface to run statements."""

    def __init__(self, library):
        self._library = ctypes.CDLL(library)
        database, self._connection = ctypes.c_void_p(), ctypes.c_void_p()
        self._check(self._library.duckdb_open(None, ctypes.byref(database)))
        self._check(self._library.duckdb_connect(database, ctypes.byref(self._connection)))
        self._library.duckdb_result_error.restype = ctypes.c_char_p

    def run(self, sql):
        result = ctypes.create_string_buffer(256)
        if self._library.duckdb_query(self._connection, sql.encode(), result) != 0:
            raise RuntimeError(self._library.duckdb_result_error(result).decode())
        self._library.duckdb_destroy_result(result)

    @staticmethod
    def _check(state):
        if state != 0:
            raise RuntimeError("DuckDB cannot be opened")


def entry(folder, name, rows, first):
    path = os.path.join(folder, name)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return {"order": f"{first}+{rows}", "file": name, "rows": rows, "bytes": os.path.getsize(path), "sha256": digest}


def make(source, rows, folder, library):
    with open(os.path.join(source, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    parts = []
    for part in manifest["parts"]:
        shutil.copy(os.path.join(source, part["file"]), folder)
        parts.append(part)
    done = sum(part["rows"] for part in parts)
    duck = Duck(library)
    duck.run("SET threads = 2")
    duck.run(f"CREATE TABLE photos AS SELECT row_number() OVER () - 1 AS n, * FROM read_parquet('{source}/part-*.parquet') WHERE split = 'train' AND view = 0")
    while done < rows:
        count = min(PART_ROWS, rows - done)
        name = f"part-{len(parts):05d}.parquet"
        # A uniform number from -0.5 to 0.5 for each value; features are not negative.
        noise = "hash(i * 1000003 + d) / 18446744073709551616.0 - 0.5"
        duck.run(
            f"COPY (SELECT printf('made/%07d.jpg', i) AS path, label, split, \"view\", image_sha256, bytes, mtime, width, height, "
            f"list_transform(vector, (v, d) -> greatest(0, v * (1 + 0.5 * ({noise})) + 0.4 * ({noise}))::FLOAT) AS vector "
            f"FROM range({done}, {done + count}) AS numbers(i) JOIN photos ON n = i % (SELECT count(*) FROM photos) ORDER BY i) "
            f"TO '{folder}/{name}' (FORMAT parquet, COMPRESSION uncompressed)")
        parts.append(entry(folder, name, count, done))
        done += count
    manifest["parts"], manifest["next_part"] = parts, len(parts)
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("features")
    parser.add_argument("--rows", type=int, default=400000)
    parser.add_argument("--heads", nargs="*", default=["softmax:C=0.01,tol=0.0001", "ridge:alpha=100"])
    parser.add_argument("--folder", help="where to make the set; a temporary folder otherwise")
    parser.add_argument("--transfer", default=os.path.join(REPOSITORY, "bin", "transfer"))
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="transfer-stream-")
    try:
        if not os.path.exists(os.path.join(folder, "manifest.json")):
            os.makedirs(folder, exist_ok=True)
            make(options.features, options.rows, folder, os.path.join(os.path.dirname(options.transfer), "libduckdb.so"))
        size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
        print(f"{options.rows} vectors, {size / 1e9:.2f} GB of Parquet\n")
        print("| head | fit s | processor s, all cores | peak resident MB | iterations | passes | relative gap |\n|---|---|---|---|---|---|---|")
        for head in options.heads:
            out = os.path.join(folder, "classifier.onnx")
            run = subprocess.run(
                ["/usr/bin/time", "-f", "%M %U %S", options.transfer, "train", "--features", folder, "--head", head, "--stream", "--out", out, "--json"],
                check=True, capture_output=True, text=True)
            peak, user, system = run.stderr.strip().splitlines()[-1].split()
            fit = json.loads(run.stdout)
            print(f"| {head} | {fit['fit_seconds']:.1f} | {float(user) + float(system):.1f} | {int(peak) / 1024:.0f} | {fit['iterations']} | {fit.get('passes', '')} | {fit['relative_gap']:.1e} |", flush=True)
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
