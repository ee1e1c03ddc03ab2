#!/usr/bin/env python3
"""Writes small files of every kind of photo, and expected.tsv: what Pillow's convert("RGB") gives for each.

Run once with Pillow 9.4 (Debian's python3-pil, python3-numpy): python3 make.py. The content is made up here.
"""
import glob, hashlib, io, os, struct, zlib
import numpy as np
from PIL import Image, ImageOps

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 37, 29
rng = np.random.default_rng(7)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 255 // (W - 1), y * 255 // (H - 1), (x * y) % 256], -1)
rgb = np.clip(rgb + rng.integers(-20, 21, rgb.shape), 0, 255).astype(np.uint8)
grey = rgb[..., 1]
alpha = ((x + y) * 4 % 256).astype(np.uint8)
wide = (rgb.astype(np.uint16) << 8) + rng.integers(0, 256, rgb.shape).astype(np.uint16)
faint = (x * 11 + y).astype(np.uint16)  # levels around 255, where clipping shows
color = Image.fromarray(rgb)
rgba = Image.fromarray(np.dstack([rgb, alpha]))


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)


def png(name, kind, depth, rows, extra=b"", interlaced=False):
    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
    height, width = len(rows), rows[0].shape[0]

    def pack(part):
        if depth == 16:
            return part.astype(">u2").tobytes()
        if depth == 8:
            return part.astype(np.uint8).tobytes()
        bits = np.unpackbits(part.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:]
        return np.packbits(bits.reshape(-1)).tobytes()
    data = b""
    passes = [(0, 0, 1, 1)] if not interlaced else [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x0, y0, dx, dy in passes:
        for row in rows[y0::dy]:
            if row[x0::dx].size:
                data += b"\0" + pack(row[x0::dx])
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced)))
          + extra_chunks(extra, chunk) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def extra_chunks(extra, chunk):
    return b"".join(chunk(tag, data) for tag, data in extra) if extra else b""


def segment(data, marker):
    """Start and end of a JPEG segment."""
    i = 2
    while data[i + 1] != marker:
        i += 2 + struct.unpack(">H", data[i + 2:i + 4])[0]
    return i, i + 2 + struct.unpack(">H", data[i + 2:i + 4])[0]


# JPEG
for name, options in {"420": {}, "444": {"subsampling": 0}, "422": {"subsampling": 1}, "progressive": {"progressive": True},
                      "q30": {"quality": 30}, "optimized": {"optimize": True, "quality": 95}}.items():
    color.save(f"rgb-{name}.jpg", **options)
Image.fromarray(grey).save("grey.jpg")
color.convert("CMYK").save("cmyk-adobe.jpg")
data = open("cmyk-adobe.jpg", "rb").read()
a, b = segment(data, 0xEE)
write("cmyk-plain.jpg", data[:a] + data[b:])
write("ycck-adobe.jpg", data[:b - 1] + b"\2" + data[b:])
data = open("rgb-444.jpg", "rb").read()
write("rgb-adobe-untransformed.jpg", data[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + data[2:])
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    color.save(f"exif-{orientation}.jpg", exif=exif)
color.save("icc.jpg", icc_profile=b"\0" * 128)

# PNG
Image.fromarray(grey).save("grey.png")
Image.fromarray(np.dstack([grey, alpha])).save("grey-alpha.png")
color.save("rgb.png")
rgba.save("rgba.png")
Image.fromarray(grey).convert("1").save("bit.png")
palette = color.quantize(64)
palette.save("palette.png")
palette.save("palette-transparent-index.png", transparency=3)
palette.save("palette-transparent-table.png", transparency=bytes(range(64)))
color.quantize(4).save("palette-2-bit.png", bits=2)
color.quantize(16).save("palette-4-bit.png", bits=4)
png("grey-2-bit.png", 0, 2, list(grey >> 6))
png("grey-4-bit.png", 0, 4, list(grey >> 4))
png("grey-16-bit.png", 0, 16, list(wide[..., 0]))
png("grey-16-bit-faint.png", 0, 16, list(faint))
png("grey-16-bit-transparent.png", 0, 16, list(faint), [(b"tRNS", b"\0\x20")])
png("rgb-16-bit.png", 2, 16, list(wide))
png("grey-alpha-16-bit.png", 4, 16, list(wide[..., :2]))
png("rgba-16-bit.png", 6, 16, list(np.dstack([wide, wide[..., :1]])))
png("rgb-transparent.png", 2, 8, list(rgb), [(b"tRNS", struct.pack(">HHH", *map(int, rgb[3, 3])))])
png("grey-transparent.png", 0, 8, list(grey), [(b"tRNS", struct.pack(">H", int(grey[3, 3])))])
png("rgb-interlaced.png", 2, 8, list(rgb), interlaced=True)
png("rgb-gamma.png", 2, 8, list(rgb), [(b"gAMA", struct.pack(">I", 100000))])
Image.fromarray(grey).resize((1, 1)).save("one-pixel.png")

# GIF
palette.save("plain.gif", interlace=0)
palette.save("interlaced.gif", interlace=1)
palette.save("transparent.gif", transparency=5)
Image.fromarray(grey).save("grey.gif")
palette.save("animated.gif", save_all=True, append_images=[palette.rotate(90), palette.rotate(180)])
data = bytearray(open("plain.gif", "rb").read())
data[6:10] = struct.pack("<HH", W + 9, H + 5)  # the screen is larger than the frame
write("small-frame.gif", data)
color.resize((3, 200)).quantize(256).save("tall.gif")

# WebP
color.save("lossy.webp")
color.save("lossless.webp", lossless=True)
rgba.save("lossy-alpha.webp", exact=True)
rgba.save("lossless-alpha.webp", lossless=True, exact=True)

# TIFF
for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
    color.save(f"rgb-{compression}.tiff", compression=None if compression == "raw" else compression)
color.save("rgb-jpeg.tiff", compression="jpeg")
Image.fromarray(grey).save("grey.tiff")
palette.save("palette.tiff")
Image.fromarray(grey).convert("1").save("bit.tiff")
Image.fromarray(grey).convert("1").save("bit-group4.tiff", compression="group4")
color.convert("CMYK").save("cmyk.tiff")
rgba.save("rgba.tiff")
Image.fromarray(faint).save("grey-16-bit.tiff")
Image.fromarray(faint.astype(np.int32) - 100).save("grey-32-bit.tiff")
Image.fromarray(faint.astype(np.float32) - 100.5).save("grey-float.tiff")

# BMP
color.save("rgb.bmp")
rgba.save("rgba.bmp")
Image.fromarray(grey).save("grey.bmp")
palette.save("palette.bmp")
Image.fromarray(grey).convert("1").save("bit.bmp")


def bmp(name, width, height, bits, compression, pixels, palette=b"", masks=b"", os2=False):
    info = (struct.pack("<IHHHH", 12, width, height, 1, bits) if os2 else
            struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0))
    offset = 14 + len(info) + len(masks) + len(palette)
    write(name, b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + masks + palette + pixels)


