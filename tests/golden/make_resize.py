#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes resize_golden.h: digests of what Pillow's Image.resize() makes of two small
pictures that are given by a formula, for every filter and several sizes.  The test that
reads it (tests/unit/image/test_resample.c) needs no Pillow.

usage: make_resize.py > resize_golden.h      (made with Pillow 9.4.0)
"""
import numpy as np
from PIL import Image

FILTERS = ["bilinear", "bicubic", "nearest", "box", "hamming", "lanczos"]
PICTURES = [(61, 43), (200, 150)]
SIZES = [(1, 1), (30, 21), (61, 90), (122, 43), (64, 64), (224, 170), (500, 7), (5, 300)]


def picture(width, height):
    """As test_resample.c makes it: a gradient with hashed noise of 6 bits."""
    y, x, c = np.meshgrid(
        np.arange(height, dtype=np.uint32),
        np.arange(width, dtype=np.uint32),
        np.arange(3, dtype=np.uint32),
        indexing="ij",
    )
    h = (x * np.uint32(2654435761)) ^ (y * np.uint32(2246822519)) ^ (c * np.uint32(3266489917))
    h = (h ^ (h >> np.uint32(15))) * np.uint32(2246822519)
    noise = (h >> np.uint32(26)) & np.uint32(63)
    edge = ((x // 16 + y // 16) % 2) * 100
    return ((x + 2 * y) % 92 + edge + noise).astype(np.uint8)


def fnv(data):
    """FNV-1a, 64 bits"""
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by make_resize.py with Pillow %s; do not edit. */" % Image.__version__)
    print("static const resize_golden resize_goldens[] = {")
    for width, height in PICTURES:
        image = Image.fromarray(picture(width, height), "RGB")
        for name in FILTERS:
            resample = Image.Resampling[name.upper()]
            for to in SIZES:
                digest = fnv(image.resize(to, resample).tobytes())
                row = (width, height, name.upper(), to[0], to[1], digest)
                print("    { %d, %d, AFN_FILTER_%s, %d, %d, 0x%016x }," % row)
    print("};")


if __name__ == "__main__":
    main()
