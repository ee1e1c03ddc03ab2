#!/usr/bin/env python3
"""Writes small photos of kinds that decoders read wrong, and expected.tsv: Pillow's pixels, or that it refuses.

Run with Pillow 9.4 (Debian's python3-pil, python3-numpy, libjpeg-turbo-progs): python3 make.py. The content is made up here. Column "right": "pixels" where ours
must equal Pillow's, "refused" where both refuse, "either" where ours may refuse by the given word.
"""
import gzip, hashlib, io, os, struct, subprocess, warnings, zlib
import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for old in os.listdir("."):
    if old not in ("make.py", "README.md"):
        os.remove(old)
W, H = 23, 17
rng = np.random.default_rng(11)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 255 // (W - 1), y * 255 // (H - 1), (x * y) % 256], -1)
rgb = np.clip(rgb + rng.integers(-20, 21, rgb.shape), 0, 255).astype(np.uint8)
color = Image.fromarray(rgb)
table = []


def write(name, data, right="pixels", word=""):
    with open(name, "wb") as f:
        f.write(data)
    table.append((name, right, word))


def pillow_reads(name):
    try:
        Image.open(name).convert("RGB")
        return True
    except Exception:
        return False


# TIFF by hand: every combination of tags that matters
def tiff(name, photometric, bits, data, extra=None, numbers=None, compression=1, order="<", orientation=None, planar=1, tile=None, more=(), right="pixels", word="", rows=None):
    samples = len(bits)
    entries = [(256, 3, [W]), (257, 3, [H]), (258, 3, list(bits)), (259, 3, [compression]), (262, 3, [photometric]), (277, 3, [samples])]
    entries += [(322, 3, [tile]), (323, 3, [tile])] if tile else [(278, 3, [rows or H])]
    planes = data if isinstance(data, list) else [data]
    if extra is not None:
        entries.append((338, 3, list(extra)))
    if numbers is not None:
        entries.append((339, 3, [numbers] * samples))
    if orientation is not None:
        entries.append((274, 3, [orientation]))
    if planar != 1:
        entries.append((284, 3, [planar]))
    entries += list(more)
    body, offsets = b"", []
    for plane in planes:
        offsets.append(8 + len(body))
        body += plane + b"\0" * (len(plane) & 1)
    entries += [(324 if tile else 273, 4, offsets), (325 if tile else 279, 4, [len(p) for p in planes])]
    directory, tail = b"", b""
    start = 8 + len(body)
    after = start + 2 + 12 * len(entries) + 4
    for tag, kind, values in sorted(entries):
        packed = b"".join(struct.pack(order + ("H" if kind == 3 else "I"), v) for v in values)
        if len(packed) > 4:
            where = struct.pack(order + "I", after + len(tail))
            tail += packed + b"\0" * (len(packed) & 1)
        else:
            where = packed.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + where
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    write(name, head + body + struct.pack(order + "H", len(entries)) + directory + b"\0\0\0\0" + tail, right, word)


wide = (rgb.astype(np.uint16) << 8) + rng.integers(0, 256, rgb.shape).astype(np.uint16)
black = (255 - rgb.max(-1)).astype(np.uint8)
inks = np.dstack([255 - rgb, black])
inks16 = np.dstack([65535 - wide, 65535 - wide.max(-1)])
alpha = ((x + y) * 7 % 256).astype(np.uint8)
# tiff-cmyk16
tiff("cmyk-16-little.tif", 5, [16] * 4, inks16.astype("<u2").tobytes())
tiff("cmyk-16-big.tif", 5, [16] * 4, inks16.astype(">u2").tobytes(), order=">", right="pixels-of", word="cmyk-16-little.tif")
tiff("cmyk-16-deflate.tif", 5, [16] * 4, zlib.compress(inks16.astype("<u2").tobytes()), compression=8)
tiff("cmyk-16-planes.tif", 5, [16] * 4, [np.ascontiguousarray(inks16[..., c]).astype("<u2").tobytes() for c in range(4)], planar=2, right="either", word="separate planes without compression")
tiff("cmyk-8.tif", 5, [8] * 4, inks.tobytes())
tiff("cmyk-8-extra.tif", 5, [8] * 5, np.dstack([inks, alpha]).tobytes(), extra=[0])
# tiff-orientation
for o in range(1, 9):
    tiff(f"orientation-{o}.tif", 2, [8] * 3, rgb.tobytes(), orientation=o)
