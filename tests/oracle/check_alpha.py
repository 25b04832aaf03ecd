#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures of four channels against Pillow's convert("RGBA"): every byte of every one.

The pictures are those of check_pixels.py and check_formats.py, of all kinds, with and
without alpha; each is decoded, resized and cropped.  Then random resizes over all
filters, squares of all fits, and centre crops, of pictures that are opaque here, clear
there and something between elsewhere.

usage: check_alpha.py PIXELS_TOOL; exits 77 where Pillow or torchvision is missing.
"""
import io
import os
import sys
import tempfile

import check_formats
import check_pixels as base
from check_pixels import np, Image, F, FILTERS


def read(data):
    try:
        return Image.open(io.BytesIO(data)).convert("RGBA")
    except Exception:  # Pillow raises what it likes
        return None


def scene(rng, w, h):
    """A picture whose alpha is 0 here, 255 there, and a gradient between"""
    pixels = base.scene(rng, w, h, 4)
    alpha = pixels[..., 3].astype(int)
    pixels[..., 3] = np.clip((alpha - 128) * int(rng.integers(1, 4)) + 128, 0, 255)
    return Image.fromarray(pixels, "RGBA")


def keyed(rng, w, h):
    """PNGs in which one colour is transparent: gray of all depths, and RGB"""
    for depth, colour in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)]:
        data = base.raw_png(rng, w, h, depth, colour)
        top = 2 if depth == 1 else 1 << min(depth, 8)
        key = rng.integers(0, top, 1 if colour == 0 else 3).astype(">u2").tobytes()
        if colour == 2 and depth == 8:  # one that occurs
            first = np.asarray(base.read(data))[0, 0]
            key = first.astype(">u2").tobytes()
        body = b"tRNS" + key
        chunk = len(key).to_bytes(4, "big") + body
        chunk += base.zlib.crc32(body).to_bytes(4, "big")
        yield f"keyed {colour} {depth} {w}x{h}.png", data[:33] + chunk + data[33:]


def pictures(rng):
    yield from base.generated(rng)
    for w, h in [(1, 1), (7, 5), (33, 17), (130, 3)]:
        yield from keyed(rng, w, h)
        for kind, make in check_formats.KINDS.items():
            for name, data, *same in make(rng, w, h):
                if not same and not (kind == "bmp" and "alpha" in name):
                    yield f"{kind} {name} {w}x{h}", data


def check_decoding(tool, score, rng, path):
    used = see_through = 0
    for name, data in pictures(rng):
        image = read(data)
        if image is None:
            continue
        with open(path, "wb") as f:
            f.write(data)
        ours, error = tool.ask("rgba", "decode", path)
        if error and "this build cannot read" in error:
            continue
        used += 1
        see_through += np.asarray(image)[..., 3].min() < 255
        score.check(f"{name} decode", ours, error, np.asarray(image))
        size, crop = (int(v) for v in rng.integers(1, 200, 2))
        kind = str(rng.choice(list(FILTERS)))
        theirs = F.center_crop(F.resize(image, size, FILTERS[kind][1]), [crop, crop])
        ours, error = tool.ask("rgba", "preprocess", path, size, crop, kind)
        score.check(f"{name} {size}/{crop} {kind}", ours, error, np.asarray(theirs))
    print(f"{used} pictures, {see_through} of them not opaque")
    score.agree("few pictures with alpha", see_through > 100)


def check_sizes(tool, score, rng, path, count):
    for number in range(count):
        if number % 4 == 0:
            w, h = (int(v) for v in np.exp(rng.uniform(0, np.log(400), 2)))
            image = scene(rng, w, h)
            image.save(path, "PNG")
        kind = list(FILTERS)[number % len(FILTERS)]
        to = [int(v) for v in np.exp(rng.uniform(0, np.log(500), 2))]
        for side in range(2):
            if rng.integers(8) == 0:
                to[side] = image.size[side]
        theirs = np.asarray(image.resize(to, FILTERS[kind][0]))
        ours, error = tool.ask("rgba", "resize", path, *to, kind)
        score.check(f"{image.size} to {to} {kind}", ours, error, theirs)
        ours, error = tool.ask("rgba", "crop", path, *to)
        theirs = np.asarray(F.center_crop(image, [to[1], to[0]]))
        score.check(f"{image.size} crop {to}", ours, error, theirs)
        fit, side = ("squash", "letterbox", "pad")[number % 3], int(rng.integers(1, 300))
        theirs = base.fitted(image, fit, side, FILTERS[kind][0])
        if theirs is not None:
            ours, error = tool.ask("rgba", "fit", path, fit, side, kind)
            score.check(f"{image.size} {fit} {side} {kind}", ours, error,
                        np.asarray(theirs))


def main():
    score = base.Score()
    with tempfile.TemporaryDirectory() as folder:
        tool = base.Tool(sys.argv[1], folder)
        path = os.path.join(folder, "picture.bin")
        check_decoding(tool, score, np.random.default_rng(20261126), path)
        check_sizes(tool, score, np.random.default_rng(4), path, 900)
        tool.close(score)
    return score.report()


if __name__ == "__main__":
    sys.exit(main())