def padded(rows):
    return b"".join(r + b"\0" * (-len(r) % 4) for r in rows)


bgr = rgb[..., ::-1]
bmp("top-down.bmp", W, -H, 24, 0, padded([r.tobytes() for r in bgr]))
v = rgb.astype(np.uint16)
bmp("555.bmp", W, H, 16, 0, padded([r.astype("<u2").tobytes() for r in ((v[..., 0] >> 3) << 10 | (v[..., 1] >> 3) << 5 | v[..., 2] >> 3)[::-1]]))
bmp("565.bmp", W, H, 16, 3, padded([r.astype("<u2").tobytes() for r in ((v[..., 0] >> 3) << 11 | (v[..., 1] >> 2) << 5 | v[..., 2] >> 3)[::-1]]),
    masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
bmp("masks-32.bmp", W, H, 32, 3, np.dstack([alpha, bgr])[::-1].tobytes(), masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00))
table256 = rng.integers(0, 256, (256, 4)).astype(np.uint8).tobytes()
table16 = table256[:64]
index = (x // 5 + y // 3).astype(np.uint8)
rle8 = b""
for r in index[::-1]:
    rle8 += bytes([4, r[0], 1, r[4]])  # two runs, then one literal stretch padded to even length
    rest = r[5:].tobytes()
    rle8 += bytes([0, len(rest)]) + rest + b"\0" * (len(rest) & 1) + b"\0\0"
bmp("rle8.bmp", W, H, 8, 1, rle8 + b"\0\1", palette=table256)
rle4 = b"".join(bytes([20, int(r[0]) << 4 | int(r[1])]) + bytes([W - 20, 0x35]) + b"\0\0" for r in index[::-1])
bmp("rle4.bmp", W, H, 4, 2, rle4 + b"\0\1", palette=table16)
nibbles = np.pad(index & 15, ((0, 0), (0, 1)))
bmp("palette-4-bit.bmp", W, H, 4, 0, padded([r.tobytes() for r in (nibbles[::-1, 0::2] << 4 | nibbles[::-1, 1::2])]), palette=table16)
bmp("os2.bmp", W, H, 8, 0, padded([r.tobytes() for r in index[::-1]]),
    palette=np.frombuffer(table256, np.uint8).reshape(256, 4)[:, :3].tobytes(), os2=True)

# PPM
color.save("binary.ppm")
Image.fromarray(grey).save("binary.pgm")
Image.fromarray(grey).convert("1").save("binary.pbm")
write("text.ppm", b"P3\n# made up\n3 2\n255\n" + b" ".join(b"%d" % n for n in [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7, 6, 5, 4, 3, 2, 1]) + b"\n")
write("text.pgm", b"P2 3 2 15\n0 1 2\n13 14 15\n")
write("text.pbm", b"P1\n5 2\n1 0 1 0 1\n01010\n")
write("binary-100.ppm", b"P6 %d %d 100\n" % (W, H) + (rgb % 101).tobytes())
write("binary-16-bit.ppm", b"P6 %d %d 65535\n" % (W, H) + wide.astype(">u2").tobytes())
write("binary-1000.pgm", b"P5 %d %d 1000\n" % (W, H) + np.minimum(faint, 1000).astype(">u2").tobytes())
write("binary-16-bit.pgm", b"P5 %d %d 65535\n" % (W, H) + faint.astype(">u2").tobytes())

with open("expected.tsv", "w") as table:
    table.write("file\twidth\theight\trgb_sha256\ttransposed_rgb_sha256\n")
    for name in sorted(glob.glob("*.*")):
        if name in ("make.py", "expected.tsv", "README.md"):
            continue
        image = Image.open(name)
        turned = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        plain = image.convert("RGB")
        table.write("\t".join([name, str(plain.width), str(plain.height),
                               hashlib.sha256(plain.tobytes()).hexdigest(), hashlib.sha256(turned.tobytes()).hexdigest()]) + "\n")
