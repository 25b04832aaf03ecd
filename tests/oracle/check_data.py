# SPDX-License-Identifier: Apache-2.0
"""Folders of images against torchvision's ImageFolder, and batches against DataLoader.

Random trees with names that sort in surprising ways: classes and samples must be the
same, in the same order.  Then one tree of real pictures: the same pixels.  MNIST's files
against torchvision's MNIST, manifests and shards against what Python's csv, json and
tarfile wrote.

Usage: check_data.py DATA_TOOL.  Exits with 77 (skipped) without torchvision."""

import csv
import io
import json
import os
import random
import struct
import subprocess
import sys
import tarfile
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
LISTS = 60
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


def listing(rows, where):
    """What the tool prints for (path, label) rows."""
    labels = sorted({label for _, label in rows})
    if all(label.isdigit() for label in labels):
        labels.sort(key=int)
    return ([f"class {label}" for label in labels] +
            [f"sample {labels.index(label)} {where(path)}" for path, label in rows])


def compare(what, spec, want):
    got = tool(spec).stdout.decode().splitlines()
    if got == want:
        return 0
    print(f"{what}: got {got[:5]}, expected {want[:5]}")
    return 1


def random_rows(rng):
    names = WORDS + [",", ";", '"', "'", "\t", "a,b", '""', "#"]
    numbers = rng.random() < 0.3
    rows = []
    for i in range(rng.randint(1, 30)):
        path = "".join(rng.choice(names) for _ in range(rng.randint(1, 4))) + f"{i}.png"
        label = str(rng.randint(0, 12)) if numbers else \
            "".join(rng.choice(names) for _ in range(rng.randint(1, 2)))
        rows.append((path, label))
    return rows


def write_csv(rng, path, rows):
    dialect = {"delimiter": rng.choice(",;\t"), "lineterminator": rng.choice(["\n", "\r\n"]),
               "quoting": rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])}
    with open(path, "w", newline="", encoding=rng.choice(["utf-8", "utf-8-sig"])) as f:
        out = csv.writer(f, **dialect)
        out.writerow(["number", "label", "path"])
        out.writerows([i, label, name] for i, (name, label) in enumerate(rows))


def write_jsonl(rng, path, rows):
    with open(path, "w") as f:
        for name, label in rows:
            row = {"path": name, "label": label, "size": [1, 2]}
            if label.isdigit() and str(int(label)) == label and rng.random() < 0.5:
                row["label"] = int(label)
            f.write(json.dumps(row, ensure_ascii=rng.random() < 0.5) + "\n")


def check_manifests(folder):
    bad = 0
    for seed in range(LISTS):
        rng = random.Random(seed)
        rows = random_rows(rng)
        for ending, write in (("csv", write_csv), ("jsonl", write_jsonl)):
            path = os.path.join(folder, f"list{seed}.{ending}")
            write(rng, path, rows)
            bad += compare(f"list {seed}", path,
                           listing(rows, lambda name: os.path.join(folder, name)))
    return bad


def check_shards(folder):
    bad = 0
    for seed in range(LISTS):
        rng = random.Random(seed)
        path = os.path.join(folder, f"shard{seed}.tar")
        rows = []
        kind = rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
        with tarfile.open(path, "w", format=kind) as tar:
            for i in range(rng.randint(1, 20)):
                name = rng.choice(["", "deep/", "long" * 20 + "/" + "er" * 30 + "/"]) + f"{i:04d}"
                label = rng.choice(["cat", "dog", "7"])
                members = [(".jpg", b"x" * rng.randint(0, 2000)),
                           rng.choice([(".cls", label.encode() + b"\n"),
                                       (".json", json.dumps({"label": label}).encode())])]
                rng.shuffle(members)
                for ending, data in members:
                    info = tarfile.TarInfo(name + ending)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
                rows.append((name + ".jpg", label))
        bad += compare(f"shard {seed}", "tar:" + path,
                       listing(rows, lambda name: f"{path}:{name}"))
    return bad


def check_mnist(folder):
    raw = os.path.join(folder, "MNIST", "raw")
    os.makedirs(raw)
    rng = numpy.random.default_rng(1)
    for part, n in (("train", 40), ("t10k", 7)):
        pixels = rng.integers(0, 256, (n, 28, 28), "uint8")
        labels = rng.integers(0, 10, n, "uint8")
        with open(os.path.join(raw, part + "-images-idx3-ubyte"), "wb") as f:
            f.write(struct.pack(">IIII", 2051, n, 28, 28) + pixels.tobytes())
        with open(os.path.join(raw, part + "-labels-idx1-ubyte"), "wb") as f:
            f.write(struct.pack(">II", 2049, n) + labels.tobytes())
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224),
                                transforms.PILToTensor()])
    theirs = [(image.convert("RGB"), label) for train in (True, False)
              for image, label in datasets.MNIST(folder, train=train)]
    want = b"batch %d\n" % len(theirs)
    want += b"".join(steps(image).permute(1, 2, 0).contiguous().numpy().tobytes()
                     for image, _ in theirs)
    got = [int(line.split()[1]) for line in tool("idx:" + raw).stdout.decode().splitlines()
           if line.startswith("sample")]
    if got == [label for _, label in theirs] and tool("idx:" + raw, "256", "64").stdout == want:
        return 0
    print("MNIST differs from torchvision's")
    return 1


def main():
    bad = lines = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(TREES):
            failed, n = check_tree(seed, folder)
            bad += failed
            lines += n
        bad += check_hidden(folder) + check_empty_class(folder) + check_batches(folder)
        bad += check_manifests(folder) + check_shards(folder) + check_mnist(folder)
    print(f"{TREES} trees with {lines} classes and samples, {bad} differ")
    return 1 if bad else 0


sys.exit(main())
