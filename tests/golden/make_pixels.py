#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes pixels_golden.h: digests of what Pillow and torchvision make of small pictures
that are given by a formula.  The tests that read it (tests/unit/image/test_pixel_*.c)
need neither.

usage: make_pixels.py > pixels_golden.h      (made with Pillow 9.4.0, torchvision 0.14.1)
"""
import PIL
from PIL import Image
from torchvision.transforms import InterpolationMode as Mode
from torchvision.transforms import functional as F

from make_resize import fnv, picture

SIZES = [(1, 1), (2, 1), (1, 3), (3, 3), (16, 16), (61, 43)]


def shear(image, x, y):
    return F.affine(image, 0.0, [0, 0], 1.0, [x, y], center=[0, 0])


def move(image, x, y):
    return F.affine(image, 0.0, [int(x), int(y)], 1.0, [0.0, 0.0])


CASES = [
    ("flip_horizontal", lambda i, a, b: F.hflip(i), [(0, 0)]),
    ("flip_vertical", lambda i, a, b: F.vflip(i), [(0, 0)]),
    ("brightness", lambda i, a, b: F.adjust_brightness(i, a),
     [(0, 0), (0.3, 0), (1, 0), (1.7, 0), (40, 0)]),
    ("contrast", lambda i, a, b: F.adjust_contrast(i, a),
     [(0, 0), (0.3, 0), (1, 0), (1.7, 0), (40, 0)]),
    ("saturation", lambda i, a, b: F.adjust_saturation(i, a),
     [(0, 0), (0.3, 0), (1, 0), (1.7, 0), (40, 0)]),
    ("grayscale", lambda i, a, b: F.rgb_to_grayscale(i, 3), [(0, 0)]),
    ("sharpness", lambda i, a, b: F.adjust_sharpness(i, a),
     [(0, 0), (0.3, 0), (1, 0), (1.7, 0), (40, 0)]),
    ("hue", lambda i, a, b: F.adjust_hue(i, a),
     [(0, 0), (0.1, 0), (0.5, 0), (-0.5, 0), (-0.003, 0)]),
    ("posterize", lambda i, a, b: F.posterize(i, int(a)), [(n, 0) for n in (0, 1, 4, 8)]),
    ("solarize", lambda i, a, b: F.solarize(i, a), [(0, 0), (100.5, 0), (128, 0), (256, 0)]),
    ("autocontrast", lambda i, a, b: F.autocontrast(i), [(0, 0)]),
    ("equalize", lambda i, a, b: F.equalize(i), [(0, 0)]),
    ("rotate", lambda i, a, b: F.rotate(i, a, Mode.BILINEAR if b else Mode.NEAREST),
     [(a, b) for a in (0, 17.5, 90, -90, 180, 135) for b in (0, 1)]),
    ("shear", shear, [(0, 0), (30, 0), (0, 30), (-44.7, 0), (0, -44.7)]),
    ("translate", move, [(0, 0), (5, 0), (0, -3), (-100, 0)]),
]

print("/* SPDX-License-Identifier: Apache-2.0 */")
print("/* Written by make_pixels.py with Pillow %s; do not edit. */" % PIL.__version__)
print("static const pixels_golden pixels_goldens[] = {")
for name, run, arguments in CASES:
    for width, height in SIZES:
        image = Image.fromarray(picture(width, height), "RGB")
        for a, b in arguments:
            digest = fnv(run(image, a, b).tobytes())
            print('    { "%s", %d, %d, %r, %r, 0x%016x },' % (name, width, height, a, b, digest))
print("};")
