#!/usr/bin/env python3
"""Damages small photos in 20,000 ways and decodes each with Pillow and with this program: who refuses, and whose pixels differ.

usage: fuzz_photos.py TESTS [COUNT [FOLDER]]   TESTS: artifacts/bin/TransferPipeline.Tests/release/TransferPipeline.Tests
Needs Pillow 9.4 (Debian's python3-pil). The seed is fixed. The last table counts per format; files of the columns that should be 0 stay in FOLDER.
"""
import collections, concurrent.futures, io, os, random, shutil, struct, subprocess, sys, tempfile, warnings, zlib
from PIL import Image

SHARES = {"jpg": 0.35, "png": 0.2, "tiff": 0.15, "bmp": 0.1, "webp": 0.08, "gif": 0.06, "ppm": 0.06}
MOST_PIXELS = 1 << 22
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
FORMATS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../TransferPipeline.Tests/Images/Formats")
DIRECTORIES = {".jpg": "jpg", ".png": "png", ".tiff": "tiff", ".bmp": "bmp", ".webp": "webp", ".gif": "gif", ".ppm": "ppm", ".pgm": "ppm", ".pbm": "ppm"}


def sums_of_png(data):
    """The same file with right checksums, so that damage reaches what they protect."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        if at + 12 + length > len(data):
            break
        body = data[at + 4:at + 8 + length]
        out += data[at:at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out) + data[at:]


def damaged(data, kind, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(min(len(data), 80)) if rng.random() < 0.35 else rng.randrange(len(data))
        how = rng.random()
        if how < 0.4:
            data[at] = rng.randrange(256)
        elif how < 0.6:
            data[at] ^= 1 << rng.randrange(8)
        elif how < 0.68:
            data[at:at + 2] = bytes([0xFF, rng.randrange(256)])
        elif how < 0.74:
            data = data[:max(at, 4)]
        elif how < 0.82:
            del data[at:at + rng.randint(1, 12)]
        elif how < 0.9:
            data[at:at] = rng.randbytes(rng.randint(1, 12))
        else:
            end = min(len(data), at + rng.randint(1, 40))
            to = rng.randrange(len(data))
            data[to:to + end - at] = data[at:end]
        if len(data) < 8:
            break
    if kind == "png" and rng.random() < 0.7:
        return sums_of_png(bytes(data))
    return bytes(data)


def by_pillow(file):
    """Mode, size and RGB bytes, or the reason."""
    warnings.simplefilter("ignore")
    try:
        image = Image.open(file)
        if image.width * image.height > MOST_PIXELS:
            return "too large"
        kind = image.format
        rgb = image.convert("RGB")
        return kind, rgb.width, rgb.height, rgb.tobytes()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    tests, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    root = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="fuzz-photos-")
    inputs, output = os.path.join(root, "damaged"), os.path.join(root, "decoded")
    for folder in (inputs, output):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    seeds = collections.defaultdict(list)
    for name in sorted(os.listdir(FORMATS)):
        kind = DIRECTORIES.get(os.path.splitext(name)[1])
        if kind:
            seeds[kind].append((name, open(os.path.join(FORMATS, name), "rb").read()))
    whole, rng = {}, random.Random(20261128)
    for kind, share in SHARES.items():
        for i in range(round(count * share)):
            name, data = seeds[kind][i % len(seeds[kind])]
            damage = f"{kind}-{i:05d}-{name}"
            whole[damage] = os.path.join(FORMATS, name)
            open(os.path.join(inputs, damage), "wb").write(damaged(data, kind, rng))
    names = sorted(whole)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        pillow = dict(zip(names, pool.map(by_pillow, [os.path.join(inputs, n) for n in names], chunksize=64)))
    subprocess.run([tests, "--decode-folder", inputs, output, *sys.argv[4:]], check=True)
    ours = {}
    for line in open(os.path.join(output, "decoded.tsv"), encoding="utf-8"):
        name, width, height, reason = line.rstrip("\n").split("\t", 3)
        ours[name] = reason or (int(width), int(height), open(os.path.join(output, name), "rb").read())
    originals = {file: by_pillow(file) for file in set(whole.values())}
    table, kept = collections.defaultdict(collections.Counter), []
    for name in names:
        there, here, row = pillow[name], ours[name], table[name.split("-")[0]]
        row["files"] += 1
        if isinstance(there, str) and isinstance(here, str):
            row["both refuse"] += 1
        elif isinstance(here, str):
            row["only Pillow reads"] += 1
            kept.append((name, "only Pillow reads", here))
        elif isinstance(there, str):
            is_damaged = originals[whole[name]][1:] != here
            row["only we read, pixels damaged" if is_damaged else "only we read, pixels whole"] += 1
            kept.append((name, "only we read, pixels " + ("damaged" if is_damaged else "whole"), there))
        elif there[1:] == here:
            row["same pixels"] += 1
        elif there[1:3] != here[:2]:
            row["other size"] += 1
            kept.append((name, "other size", f"{there[1]} x {there[2]} by Pillow as {there[0]}, {here[0]} x {here[1]}"))
        else:
            most = max(abs(a - b) for a, b in zip(there[3], here[2]))
            small = name.startswith("webp") and most <= 2
            row["within 2 levels" if small else "other pixels"] += 1
            if not small:
                kept.append((name, "other pixels", f"{most} levels, Pillow read it as {there[0]}"))
    with open(os.path.join(root, "findings.tsv"), "w") as findings:
        for name, what, why in kept:
            findings.write(f"{name}\t{what}\t{why}\n")
    columns = ["files", "same pixels", "within 2 levels", "both refuse", "only Pillow reads", "only we read, pixels whole",
               "only we read, pixels damaged", "other size", "other pixels"]
    print("| format | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for kind in SHARES:
        print(f"| {kind} | " + " | ".join(str(table[kind][c]) for c in columns) + " |")
    print(f"files and findings.tsv: {root}")


if __name__ == "__main__":
    main()
