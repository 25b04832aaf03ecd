#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pixels against Pillow and torchvision: every comparison is of all bytes.

Pictures are generated (all kinds of JPEG and PNG that Pillow writes, and PNGs of the
kinds it does not), plus those beside the source tree where there are any.  Each is
decoded, and resized and cropped as torchvision's Resize and CenterCrop do; then
3000 resizes of random sizes over all six filters, 900 squares of other fits, JPEGs decoded as drafts; then 1500 pictures are damaged, which
Pillow and we are to refuse or decode alike.

usage: check_pixels.py PIXELS_TOOL; exits 77 where Pillow or torchvision is missing.
"""
import io
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

try:
    import numpy as np
    from PIL import Image, ImageFile, ImageOps
    from torchvision.transforms import functional as F
    from torchvision.transforms import InterpolationMode as Mode
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

warnings.simplefilter("ignore")
ImageFile.MAXBLOCK = 1 << 24  # of its encoder, which noise overruns
FILTERS = {
    "bilinear": (Image.Resampling.BILINEAR, Mode.BILINEAR),
    "bicubic": (Image.Resampling.BICUBIC, Mode.BICUBIC),
    "nearest": (Image.Resampling.NEAREST, Mode.NEAREST),
    "box": (Image.Resampling.BOX, Mode.BOX),
    "hamming": (Image.Resampling.HAMMING, Mode.HAMMING),
    "lanczos": (Image.Resampling.LANCZOS, Mode.LANCZOS),
}


class Tool:
    """The C program: one process answers all commands."""

    def __init__(self, path, folder):
        self.out = os.path.join(folder, "out.bin")
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *fields):
        """(pixels, None) or (None, error text)"""
        answer = self.say(*fields, self.out)
        if not answer.startswith("ok "):
            return None, answer or "no answer"
        _, width, height = answer.split()
        pixels = np.fromfile(self.out, np.uint8)
        return pixels.reshape(int(height), int(width), -1), None


    def say(self, *fields):
        """The answer as it comes"""
        self.process.stdin.write("\t".join(str(f) for f in fields) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def close(self, score):
        """It has to have ended well"""
        self.process.stdin.close()
        if self.process.wait() != 0:
            score.failed.append(f"the tool exits with {self.process.returncode}")

    def describe(self, path):
        """(format, width, height, bits, gray, alpha, cmyk, orientation) of the header"""
        word, kind, *numbers = self.say("info", path).split()
        assert word == "ok", word
        return (kind, *(int(number) for number in numbers))


class Score:
    def __init__(self):
        self.done, self.failed = 0, []

    def agree(self, what, agreed):
        self.done += 1
        if not agreed:
            self.failed.append(what)

    def check(self, what, ours, error, theirs):
        self.done += 1
        if error:
            self.failed.append(f"{what}: {error}")
        elif ours.shape != theirs.shape:
            self.failed.append(f"{what}: shape {ours.shape}, Pillow {theirs.shape}")
        elif not np.array_equal(ours, theirs):
            n = int((ours != theirs).sum())
            d = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
            self.failed.append(f"{what}: {n} bytes differ, by up to {d}")

    def report(self):
        """Print what failed; the exit code"""
        for line in self.failed[:60]:
            print(line)
        print(f"{self.done} comparisons, {len(self.failed)} failed")
        return 1 if self.failed else 0


def scene(rng, width, height, channels):
    """Gradients, edges and noise: (height, width, channels) uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for c in range(channels):
        fx, fy = rng.uniform(0.2, 40.0, 2)
        wave = np.sin(x / fx + c) * np.cos(y / fy) * 90 + 128
        wave += 60 * ((x // max(1, width // 5) + y // max(1, height // 3)) % 2)
        planes.append(wave + rng.normal(0, rng.choice([0, 4, 40]), wave.shape))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def raw_png(rng, width, height, depth, colour, interlaced=False):
    """A PNG with random samples and filters, of any depth and colour type."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    def rows(w, h):
        n = (w * channels * depth + 7) // 8
        if not w:
            return b""
        return b"".join(
            bytes([rng.integers(0, 5)]) + rng.integers(0, 256, n, np.uint8).tobytes()
            for _ in range(h)
        )

    if interlaced:
        grid = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
        grid += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        data = b"".join(
            rows(-((x - width) // dx), -((y - height) // dy)) for x, y, dx, dy in grid
        )
    else:
        data = rows(width, height)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    parts = [chunk(b"IHDR", head)]
    if colour == 3:
        colours = int(rng.integers(1, (1 << depth) + 1))  # some values have none
        parts.append(chunk(b"PLTE", rng.integers(0, 256, 3 * colours, np.uint8).tobytes()))
        if rng.integers(2):
            parts.append(chunk(b"tRNS", rng.integers(0, 256, colours, np.uint8).tobytes()))
    packed = zlib.compress(data)
    for at in range(0, len(packed), 1000):
        parts.append(chunk(b"IDAT", packed[at : at + 1000]))
    parts.append(chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def generated(rng):
    """(name, bytes) of pictures of all kinds"""
    sides = [(1, 1), (1, 300), (300, 1), (2, 3), (7, 5), (16, 16), (17, 33), (97, 61)]
    sides += [(224, 224), (256, 256), (255, 257), (300, 200), (223, 500), (640, 427)]
    for number, (w, h) in enumerate(sides):
        for mode, channels in [("RGB", 3), ("L", 1), ("CMYK", 4)]:
            pixels = scene(rng, w, h, channels)
            image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)
            for progressive in (False, True):
                buffer = io.BytesIO()
                image.save(
                    buffer,
                    "JPEG",
                    quality=int(rng.integers(5, 100)),
                    progressive=progressive,
                    subsampling=int(rng.integers(0, 3)),
                    optimize=bool(rng.integers(2)),
                )
                kind = "progressive" if progressive else "baseline"
                yield f"{mode}-{kind}-{w}x{h}.jpg", buffer.getvalue()
        for mode, channels in [("RGB", 3), ("L", 1), ("LA", 2), ("RGBA", 4), ("P", 3)]:
            pixels = scene(rng, w, h, channels)
            if mode == "P":
                image = Image.fromarray(pixels).quantize(int(rng.integers(2, 256)))
            else:
                image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            yield f"{mode}-{w}x{h}.png", buffer.getvalue()
        for colour, depths in [(0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)),
                               (4, (8, 16)), (6, (8, 16))]:
            depth = depths[number % len(depths)]
            for interlaced in (False, True):
                data = raw_png(rng, w, h, depth, colour, interlaced)
                yield f"raw-{colour}-{depth}-{int(interlaced)}-{w}x{h}.png", data


def found(root):
    """Pictures that may lie beside the source tree."""
    if not root or not os.path.isdir(root):
        return
    for folder in ("flowers5", "images-tricky"):
        paths = []
        for place, _, names in os.walk(os.path.join(root, folder)):
            paths += [os.path.join(place, name) for name in names]
        paths.sort()
        if folder == "flowers5":
            paths = paths[::20]
        for path in paths:
            with open(path, "rb") as f:
                data = f.read()
            if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n":
                yield path, data


def read(data):
    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except Exception:  # Pillow raises what it likes
        return None


def check_pictures(tool, score, rng, folder):
    pictures = list(generated(rng)) + list(found(os.environ.get("AFN_SHARED_DATA")))
    used = 0
    for name, data in pictures:
        image = read(data)
        if image is None:
            continue
        used += 1
        path = os.path.join(folder, "picture.bin")
        with open(path, "wb") as f:
            f.write(data)
        ours, error = tool.ask("decode", path)
        score.check(f"{name} decode", ours, error, np.asarray(image))
        recipes = [(256, 224, "bilinear")]
        size = int(rng.integers(1, 400))
        recipes.append((size, int(rng.integers(1, 400)), str(rng.choice(list(FILTERS)))))
        recipes.append((0, int(rng.integers(1, 300)), "bilinear"))
        for resize, crop, kind in recipes:
            theirs = image
            if resize:
                theirs = F.resize(image, resize, FILTERS[kind][1])
            theirs = F.center_crop(theirs, [crop, crop])
            ours, error = tool.ask("preprocess", path, resize, crop, kind)
            score.check(f"{name} {resize}/{crop} {kind}", ours, error, np.asarray(theirs))
    print(f"{used} pictures")
    return used


def check_resizes(tool, score, rng, folder, count):
    """Random sizes; half of them from few pictures to keep the files few."""
    path = os.path.join(folder, "picture.png")
    for number in range(count):
        if number % 4 == 0:
            w, h = (int(v) for v in np.exp(rng.uniform(0, np.log(400), 2)))
            noise = rng.integers(0, 256, (h, w, 3), np.uint8)
            image = Image.fromarray(noise if rng.integers(2) else scene(rng, w, h, 3))
            image.save(path)
        kind = list(FILTERS)[number % len(FILTERS)]
        to = [int(v) for v in np.exp(rng.uniform(0, np.log(500), 2))]
        if rng.integers(8) == 0:
            to[0] = image.width
        if rng.integers(8) == 0:
            to[1] = image.height
        theirs = np.asarray(image.resize(to, FILTERS[kind][0]))
        ours, error = tool.ask("resize", path, to[0], to[1], kind)
        score.check(f"{image.size} to {to} {kind}", ours, error, theirs)
        if number % 3 == 0:
            theirs = np.asarray(F.center_crop(image, [to[1], to[0]]))
            ours, error = tool.ask("crop", path, *to)
            score.check(f"{image.size} crop {to}", ours, error, theirs)


def fitted(image, fit, side, kind):
    """The square that fit makes of a picture, by Pillow"""
    if fit == "squash":
        return image.resize((side, side), kind)
    if fit == "pad" and max(image.size) <= side:
        square = Image.new(image.mode, (side, side))
        square.paste(image, tuple(round((side - n) * 0.5) for n in image.size))
        return square
    try:
        return ImageOps.pad(image, (side, side), kind)
    except ValueError:  # it knows no side of less than half a pixel
        return None


def check_fits(tool, score, rng, folder, count):
    path = os.path.join(folder, "picture.png")
    for number in range(count):
        if number % 3 == 0:
            w, h = (int(v) for v in np.exp(rng.uniform(0, np.log(400), 2)))
            image = Image.fromarray(scene(rng, w, h, 3))
            image.save(path)
        fit = ("squash", "letterbox", "pad")[number % 3]
        side = int(rng.integers(1, 300))
        kind = str(rng.choice(list(FILTERS)))
        theirs = fitted(image, fit, side, FILTERS[kind][0])
        if theirs is None:
            continue
        ours, error = tool.ask("fit", path, fit, side, kind)
        score.check(f"{image.size} {fit} {side} {kind}", ours, error, np.asarray(theirs))


def check_drafts(tool, score, rng, folder):
    """JPEGs decoded at a fraction of their size, as Pillow's draft() does"""
    path = os.path.join(folder, "picture.jpg")
    for name, data in generated(rng):
        if not name.endswith(".jpg"):
            continue
        with open(path, "wb") as f:
            f.write(data)
        for side in (1, int(rng.integers(2, 60)), 100, 1000):
            image = Image.open(path)
            image.draft(None, (side, side))
            ours, error = tool.ask("draft", path, side)
            score.check(f"{name} draft {side}", ours, error, np.asarray(image.convert("RGB")))


def damage(rng, data):
    """Cut, with bytes changed, or with bytes put in between"""
    data = bytearray(data)
    kind = rng.integers(3)
    if kind == 0:
        return bytes(data[: rng.integers(20, len(data) + 1)])
    if kind == 1:
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(3, len(data))] = rng.integers(256)
    else:
        at = rng.integers(3, len(data))
        data[at:at] = rng.integers(0, 256, rng.integers(1, 20), np.uint8).tobytes()
    return bytes(data)


def check_damaged(tool, score, rng, folder, count):
    pictures = [(name, data) for name, data in generated(rng) if len(data) > 200]
    path = os.path.join(folder, "damaged.bin")
    decoded = 0
    for _ in range(count):
        name, data = pictures[rng.integers(len(pictures))]
        data = damage(rng, data)
        with open(path, "wb") as f:
            f.write(data)
        image = read(data)
        ours, error = tool.ask("decode", path)
        decoded += image is not None
        if image is not None:
            score.check(f"{name} damaged", ours, error, np.asarray(image))
        else:
            score.agree(f"{name} damaged: Pillow refuses", ours is None)
    print(f"{count} damaged pictures, {decoded} of them still decode")


def main():
    rng = np.random.default_rng(20240229)
    score = Score()
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(sys.argv[1], folder)
        used = check_pictures(tool, score, rng, folder)
        check_resizes(tool, score, rng, folder, 3000)
        check_fits(tool, score, np.random.default_rng(7), folder, 900)
        check_drafts(tool, score, np.random.default_rng(8), folder)
        check_damaged(tool, score, rng, folder, 1500)
        tool.close(score)
    if used < 200:
        score.failed.append(f"only {used} pictures, need 200")
    return score.report()


if __name__ == "__main__":
    sys.exit(main())
