#!/usr/bin/env python3
"""Damages small photos in 20,000 ways and decodes each with Pillow and with this program: who refuses, and whose pixels differ.

usage: fuzz_photos.py TESTS [COUNT] [--folder FOLDER] [--seed N] [--structure] [--photos FOLDER] [--decoder libvips|imagesharp]
       TESTS: artifacts/bin/TransferPipeline.Tests/release/TransferPipeline.Tests
Needs Pillow 9.4 (Debian's python3-pil). The seed is fixed unless another is given. With --structure whole parts of a file are damaged: markers,
chunks, blocks, tags and rows are cut, exchanged, repeated, taken from another file, or given other lengths and values. The last table counts per
format; files of the columns that should be 0 stay in FOLDER.
"""
import argparse, collections, concurrent.futures, io, os, pickle, random, shutil, struct, subprocess, sys, tempfile, warnings, zlib
from PIL import Image

SHARES = {"jpg": 0.35, "png": 0.2, "tiff": 0.15, "bmp": 0.1, "webp": 0.08, "gif": 0.06, "ppm": 0.06}
MOST_PIXELS = 1 << 22
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
FORMATS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../TransferPipeline.Tests/Images/Formats")
DIRECTORIES = {".jpg": "jpg", ".png": "png", ".tiff": "tiff", ".tif": "tiff", ".bmp": "bmp", ".webp": "webp", ".gif": "gif", ".ppm": "ppm", ".pgm": "ppm", ".pbm": "ppm"}


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


