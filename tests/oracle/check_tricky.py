#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd, broken and hostile pictures: each is decoded to the pixels whose SHA-1 its index
gives, or refused where Pillow refuses, but for the files in DIFFERS; and what is refused
is refused within a second and 100 MB, by a process of its own.  With the EXIF orientation
applied the pixels are those of Pillow's ImageOps.exif_transpose.

usage: check_tricky.py PIXELS_TOOL; exits 77 without the pictures (AFN_SHARED_DATA).
"""
import hashlib
import os
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as missing:
    np = None
    why = missing

# Where we and Pillow 9.4 disagree, each for a reason.
DIFFERS = {
    "jpeg-bad-metadata/truncated_exif_dpi.jpg": "Pillow trips over a resolution in EXIF; "
    "we take nothing from EXIF but the orientation",
    "png-corrupt/png_decompression_dos.png": "its text inflates to more than Pillow "
    "allows; we inflate no text to its end",
}
MOST_SECONDS, MOST_MB = 1.0, 100
SAFE_PIXELS = 40_000_000  # do not ask Pillow to decode more


def index(folder):
    """(file, verdict) of every row of the table"""
    with open(os.path.join(folder, "INDEX.md"), encoding="utf-8") as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if line.startswith("| ") and len(cells) == 5 and cells[0] not in ("file", "---"):
                yield cells[0], cells[4]


def ask(tool, verb, path, out):
    """The answer, seconds and megabytes of a process that does only this"""
    begun = time.monotonic()
    child = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(f"{verb}\t{path}\t{out}\n".encode())
    child.stdin.close()
    answer = child.stdout.read().decode().strip()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        answer = f"exit status {status}"
    return answer, time.monotonic() - begun, usage.ru_maxrss / 1024


def upright(path):
    try:
        image = Image.open(path)
        if image.width * image.height > SAFE_PIXELS:
            return None
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Exception:  # Pillow raises what it likes
        return None


def check(tool, folder, name, verdict, out):
    """What is wrong with our answers about one file, or None"""
    path = os.path.join(folder, name)
    answer, seconds, mb = ask(tool, "decode", path, out)
    if "this build cannot read" in answer and "AVIF" not in answer:
        return "skipped"
    digest = len(verdict) == 12 and set(verdict) <= set("0123456789abcdef")
    if not answer.startswith("ok "):
        if not answer.startswith("error "):
            return f"the tool dies: {answer}"
        if digest and name not in DIFFERS:
            return f"{answer}, Pillow {verdict}"
        if seconds > MOST_SECONDS or mb > MOST_MB:
            return f"refused after {seconds:.2f} s and {mb:.0f} MB"
        return None
    with open(out, "rb") as f:
        found = hashlib.sha1(f.read()).hexdigest()[:12]
    if name not in DIFFERS and found != verdict:
        return f"{found}, Pillow {verdict}"
    theirs = upright(path)
    if theirs is None:
        return None
    answer, _, _ = ask(tool, "upright", path, out)
    if answer != f"ok {theirs.shape[1]} {theirs.shape[0]}":
        return f"upright: {answer}, Pillow {theirs.shape}"
    if not np.array_equal(np.fromfile(out, np.uint8), theirs.ravel()):
        return "upright: other pixels than Pillow's"
    return None


def main():
    folder = os.path.join(os.environ.get("AFN_SHARED_DATA", ""), "images-tricky")
    if np is None or not os.path.isdir(folder):
        print("skipped:", why if np is None else "no " + folder)
        return 77
    Image.MAX_IMAGE_PIXELS = None
    done, wrong, skipped = 0, 0, 0
    with tempfile.TemporaryDirectory() as work:
        for name, verdict in index(folder):
            said = check(sys.argv[1], folder, name, verdict, os.path.join(work, "out.bin"))
            done += 1
            if said == "skipped":
                skipped += 1
            elif said:
                wrong += 1
                print(f"{name}: {said}")
    print(f"{done} files, {wrong} wrong, {len(DIFFERS)} differ for a reason, "
          f"{skipped} of formats that are not in this build")
    return 1 if wrong or done < 150 else 0


if __name__ == "__main__":
    sys.exit(main())