tiff("orientation-6-grey-big.tif", 1, [8], rgb[..., 1].tobytes(), orientation=6, order=">")
tiff("orientation-8-deflate.tif", 2, [8] * 3, zlib.compress(rgb.tobytes()), compression=8, orientation=8)
tiff("orientation-0.tif", 2, [8] * 3, rgb.tobytes(), orientation=0)
tiff("orientation-9.tif", 2, [8] * 3, rgb.tobytes(), orientation=9)
# tiff: forms of numbers and colours
tiff("rgb-16-big.tif", 2, [16] * 3, wide.astype(">u2").tobytes(), order=">")
tiff("rgba-premultiplied.tif", 2, [8] * 4, np.dstack([rgb.astype(int) * alpha[..., None] // 255, alpha]).astype(np.uint8).tobytes(), extra=[1])
tiff("rgba-premultiplied-16.tif", 2, [16] * 4, np.dstack([wide.astype(np.uint64) * (alpha[..., None] * 257) // 65535, alpha.astype(np.uint64) * 257]).astype("<u2").tobytes(), extra=[1])
tiff("rgba-plain.tif", 2, [8] * 4, np.dstack([rgb, alpha]).tobytes(), extra=[2])
tiff("rgb-extra.tif", 2, [8] * 4, np.dstack([rgb, alpha]).tobytes(), extra=[0])
tiff("grey-inverted.tif", 0, [8], rgb[..., 1].tobytes())
tiff("grey-4-inverted.tif", 0, [4], b"".join(bytes((int(a) >> 4) << 4 | int(b) >> 4 for a, b in zip(r[0::2], np.append(r[1::2], 0))) for r in rgb[..., 1]), right="either", word="4 bits")
tiff("grey-2.tif", 1, [2], b"".join(np.packbits(np.unpackbits(r.reshape(-1, 1), axis=1)[:, :2].reshape(-1)).tobytes() for r in rgb[..., 1]))
tiff("bit-inverted.tif", 0, [1], b"".join(np.packbits(r > 127).tobytes() for r in rgb[..., 1]))
tiff("grey-16-signed.tif", 1, [16], (wide[..., 0].astype(int) - 32768).astype("<i2").tobytes(), numbers=2, right="either", word="")
tiff("grey-16-inverted.tif", 0, [16], (wide[..., 0] >> 7).astype("<u2").tobytes(), right="either", word="inverted grey of 16 bits")
tiff("grey-32-unsigned.tif", 1, [32], (wide[..., 0].astype("<u4") << 17).tobytes(), right="either", word="")
tiff("grey-float-inverted.tif", 0, [32], rgb[..., 0].astype("<f4").tobytes(), numbers=3, right="either", word="")
tiff("palette-alpha.tif", 3, [8, 8], np.dstack([rgb[..., 0], alpha]).tobytes(), extra=[2], more=[(320, 3, [int(v) for v in rng.integers(0, 65536, 768)])])
# tiff-bad-words and tiff-black
tiff("lab.tif", 8, [8] * 3, rgb.tobytes(), right="either", word="L*a*b*")
tiff("lab-16.tif", 8, [16] * 3, wide.tobytes(), right="either", word="L*a*b*")
tiff("icc-lab.tif", 9, [8] * 3, rgb.tobytes(), right="either", word="L*a*b*")
tiff("log-luv.tif", 32845, [16] * 3, wide.tobytes(), right="either", word="LogLuv")
tiff("mask.tif", 4, [1], b"".join(np.packbits(r > 127).tobytes() for r in rgb[..., 1]), right="either", word="mask")
tiff("camera-raw.tif", 32803, [16], wide[..., 0].astype("<u2").tobytes(), right="either", word="camera")
tiff("bits-12.tif", 1, [12], bytes(H * ((W * 12 + 7) // 8)), right="either", word="12 bits")
tiff("bits-24.tif", 1, [24], bytes(H * W * 3), right="either", word="24 bits")
tiff("bits-64-float.tif", 1, [64], rgb[..., 0].astype("<f8").tobytes(), numbers=3, right="either", word="64 bits")
tiff("bits-8-8-4.tif", 2, [8, 8, 4], rgb.tobytes(), right="either", word="8, 8, 4 bits")
for tag, what in {6: "old-style JPEG", 9: "JBIG", 34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "zstd", 50001: "WebP", 50002: "JPEG XL", 77: "77"}.items():
    tiff(f"compression-{tag}.tif", 2, [8] * 3, zlib.compress(rgb.tobytes()), compression=tag, right="either", word=what)
for form in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
    stream = io.BytesIO()
    color.save(stream, "TIFF", compression=form)
    data = bytearray(stream.getvalue())
    write(f"{form}-whole.tif", bytes(data))
    for share in (3, 2):
        hurt = bytearray(data)
        at = 8 + (len(data) - 250) // share
        hurt[at:at + 6] = b"\xff\xff\xff\xff\xff\xff" if form != "packbits" else b"\x80\x7f\x7f\x7f\x7f\x7f"
        try:
            Image.open(io.BytesIO(hurt)).convert("RGB")
            right = "either"
        except Exception:
            right = "refused"
        write(f"{form}-damaged-{share}.tif", bytes(hurt), right, "TIFF")

# bmp-16-bit-masks: what each writer means, within a level of exact scaling
v = rgb.astype(np.uint32)


def bmp16(name, red, green, blue, alpha_mask=0, header=40, right="scaled"):
    def place(level, mask):
        shift = (mask & -mask).bit_length() - 1
        most = mask >> shift
        return ((level * most + 127) // 255) << shift
    value = (place(v[..., 0], red) | place(v[..., 1], green) | place(v[..., 2], blue)).astype("<u2")
    rows = b"".join(r.tobytes() + b"\0" * (-len(r.tobytes()) % 4) for r in value[::-1])
    masks = struct.pack("<III", red, green, blue) + (struct.pack("<I", alpha_mask) if header > 52 else b"")
    info = struct.pack("<IiiHHIIiiII", header, W, H, 1, 16, 3, len(rows), 0, 0, 0, 0) + masks
    info += b"\0" * max(0, header - len(info))
    offset = 14 + len(info)
    write(name, b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + info + rows, right)
    if right == "scaled":
        exact = np.dstack([(((value >> ((m & -m).bit_length() - 1)) & (m >> ((m & -m).bit_length() - 1))).astype(float) * 255 / (m >> ((m & -m).bit_length() - 1))) for m in (red, green, blue)])
        with open(name + ".rgb", "wb") as f:
            f.write(np.round(exact).astype(np.uint8).tobytes())


bmp16("masks-565.bmp", 0xF800, 0x7E0, 0x1F, right="pixels")
bmp16("masks-555.bmp", 0x7C00, 0x3E0, 0x1F, right="pixels")
bmp16("masks-565-v4.bmp", 0xF800, 0x7E0, 0x1F, header=108, right="pixels")
bmp16("masks-bgr-555.bmp", 0x1F, 0x3E0, 0x7C00)
bmp16("masks-bgr-565.bmp", 0x1F, 0x7E0, 0xF800)
bmp16("masks-444.bmp", 0xF00, 0xF0, 0xF)
bmp16("masks-bgr-444.bmp", 0xF, 0xF0, 0xF00)
bmp16("masks-444-high.bmp", 0xF000, 0xF00, 0xF0)
bmp16("masks-5551.bmp", 0xF800, 0x7C0, 0x3E, 1, header=56)
# Of one damaged bit.
bmp16("masks-655.bmp", 0xFC00, 0x3E0, 0x1F, right="refused")
bmp16("masks-465.bmp", 0x7800, 0x7E0, 0x1F, right="refused")
bmp16("masks-556.bmp", 0xF800, 0x7C0, 0x3F, right="refused")
bmp16("masks-4444-v4.bmp", 0xF00, 0xF0, 0xF, 0xF000, header=108)
bmp16("masks-overlap.bmp", 0xF800, 0xFE0, 0x1F, right="refused")
bmp16("masks-broken.bmp", 0xF801, 0x7E0, 0x1F, right="refused")


# png-orientation
def chunk(tag, data):
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def png(name, before=(), after=(), right="pixels"):
    rows = b"".join(b"\0" + r.tobytes() for r in rgb)
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)) + b"".join(chunk(*c) for c in before)
          + chunk(b"IDAT", zlib.compress(rows)) + b"".join(chunk(*c) for c in after) + chunk(b"IEND", b""), right)


def exif(orientation, order="<"):
    return ((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IHHHI", 8, 1, 0x0112, 3, 1)
            + struct.pack(order + "HH", orientation, 0) + b"\0\0\0\0")


def raw_profile(data):
    text = data.hex()
    return "\nexif\n%8d\n" % len(data) + "\n".join(text[i:i + 72] for i in range(0, len(text), 72)) + "\n"


def xmp(orientation, attribute):
    tag = f' tiff:Orientation="{orientation}">' if attribute else f"><tiff:Orientation>{orientation}</tiff:Orientation>"
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description{tag}</rdf:Description></rdf:RDF></x:xmpmeta>'.encode()


def itxt(key, text, packed=False):
    return (b"iTXt", key + b"\0" + (b"\1\0" if packed else b"\0\0") + b"\0\0" + (zlib.compress(text) if packed else text))


for o in (3, 5, 6, 8):
    png(f"exif-before-{o}.png", before=[(b"eXIf", exif(o))])
    png(f"exif-after-{o}.png", after=[(b"eXIf", exif(o, ">"))])
    png(f"xmp-attribute-{o}.png", before=[itxt(b"XML:com.adobe.xmp", xmp(o, True))])
png("xmp-element-6.png", before=[itxt(b"XML:com.adobe.xmp", xmp(6, False))])
png("xmp-packed-7.png", before=[itxt(b"XML:com.adobe.xmp", xmp(7, True), packed=True)])
png("xmp-after-2.png", after=[itxt(b"XML:com.adobe.xmp", xmp(2, True))])
png("profile-text-6.png", before=[(b"tEXt", b"Raw profile type exif\0" + raw_profile(b"Exif\0\0" + exif(6)).encode())])
png("profile-packed-8.png", before=[(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(b"Exif\0\0" + exif(8, ">")).encode()))])
png("exif-and-xmp.png", before=[(b"eXIf", exif(3)), itxt(b"XML:com.adobe.xmp", xmp(6, True))])
png("other-text.png", before=[(b"tEXt", b"Comment\0tiff:Orientation=\"6\"")])

# jpeg-error-in-scan
stream = io.BytesIO()
color.resize((64, 48)).save(stream, "JPEG", quality=90)
jpeg = stream.getvalue()
scan = jpeg.index(b"\xff\xda") + 14
frame = jpeg[jpeg.index(b"\xff\xc0"):][:19]
restarted = io.BytesIO()
marks = {"02-early": (4, b"\xff\x02"), "bf-middle": (2, b"\xff\xbf"), "f7-late": (1.2, b"\xff\xf7"), "sof": (2, frame), "sos": (3, jpeg[scan - 14:scan]), "soi": (2, b"\xff\xd8"),
         "dac": (2, b"\xff\xcc\0\x04\x20\0"), "dht": (2, b"\xff\xc4\0\x13\0" + bytes([255] * 16)), "dqt": (2, b"\xff\xdb\0\x05\x00ab"), "dri": (2, b"\xff\xdd\0\x06abcd"), "jpg": (1.5, b"\xff\xc8\0\x02"),
         "end-f0": (None, b"\xff\xf0"), "comment": (2, b"\xff\xfe\0\x06abcd"), "app": (2, b"\xff\xe5\0\x06abcd"), "dnl": (2, b"\xff\xdc\0\x04\0\x30"), "rst": (2, b"\xff\xd3"), "tem": (2, b"\xff\x01"),
         "eoi": (2, b"\xff\xd9"), "zeros": (2, b"\0\0\0\0"), "fills": (2, b"\xff\xff\xff\0"), "garbage-in-header": (0, b"")}
for what, (share, mark) in marks.items():
    data = bytearray(jpeg)
    if what == "garbage-in-header":
        at = jpeg.index(b"\xff\xc0")
        data[at:at] = b"abc"
        at = jpeg.index(b"\xff\xda") + 17 + 200
        data[at:at + 2] = b"\xff\x77"
    elif share is None:
        data[-2:] = mark
    else:
        at = scan + int((len(jpeg) - scan) / share)
        data[at:at + len(mark)] = mark
    try:
        Image.open(io.BytesIO(data)).convert("RGB")
        right = "pixels"
    except Exception:
        right = "refused"
    write(f"scan-{what}.jpg", bytes(data), right, "JPEG")

# photo-says-what-it-is
media = lambda brand: struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\0\0" + brand + b"mif1" + bytes(64)
for name, data, word in [
        ("gzip.jpg", gzip.compress(jpeg, mtime=0), "gzip"), ("bzip2.png", b"BZh91AY&SY" + bytes(20), "bzip2"), ("phone.jpg", media(b"heic"), "HEIF"), ("burst.jpeg", media(b"hevc"), "HEIF"),
        ("picture.avif", media(b"avif"), "AVIF"), ("animation.jpg", media(b"avis"), "AVIF"), ("clip.jpg", media(b"mp42"), "video"), ("canon.jpg", media(b"crx "), "camera"),
        ("box.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "JPEG XL"), ("bare.jpg", b"\xff\x0a" + bytes(30), "JPEG XL"), ("box.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), "JPEG 2000"),
        ("stream.j2k", b"\xff\x4f\xff\x51" + bytes(30), "JPEG 2000"), ("pointer.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n", "Git LFS pointer"),
        ("login.jpg", b"\xef\xbb\xbf\n  <!DOCTYPE HTML><title>Log in</title>", "web page"), ("plain.jpg", b"<html><body>404", "web page"), ("xhtml.jpg", b'<?xml version="1.0"?><html xmlns="x"/>', "web page"),
        ("utf16.jpg", "\ufeff<!doctype html><p>".encode("utf-16-le"), "web page"), ("denied.png", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
        ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"), ("layers.jpg", b"8BPS\0\1" + bytes(30), "Photoshop"), ("paper.jpg", b"%PDF-1.7\n" + bytes(30), "PDF"),
        ("archive.jpg", b"PK\3\4" + bytes(30), "zip"), ("words.jpg", b"no photo here", "not an image")]:
    write(name, data, "refused", word)

# values of a tag beside its entry, and numbers of another type
hurt = (rgb.astype(int) * alpha[..., None] // 255).astype(np.uint8)
for order, name in (("<", "little"), (">", "big")):
    tiff(f"rgba-premultiplied-extra-{name}.tif", 2, [8] * 6, np.dstack([hurt, alpha, alpha, alpha]).tobytes(), extra=[1, 0, 0], order=order)
    tiff(f"orientation-9-long-{name}.tif", 2, [8] * 3, rgb.tobytes(), order=order, more=[(274, 4, [9])])

# libvips takes Y, Cb and Cr for red, green and blue, or samples them anew
ycc = np.asarray(color.convert("YCbCr")).tobytes()
tiff("ycbcr.tif", 6, [8] * 3, ycc, right="refused", word="YCbCr without JPEG")
tiff("ycbcr-deflate.tif", 6, [8] * 3, zlib.compress(ycc), compression=8, more=[(530, 3, [1, 1])], right="either", word="YCbCr without JPEG")

# the smallest bitmaps: shorter than a header with masks
for width in (1, 2):
    rows = rgb[0, :width, ::-1].tobytes() + b"\0" * (-3 * width % 4)
    write(f"pixels-{width}.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + len(rows), 0, 0, 54, 40, width, 1, 1, 24, 0, len(rows), 0, 0, 0, 0) + rows)

# TIFF in tiles: libvips reads past errors in them, and knows fewer forms than in strips
def tiles(image):
    padded = np.pad(image, ((0, -H % 16), (0, -W % 16), (0, 0)))
    return [np.ascontiguousarray(padded[r:r + 16, c:c + 16]) for r in range(0, H, 16) for c in range(0, W, 16)]


def strip(tile, form):
    stream = io.BytesIO()
    Image.fromarray(tile).save(stream, "TIFF", compression=form)
    tags = Image.open(stream).tag_v2
    return stream.getvalue()[tags[273][0]:tags[273][0] + tags[279][0]]


for form, number in (("tiff_lzw", 5), ("tiff_adobe_deflate", 8), ("packbits", 32773)):
    data = [strip(t, form) for t in tiles(rgb)]
    tiff(f"tiles-{form}.tif", 2, [8] * 3, data, compression=number, tile=16)
    for which in range(len(data)):
        hurt = [bytearray(d) for d in data]
        at = len(hurt[which]) // 3
        hurt[which][at:at + 6] = b"\xff" * 6 if form != "packbits" else b"\x80" + b"\x7f" * 5
        hurt = [bytes(d) for d in hurt]
        tiff(f"tiles-{form}-damaged-{which}.tif", 2, [8] * 3, hurt, compression=number, tile=16, right="either", word="deflate data" if number == 8 else "rows end before")
        if not pillow_reads(f"tiles-{form}-damaged-{which}.tif"):
            table[-1] = (table[-1][0], "refused", table[-1][2])
tiff("tiles-one-plane.tif", 1, [8], [t[..., 0].tobytes() for t in tiles(rgb)], tile=16, planar=2)
tiff("tiles-planes.tif", 2, [8] * 3, [t[..., c].tobytes() for c in range(3) for t in tiles(rgb)], tile=16, planar=2, right="either", word="in tiles of separate planes")
tiff("tiles-jpeg-alpha.tif", 2, [8] * 4, [t.tobytes() for t in tiles(rgb)], compression=7, extra=[2], tile=16, right="either", word="in tiles of JPEG with 4 channels")
# libvips takes the rows of both planes for rows of grey
grey_alpha = [rgb[..., 0].tobytes(), alpha.tobytes()]
tiff("grey-alpha-planes.tif", 1, [8] * 2, grey_alpha, extra=[2], planar=2, right="either", word="alpha in a plane of its own")
tiff("grey-alpha-planes-deflate.tif", 1, [8] * 2, [zlib.compress(p) for p in grey_alpha], compression=8, extra=[2], planar=2, right="either", word="alpha in a plane of its own")
tiff("palette-alpha-planes.tif", 3, [8] * 2, grey_alpha, extra=[2], planar=2, more=[(320, 3, [int(v) for v in rng.integers(0, 65536, 768)])], right="either", word="alpha in a plane of its own")
# Pillow swaps their bytes
for name, numbers, values in (("float", 3, rgb[..., 0].astype(">f4")), ("signed", 2, rgb[..., 0].astype(">i4"))):
    tiff(f"big-endian-{name}.tif", 1, [32], values.tobytes(), numbers=numbers, order=">")
    tiff(f"big-endian-{name}-deflate.tif", 1, [32], zlib.compress(values.tobytes()), compression=8, numbers=numbers, order=">", right="either", word="32 bits per channel in big-endian order")

# JPEG of processes that are not decoded: the frame's marker and precision decide
start = jpeg.index(b"\xff\xc0")
for name, marker, bits, word in (("lossless", 0xC3, 8, "lossless JPEG"), ("lossless-arithmetic", 0xCB, 8, "lossless JPEG"), ("hierarchical", 0xC5, 8, "hierarchical JPEG"),
                                 ("jpeg-ls", 0xF7, 8, "JPEG-LS"), ("bits-12", 0xC1, 12, "12 bits"), ("bits-16-lossless", 0xC3, 16, "lossless JPEG"), ("fill-bits-12", 0xC1, 12, "12 bits")):
    data = bytearray(jpeg)
    data[start + 1], data[start + 4] = marker, bits
    if name.startswith("fill"):
        data[start:start] = b"\xff\xff"
    write(f"frame-{name}.jpg", bytes(data), "refused", word)


# PNG: cut in a chunk behind the pixels, palettes of a part of a colour
def pieces(palette=None):
    head = struct.pack(">IIBBBBB", W, H, 8, 2 if palette is None else 3, 0, 0, 0)
    rows = b"".join(b"\0" + r.tobytes() for r in (rgb if palette is None else rgb[..., 0]))
    return [b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)] + ([] if palette is None else [chunk(b"PLTE", palette)]) + [chunk(b"IDAT", zlib.compress(rows))]


text, last = chunk(b"tEXt", b"Comment\0" + b"x" * 40), chunk(b"IEND", b"")
write("chunk-cut-text.png", b"".join(pieces()) + text[:-20], "refused", "truncated PNG: its chunk tEXt ends")
write("chunk-cut-unknown.png", b"".join(pieces()) + b"\0\0\x10\0abCd" + last, "refused", "truncated PNG: its chunk abCd ends")
write("chunk-cut-second.png", b"".join(pieces()) + text + chunk(b"tIME", b"\7\xe0\1\1\1\1\1")[:-6], "refused", "truncated PNG: its chunk tIME ends")
write("chunk-cut-checksum.png", b"".join(pieces()) + text[:-4])
write("chunk-cut-end.png", b"".join(pieces()) + text + last[:-6])
write("chunk-cut-no-name.png", b"".join(pieces()) + b"\0\0\x10\0\0\1\2\3" + last)
write("chunk-ios.png", pieces()[0][:8] + chunk(b"CgBI", b"\x50\0\x20\6") + b"".join(pieces())[8:] + last, "either", "CgBI")
for count in (100, 98, 3, 1, 767):
    write(f"palette-{count}-bytes.png", b"".join(pieces(rng.integers(0, 256, count, dtype=np.uint8).tobytes())) + last)

# narrow interlaced PNG: passes without a column
for width in range(1, 6):
    passes = [rgb[top:3:down, left:width:across] for left, top, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))]
    rows = b"".join(b"\0" + row.tobytes() for part in passes if part.size for row in part)
    head = struct.pack(">IIBBBBB", width, 3, 8, 2, 0, 0, 1)
    write(f"interlaced-{width}.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + last)

# comments are nothing at all: what stands before and behind one is one number
bright = rgb.tobytes()
text = " ".join(map(str, bright))
write("comment-in-width.ppm", b"P6 2#c\n3 17 255\n" + bright)
write("comment-in-maximum.ppm", b"P6 23 17 2#c\r55\n" + bright)
write("comment-behind-maximum.ppm", b"P6 23 17 255#c\n" + bright, "refused", "a number was expected")
write("comment-in-value.ppm", ("P3 23 17 255\n" + text.replace(" ", " # 1\n", 5).replace(" 2", " #\n2", 9)).encode())
write("comment-splits-value.ppm", ("P3 23 17 255\n" + text[:-3] + "#\n" + text[-3:]).encode())

# photo-says-what-it-is: more of them
for name, data, word in [
        ("zeros.jpg", bytes(5000), "zero bytes"), ("beside.jpg", b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(50), "macOS keeps beside a file"), ("icon.png", b"\0\0\1\0\1\0" + bytes(30), "Windows icon"),
        ("texture.png", b"DDS |" + bytes(120), "DirectDraw"), ("scan.jpg", bytes(128) + b"DICM" + bytes(20), "DICOM"), ("sky.jpg", b"SIMPLE  =  T", "FITS"), ("light.png", b"#?RADIANCE\n", "Radiance"),
        ("light.jpg", b"\x76\x2f\x31\1" + bytes(20), "OpenEXR"), ("archive.tif", b"Rar!\x1a\7\1\0", "archive"), ("archive.png", b"7z\xbc\xaf\x27\x1c" + bytes(20), "archive"),
        ("archive.bmp", b"photo.jpg".ljust(257, b"\0") + b"ustar\0" + bytes(200), "archive"), ("clip.png", b"\x1a\x45\xdf\xa3" + bytes(20), "video"), ("clip.bmp", b"RIFF\x20\0\0\0AVI LIST", "video"),
        ("thumbs.jpg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(30), "Thumbs.db"), ("array.png", b"\x93NUMPY\1\0v\0{'descr'", "NumPy"), ("array.jpg", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("error.jpg", b'{"error": "not found"}', "JSON"), ("any.ppm", b"P7\nWIDTH 2\n", "PAM"), ("fuji.jpg", b"FUJIFILMCCD-RAW 0201", "camera"), ("page.jpg", b"%!PS-Adobe-3.0 EPSF", "PostScript")]:
    write(name, data, "refused", word)

# EXIF's Orientation as Pillow takes it: of any type of number, the first of several values, the last of several entries
def orientation_entry(kind, packed, count=1, order="<"):
    return struct.pack(order + "HHI", 0x112, kind, count) + packed.ljust(4, b"\0")


def block(*entries, order="<", tail=b""):
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries)) + b"".join(entries) + b"\0\0\0\0" + tail


def chunks(file):
    at, found = 12, []
    while at + 8 <= len(file):
        length = struct.unpack("<I", file[at + 4:at + 8])[0]
        found.append(file[at:at + 8 + length + (length & 1)])
        at += 8 + length + (length & 1)
    return found


buffer = io.BytesIO()
color.save(buffer, "WEBP", lossless=True)
webp = chunks(buffer.getvalue())
for name, data in {
        "byte": block(orientation_entry(1, b"\6")), "signed-byte": block(orientation_entry(6, b"\6")), "float": block(orientation_entry(11, struct.pack("<f", 6))),
        "half": block(orientation_entry(11, struct.pack("<f", 6.5))), "rational": block(orientation_entry(5, struct.pack(">I", 26), order=">"), order=">", tail=struct.pack(">II", 12, 2)),
        "two-values": block(orientation_entry(3, struct.pack("<HH", 6, 3), 2)), "twice": block(orientation_entry(3, b"\6"), orientation_entry(3, b"\3")),
        "negative": block(orientation_entry(8, struct.pack("<h", -6))), "text": block(orientation_entry(2, b"6\0", 2)), "no-value": block(orientation_entry(3, b"\6", 0)),
        "behind-lost": block(struct.pack("<HHII", 0x10F, 2, 900, 38), orientation_entry(3, b"\6")), "long-big": block(orientation_entry(4, struct.pack(">I", 6), order=">"), order=">")}.items():
    segment = b"Exif\0\0" + data
    write(f"exif-type-{name}.jpg", jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:])
    png(f"exif-type-{name}.png", [(b"eXIf", data)])
    for flag in (8, 0) if name == "twice" else (8,):
        head = b"VP8X" + struct.pack("<IBBBB", 10, flag, 0, 0, 0) + struct.pack("<I", W - 1)[:3] + struct.pack("<I", H - 1)[:3]
        body = b"WEBP" + head + b"".join(webp) + b"EXIF" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        write(f"exif-type-{name}{'' if flag else '-without-flag'}.webp", b"RIFF" + struct.pack("<I", len(body)) + body)
segments = [b"Exif\0\0" + block(orientation_entry(3, bytes([o]))) for o in (6, 3)]
write("exif-two-segments.jpg", jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments) + jpeg[2:])
tiff("orientation-6-float.tif", 2, [8] * 3, rgb.tobytes(), more=[(274, 11, [0x40C00000])])
tiff("orientation-6-two-values.tif", 2, [8] * 3, rgb.tobytes(), more=[(274, 3, [6, 3])])

# inks that are not called cyan, magenta, yellow and black; levels of 16 bits in planes
tiff("inks-other.tif", 5, [8] * 4, np.dstack([rgb, alpha]).tobytes(), more=[(332, 3, [2])])
tiff("rgb-16-planes.tif", 2, [16] * 3, [wide[..., c].astype("<u2").tobytes() for c in range(3)], planar=2, right="either", word="separate planes without compression")


# deflate: libdeflate, which Pillow's libtiff has, checks the sum and leaves the end of longer data unwritten
packed = zlib.compress(rgb.tobytes())
tiff("deflate-other-sum.tif", 2, [8] * 3, packed[:-4] + b"\1\2\3\4", compression=8, right="refused", word="deflate data or their checksum")
tiff("deflate-cut.tif", 2, [8] * 3, packed[:-6], compression=8, right="refused", word="bytes, expected")
tiff("deflate-short.tif", 2, [8] * 3, zlib.compress(rgb.tobytes()[:-200]), compression=8, right="refused", word="bytes, expected")
tiff("deflate-long.tif", 2, [8] * 3, zlib.compress(rgb.tobytes()[:-90] + b"A" * 600), compression=8, right="either", word="hold more than")
tiff("deflate-behind.tif", 2, [8] * 3, packed + b"behind", compression=8)
tiff("deflate-low-bit-first.tif", 2, [8] * 3, bytes(int(f"{b:08b}"[::-1], 2) for b in packed), compression=8, more=[(266, 3, [2])])
tiff("deflate-tiles.tif", 2, [8] * 3, [zlib.compress(t.tobytes()) for t in tiles(rgb)], compression=8, tile=16)
tiff("deflate-planes.tif", 2, [8] * 3, [zlib.compress(np.ascontiguousarray(rgb[..., c]).tobytes()) for c in range(3)], compression=8, planar=2)
strips = [zlib.compress(np.resize(rgb[top:top + 5], (5, W, 3)).tobytes()) for top in range(0, H, 5)]
tiff("deflate-last-strip-filled.tif", 2, [8] * 3, strips, compression=8, rows=5)

# fax: damaged lines
for form in ("group3", "group4", "tiff_ccitt"):
    buffer = io.BytesIO()
    Image.fromarray(rgb[..., 0]).resize((64, 48)).convert("1").save(buffer, "TIFF", compression=form)
    whole = buffer.getvalue()
    write(f"fax-{form}.tif", whole)
    for place in (60, 90, 120):
        damaged = bytearray(whole)
        damaged[place] ^= 0x24
        write(f"fax-{form}-damaged-{place}.tif", bytes(damaged), "either", "TIFF: ")

# JPEG of uncommon scans and component names, by libjpeg-turbo's cjpeg
buffer = io.BytesIO()
Image.fromarray(np.kron(rgb, np.ones((3, 3, 1), np.uint8))).save(buffer, "PPM")
for name, options, script in (("two-of-three", (), "0,1;\n2;\n"), ("one-and-two", (), "0;\n1,2;\n"), ("one-by-one", (), "0;\n1;\n2;\n"),
                              ("progressive-restarts", ("-progressive", "-restart", "2"), ""), ("restarts", ("-restart", "2B"), "")):
    if script:
        with open("scans.txt", "w") as out:
            out.write(script)
        options = ("-scans", "scans.txt")
    write(f"scans-{name}.jpg", subprocess.run(["cjpeg", *options], input=buffer.getvalue(), stdout=subprocess.PIPE, check=True).stdout)
os.remove("scans.txt")
bare = bytearray(jpeg[:2] + jpeg[20:])
frame, scan = bare.index(b"\xff\xc0"), bare.index(b"\xff\xda")
for c in range(3):
    bare[frame + 10 + 3 * c] = bare[scan + 5 + 2 * c] = c
write("scans-names-other.jpg", bytes(bare))

# BMP whose palette Pillow drops, and then reads other bits than the file's
def palette_bmp(name, bits, palette, indices, right="either", word="whose palette is"):
    rows = b"".join(np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:].reshape(-1)).tobytes().ljust((W * bits + 31) // 32 * 4, b"\0") for row in indices[::-1])
    colors = b"".join(bytes([level] * 3 + [0]) for level in palette)
    info = struct.pack("<IiiHHIIiiII", 40, W, H, 1, bits, 0, len(rows), 0, 0, len(palette), 0)
    write(name, b"BM" + struct.pack("<IHHI", 54 + len(colors) + len(rows), 0, 0, 54 + len(colors)) + info + colors + rows, right, word)


palette_bmp("palette-grey-4-bit.bmp", 4, range(16), rgb[..., 0] >> 4)
palette_bmp("palette-grey-1-bit.bmp", 1, [0], rgb[..., 0] >> 7)
palette_bmp("palette-black-white-8-bit.bmp", 8, [0, 255], rgb[..., 0] >> 7)
palette_bmp("palette-black-white-4-bit.bmp", 4, [0, 255], rgb[..., 0] >> 7)
for bits, levels in ((1, [0, 255]), (8, range(256)), (8, range(100)), (8, [255, 0]), (4, range(0, 256, 17))):
    palette_bmp(f"palette-{bits}-bits-{len(levels)}-from-{levels[0]}.bmp", bits, levels, rgb[..., 0] >> (8 - bits) if len(levels) != 2 else rgb[..., 0] >> 7, "pixels", "")

# TIFF whose numbers libvips takes for other things: of a palette, of alpha behind another channel, of long tiles of JPEG
pens = [(320, 3, [(i * 40503) % 65536 for i in range(768)])]
tiff("palette-16.tif", 3, [16], rgb[..., 0].astype("<u2").tobytes(), more=pens, right="refused", word="a palette and 16 bits")
tiff("palette-16-signed-deflate.tif", 3, [16], zlib.compress(rgb[..., 0].astype("<u2").tobytes()), numbers=2, compression=8, more=pens, right="refused", word="a palette and 16 bits")
for extra in ([0, 1], [2, 1], [1, 1]):
    tiff(f"rgb-premultiplied-behind-{extra[0]}.tif", 2, [8] * 5, np.dstack([rgb, alpha, alpha]).tobytes(), extra=extra, right="refused", word="premultiplied alpha behind")
tiff("cmyk-premultiplied-behind.tif", 5, [8] * 6, np.dstack([inks, alpha, alpha]).tobytes(), extra=[0, 1], right="refused", word="premultiplied alpha behind")
noise = np.random.default_rng(5).integers(0, 256, (3, 16, 16), dtype=np.uint8)
for quality, right in ((40, "pixels"), (100, "either")):
    long_tiles = []
    for tile in noise[[0, 1, 2, 0]]:
        buffer = io.BytesIO()
        Image.fromarray(tile).save(buffer, "JPEG", quality=quality)
        long_tiles.append(buffer.getvalue())
    tiff(f"tiles-jpeg-grey-quality-{quality}.tif", 1, [8], long_tiles, compression=7, tile=16, right=right, word="longer than twice" if right == "either" else "")
# Pillow reads one plane without compression by the first letter of its mode, and planes of unknown channels as one plane
low_first = lambda data: bytes(int(f"{b:08b}"[::-1], 2) for b in data)
small = rgb[..., 0] >> 4
nibbles = b"".join(bytes(int(a) << 4 | int(b) for a, b in zip(r[0::2], np.append(r[1::2], 0))) for r in small)
bit_rows = b"".join(np.packbits(r > 127).tobytes() for r in rgb[..., 1])
word = "separate planes without compression"
tiff("one-plane-grey.tif", 1, [8], rgb[..., 0].tobytes(), planar=2)
tiff("one-plane-palette.tif", 3, [8], rgb[..., 0].tobytes(), planar=2, more=pens)
tiff("one-plane-bits.tif", 1, [1], bit_rows, planar=2)
tiff("one-plane-4-bits-deflate.tif", 1, [4], zlib.compress(nibbles), compression=8, planar=2)
tiff("one-plane-4-bits.tif", 1, [4], nibbles, planar=2, right="either", word=word)
tiff("one-plane-16-bits.tif", 1, [16], wide[..., 0].astype("<u2").tobytes(), planar=2, right="either", word=word)
tiff("one-plane-inverted.tif", 0, [8], rgb[..., 0].tobytes(), planar=2, right="either", word=word)
tiff("one-plane-bits-inverted.tif", 0, [1], bit_rows, planar=2, right="either", word=word)
tiff("planes-low-bit-first.tif", 2, [8] * 3, [low_first(rgb[..., c].tobytes()) for c in range(3)], planar=2, more=[(266, 3, [2])], right="either", word=word)
tiff("planes-unknown-deflate.tif", 2, [8] * 4, [zlib.compress(p.tobytes()) for p in (*rgb.transpose(2, 0, 1), alpha)], compression=8, planar=2, right="either", word="unknown meaning")
tiff("planes-plain-alpha-deflate.tif", 2, [8] * 4, [zlib.compress(p.tobytes()) for p in (*rgb.transpose(2, 0, 1), alpha)], compression=8, planar=2, extra=[2])

# ImageSharp writes three channels of every JPEG strip, takes their colours from the strip alone, and adds differences up over all planes
differences = [np.diff(rgb[..., c], axis=1, prepend=np.uint8(0)) for c in range(3)]
tiff("planes-differences.tif", 2, [8] * 3, [zlib.compress(d.tobytes()) for d in differences], compression=8, planar=2, more=[(317, 3, [2])])
strips = {}
for name, picture in (("grey", Image.fromarray(rgb[..., 1])), ("color", color)):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0)
    strips[name] = buffer.getvalue()
tiff("jpeg-grey.tif", 1, [8], strips["grey"], compression=7)
tiff("jpeg-other-colours.tif", 2, [8] * 3, strips["color"], compression=7)
tiff("jpeg-colours.tif", 6, [8] * 3, strips["color"], compression=7, more=[(530, 3, [1, 1])])

# EXIF whose number of TIFF is that of BigTIFF, or stands in the other order
big = b"MM\0\x2b" + struct.pack(">HHQQHHQHHHHQ", 8, 0, 16, 1, 0x112, 3, 1, 6, 0, 0, 0, 0)
for name, data in {"big-tiff": big, "number-little": b"II\0*" + exif(6)[4:], "number-big": b"MM*\0" + exif(6, ">")[4:]}.items():
    segment = b"Exif\0\0" + data
    write(f"exif-type-{name}.jpg", jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:])
    png(f"exif-type-{name}.png", [(b"eXIf", data)])

with open("expected.tsv", "w") as out:
    out.write("file\tright\tword\trgb_sha256\ttransposed_rgb_sha256\n")
    for name, right, word in table:
        try:
            plain = hashlib.sha256(Image.open(name).convert("RGB").tobytes()).hexdigest()
            # Pillow 9.4 turns a TIFF twice when it is asked to; once is right.
            turned = plain if name.endswith(".tif") else hashlib.sha256(ImageOps.exif_transpose(Image.open(name)).convert("RGB").tobytes()).hexdigest()
        except Exception as error:
            plain = turned = "-"
            if right == "pixels":
                raise SystemExit(f"{name}: Pillow refuses it ({error})")
        out.write("\t".join([name, right, word, plain, turned]) + "\n")