def parts(data, kind):
    """Where the parts of a file begin that its format names, and its end."""
    at, places = 0, [0]
    if kind == "jpg":
        at = 2
        while at + 4 <= len(data):
            places.append(at)
            if data[at] != 0xFF:
                break
            if 0xD0 <= data[at + 1] <= 0xD9 or data[at + 1] == 1:
                at += 2
                continue
            scan = data[at + 1] == 0xDA
            at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
            if scan:
                places.append(at)
                while at + 1 < len(data) and not (data[at] == 0xFF and data[at + 1] not in (0, 0xFF)):
                    at += 1
    elif kind == "png":
        at = 8
        while at + 12 <= len(data):
            places.append(at)
            at += 12 + struct.unpack(">I", data[at:at + 4])[0]
    elif kind == "webp":
        at = 12
        while at + 8 <= len(data):
            places.append(at)
            length = struct.unpack("<I", data[at + 4:at + 8])[0]
            at += 8 + length + (length & 1)
    elif kind == "gif":
        at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
        while at < len(data):
            places.append(at)
            if data[at] == 0x2C:
                at += 10 + (3 << ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0)
                places.append(at)
                at += 1
            elif data[at] == 0x21:
                at += 2
            else:
                break
            while at < len(data) and data[at]:
                at += 1 + data[at]
                places.append(at)
            at += 1
    elif kind == "bmp":
        pixels = struct.unpack("<I", data[10:14])[0]
        places += [14, *range(18, 14 + struct.unpack("<I", data[14:18])[0], 4), *range(pixels, len(data), max(1, (len(data) - pixels) // 29))]
    elif kind == "tiff":
        order = "<" if data[:1] == b"I" else ">"
        big = struct.unpack(order + "H", data[2:4])[0] == 43
        first = struct.unpack(order + ("Q" if big else "I"), data[8:16] if big else data[4:8])[0]
        step, head = (20, 8) if big else (12, 2)
        if first + head <= len(data):
            count = struct.unpack(order + ("Q" if big else "H"), data[first:first + head])[0]
            places += [first, *(first + head + i * step for i in range(min(count, 50) + 1))]
    else:
        places += [i + 1 for i in range(min(len(data), 40)) if data[i:i + 1].isspace()]
    return sorted({p for p in places if 0 <= p < len(data)} | {len(data)})


def restructured(data, other, kind, rng):
    """Damage to whole parts of a file; the other file is of the same format."""
    for _ in range(rng.choice([1, 1, 2])):
        places = parts(data, kind)
        spans = list(zip(places, places[1:]))
        (a, b), (c, d) = rng.choice(spans), rng.choice(spans)
        how = rng.random()
        if how < 0.1:
            data = data[:max(a, 4)]
        elif how < 0.25:
            if a > c:
                (a, b), (c, d) = (c, d), (a, b)
            data = data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:] if b <= c else data
        elif how < 0.4:
            data = data[:b] + data[a:b] + data[b:]
        elif how < 0.5:
            data = data[:a] + data[b:]
        elif how < 0.65:
            there = parts(other, kind)
            e, f = rng.choice(list(zip(there, there[1:])))
            data = data[:a] + other[e:] if rng.random() < 0.3 else data[:a] + other[e:f] + data[b if rng.random() < 0.5 else a:]
        elif how < 0.75 and kind == "jpg":
            place = rng.randrange(a, b)
            data = data[:place] + bytes([0xFF, rng.choice([*range(0xD0, 0xDA), 0xC4, 0xDB, 0xDC, 0xDD, 0xDA, 0xFE, 0xE1, 0xFF])]) + data[place:]
        else:
            place = min(a + rng.randrange(12 if kind == "tiff" else 10), len(data) - 1)
            size = rng.choice([1, 1, 2, 4])
            order = rng.choice(["little", "big"])
            old = int.from_bytes(data[place:place + size], order)
            value = rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 255, 256, 65535, old + 1, old - 1, old * 2, old // 2, rng.randrange(1 << 8 * size)])
            data = data[:place] + (value % (1 << 8 * size)).to_bytes(size, order) + data[place + size:]
        if len(data) < 20:
            break
    return sums_of_png(data) if kind == "png" and rng.random() < 0.8 else data


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


def by_pillow_apart(files):
    """The same for several files, in processes of their own, since some damage ends Pillow's."""
    results = []
    while len(results) < len(files):
        reads, writes = os.pipe()
        if (child := os.fork()) == 0:
            with os.fdopen(writes, "wb") as stream:
                for file in files[len(results):]:
                    pickle.dump(by_pillow(file), stream)
                    stream.flush()
            os._exit(0)
        os.close(writes)
        with os.fdopen(reads, "rb") as stream:
            while True:
                try:
                    results.append(pickle.load(stream))
                except (EOFError, pickle.UnpicklingError):
                    break
        if ended := os.waitpid(child, 0)[1]:
            results.append(f"Pillow ended by signal {ended & 127}")
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tests", type=os.path.abspath)
    parser.add_argument("count", nargs="?", type=int, default=20000)
    parser.add_argument("--folder")
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--structure", action="store_true")
    parser.add_argument("--photos", default=FORMATS, type=os.path.abspath)
    parser.add_argument("--decoder", default="libvips and libjpeg-turbo")
    given = parser.parse_args()
    root = given.folder or tempfile.mkdtemp(prefix="fuzz-photos-")
    inputs, output = os.path.join(root, "damaged"), os.path.join(root, "decoded")
    for folder in (inputs, output):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    seeds = collections.defaultdict(list)
    for name in sorted(os.listdir(given.photos)):
        kind = DIRECTORIES.get(os.path.splitext(name)[1])
        if kind:
            seeds[kind].append((name, open(os.path.join(given.photos, name), "rb").read()))
    whole, rng = {}, random.Random(given.seed)
    for kind, share in SHARES.items():
        for i in range(round(given.count * share) if seeds[kind] else 0):
            name, data = seeds[kind][i % len(seeds[kind])]
            damage = f"{kind}-{i:05d}-{name}"
            whole[damage] = os.path.join(given.photos, name)
            changed = restructured(data, rng.choice(seeds[kind])[1], kind, rng) if given.structure else damaged(data, kind, rng)
            open(os.path.join(inputs, damage), "wb").write(changed)
    names = sorted(whole)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        paths = [os.path.join(inputs, n) for n in names]
        groups = [paths[i:i + 256] for i in range(0, len(paths), 256)]
        pillow = dict(zip(names, [result for group in pool.map(by_pillow_apart, groups) for result in group]))
    subprocess.run([given.tests, "--decode-folder", inputs, output, given.decoder], check=True)
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
