# SPDX-License-Identifier: Apache-2.0
"""Folders of images against torchvision's ImageFolder, and batches against DataLoader.

Random trees with names that sort in surprising ways: classes and samples must be the
same, in the same order.  Then one tree of real pictures: the same pixels.

Usage: check_data.py DATA_TOOL.  Exits with 77 (skipped) without torchvision."""

import os
import random
import subprocess
import sys
import tempfile

try:
    import numpy
    from PIL import Image
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms
except ImportError:
    print("torchvision is not installed")
    sys.exit(77)

TREES = 40
# Parts of names: a space, '-' and '.' sort before '/', '0' and letters after it;
# beyond ASCII, code points and UTF-8 bytes sort alike, also outside the BMP.
WORDS = ["a", "A", "b", "0", "10", "9", " ", "-", ".x", "_", "~", "\u00e9", "\u00df",
         "\u4e2d", "\uff41", "\U0001f600", "\U00020000", "cat", "\u0130"]
ENDINGS = [".jpg", ".JPG", ".jpeg", ".Jpeg", ".png", ".pNG", ".ppm", ".bmp", ".pgm",
           ".tif", ".TIFF", ".webp", ".txt", ".gif", "", ".jpg.bak", "jpg", ".heic"]


def word(rng):
    name = "".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))
    return "x" + name if name.startswith(".") else name  # hidden names: see below


def fill(rng, folder, depth):
    os.makedirs(folder, exist_ok=True)
    for _ in range(rng.randint(0, 6)):
        path = os.path.join(folder, word(rng) + rng.choice(ENDINGS))
        if not os.path.lexists(path):
            open(path, "w").close()
    for _ in range(rng.randint(0, 3 if depth else 0)):
        path = os.path.join(folder, word(rng) + rng.choice(["", "", ".jpg"]))
        if not os.path.lexists(path):
            fill(rng, path, depth - 1)


def link(rng, root, outside):
    """Links to a file, to a folder and to a class from elsewhere."""
    fill(rng, outside, 1)
    open(os.path.join(outside, "one.png"), "w").close()
    classes = sorted(e.name for e in os.scandir(root) if e.is_dir())
    for name in classes[:2]:
        os.symlink(os.path.join(outside, "one.png"),
                   os.path.join(root, name, "linked.png"))
        os.symlink(outside, os.path.join(root, name, "linked"))
    os.symlink(outside, os.path.join(root, "linked class"))


def make_tree(rng, root, outside):
    for _ in range(rng.randint(2, 6)):
        folder = os.path.join(root, word(rng))
        fill(rng, folder, 2)
        open(os.path.join(folder, "sure.png"), "w").close()
    open(os.path.join(root, "loose.png"), "w").close()
    link(rng, root, outside)


def tool(*args):
    return subprocess.run([sys.argv[1], *args], stdout=subprocess.PIPE)


def theirs(root):
    data = datasets.ImageFolder(root)
    return ([f"class {c}" for c in data.classes] +
            [f"sample {label} {path}" for path, label in data.samples])


def check_tree(seed, folder):
    rng = random.Random(seed)
    root = os.path.join(folder, f"tree{seed}")
    make_tree(rng, root, os.path.join(folder, f"outside{seed}"))
    want = theirs(root)
    got = tool(root).stdout.decode().splitlines()
    if got == want:
        return 0, len(want)
    for i, (a, b) in enumerate(zip(got + ["(end)"], want + ["(end)"])):
        if a != b:
            print(f"tree {seed}: line {i} is '{a}', torchvision's is '{b}'")
            break
    return 1, len(want)


def check_hidden(folder):
    """The one difference that is meant: names with a dot in front."""
    root = os.path.join(folder, "hidden")
    for name in ["cat/1.png", "cat/.2.png", "cat/.thumbs/3.png", ".cache/4.png"]:
        os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
        open(os.path.join(root, name), "w").close()
    want = ["class cat", f"sample 0 {root}/cat/1.png"]
    assert len(theirs(root)) == 6  # two classes, four samples
    got = tool(root).stdout.decode().splitlines()
    if got == want:
        return 0
    print(f"hidden: got {got}, expected {want}")
    return 1


def check_empty_class(folder):
    """What torchvision refuses with a class's name, we refuse with it too."""
    root = os.path.join(folder, "empty")
    os.makedirs(os.path.join(root, "dog"))
    os.makedirs(os.path.join(root, "cat"))
    open(os.path.join(root, "cat", "1.png"), "w").close()
    try:
        datasets.ImageFolder(root)
        print("empty: torchvision takes a class without images")
        return 1
    except FileNotFoundError as e:
        assert "dog" in str(e)
    run = tool(root)
    if run.returncode == 1 and b"class dog has no images" in run.stdout:
        return 0
    print(f"empty: got {run.stdout}")
    return 1


def make_pictures(root, rng):
    for i in range(11):
        folder = os.path.join(root, "abc"[i % 3])
        os.makedirs(folder, exist_ok=True)
        size = (int(rng.integers(20, 400)), int(rng.integers(20, 400)))
        pixels = rng.integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), "uint8")
        picture = Image.fromarray(pixels).resize(size, Image.BICUBIC)
        picture.save(os.path.join(folder, f"{i}.{'png' if i % 2 else 'jpg'}"))


def check_batches(folder):
    root = os.path.join(folder, "pictures")
    make_pictures(root, numpy.random.default_rng(0))
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224),
                                transforms.PILToTensor()])
    want = b""
    for pixels, _ in DataLoader(datasets.ImageFolder(root, steps), batch_size=4):
        want += b"batch %d\n" % len(pixels)
        want += pixels.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    if tool(root, "256", "4").stdout == want:
        return 0
    print("batches differ from DataLoader's")
    return 1


def main():
    bad = lines = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(TREES):
            failed, n = check_tree(seed, folder)
            bad += failed
            lines += n
        bad += check_hidden(folder) + check_empty_class(folder) + check_batches(folder)
    print(f"{TREES} trees with {lines} classes and samples, {bad} differ")
    return 1 if bad else 0


sys.exit(main())
