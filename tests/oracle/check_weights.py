#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Weight files between PyTorch and us: usage: check_weights.py WEIGHTS_TOOL

PyTorch writes files with odd strides, half types, parameters and shared storages; we
read them bit for bit.  We write .pth and .safetensors; PyTorch (weights_only=True) and,
where installed, the safetensors package read them.  Exit code 77: PyTorch is missing.
"""
import collections
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("skipped: no torch")
    sys.exit(77)

TOOL = sys.argv[1]


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def raw(t):
    t = t.detach().contiguous()
    if t.numel() == 0:
        return b""
    if t.dtype == torch.bool:
        return t.numpy().tobytes()
    return t.reshape(-1).view(torch.uint8).numpy().tobytes()


def describe(name, t):
    shape = "(" + ",".join(str(d) for d in t.shape) + ")"
    return "%s %s %s %016x" % (name, str(t.dtype)[len("torch."):], shape, fnv1a(raw(t)))


def run(*args):
    done = subprocess.run([TOOL, *args], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (" ".join(args), done.stderr.strip()))
    return done.stdout.splitlines()


def check_listing(path, form, expected):
    lines = run("list", path)
    want = ["format " + form] + [describe(k, t) for k, t in expected.items()]
    if lines[: len(want)] != want:
        sys.exit("%s:\n got %s\nwant %s" % (path, "\n     ".join(lines),
                                             "\n     ".join(want)))


def odd_tensors():
    torch.manual_seed(1)
    base = torch.randn(4, 6, 5)
    shared = torch.arange(20, dtype=torch.float32)
    return collections.OrderedDict([
        ("contiguous", base),
        ("turned", base.permute(2, 0, 1)),
        ("every_other", base[1:4:2, ::3, 1]),
        ("spread", torch.tensor([3.0]).expand(4, 3)),
        ("channels_last", torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)),
        ("shared.first", shared[:10]),
        ("shared.second", shared[5:15]),
        ("half", torch.randn(7).half()),
        ("bfloat16", torch.randn(3, 3).bfloat16()),
        ("float64", torch.randn(2, 2).double()),
        ("parameter", torch.nn.Parameter(torch.randn(3))),
        ("frozen", torch.nn.Parameter(torch.randn(3), requires_grad=False)),
        ("int64", torch.tensor(2**40 + 1)),
        ("int32", torch.tensor([-1, 2], dtype=torch.int32)),
        ("int16", torch.tensor([-1, 2], dtype=torch.int16)),
        ("int8", torch.tensor([-1, 2], dtype=torch.int8)),
        ("uint8", torch.tensor([255, 2], dtype=torch.uint8)),
        ("bool", torch.tensor([True, False, True])),
        ("complex64", torch.randn(2, dtype=torch.complex64)),
        ("complex128", torch.randn(2, dtype=torch.complex128)),
        ("empty", torch.zeros(0, 4)),
        ("special", torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])),
    ])


def network():
    torch.manual_seed(2)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, bias=False), torch.nn.BatchNorm2d(8),
        torch.nn.Flatten(), torch.nn.Linear(8, 2))


def check_reading(folder):
    tensors = odd_tensors()
    forms = [("torch-zip", True), ("torch-legacy", False)]
    for form, zipped in forms:
        for protocol in (2, 3, 4, 5):
            path = os.path.join(folder, "%s.%d" % (form, protocol))
            torch.save(tensors, path, pickle_protocol=protocol,
                       _use_new_zipfile_serialization=zipped)
            check_listing(path, form, tensors)
        path = os.path.join(folder, form + ".checkpoint")
        state = network().state_dict()
        wrapped = {"epoch": 3, "best": torch.tensor(0.5), "optimizer": {"lr": 0.1},
                   "state_dict": collections.OrderedDict(
                       ("module." + k, v) for k, v in state.items())}
        torch.save(wrapped, path, _use_new_zipfile_serialization=zipped)
        check_listing(path, form, state)


def same(a, b):
    return (a.dtype == b.dtype and a.shape == b.shape and raw(a) == raw(b))


def check_writing(folder):
    source = os.path.join(folder, "source.pth")
    copy = os.path.join(folder, "copy.pth")
    tensors = odd_tensors()
    torch.save(tensors, source)
    run("copy", source, copy, "classes", '["a", "\u00fc"]')
    loaded = torch.load(copy, weights_only=True)
    if list(loaded) != list(tensors):
        sys.exit("names differ: %s" % list(loaded))
    for name, t in tensors.items():
        if not same(loaded[name], t):
            sys.exit("%s: differs after writing" % name)
    if run("list", copy)[-1] != 'metadata classes=["a", "\u00fc"]':
        sys.exit("metadata was lost")

    torch.save(network().state_dict(), source)
    run("copy", source, copy)
    network().load_state_dict(torch.load(copy, weights_only=True), strict=True)


def check_safetensors(folder):
    try:
        from safetensors.torch import load_file, save_file
    except ImportError:
        print("no safetensors package: its reader was not tried")
        return
    source = os.path.join(folder, "source.pth")
    copy = os.path.join(folder, "copy.safetensors")
    theirs = os.path.join(folder, "theirs.safetensors")
    state = collections.OrderedDict(
        (k, t.detach().contiguous()) for k, t in odd_tensors().items()
        if not t.is_complex() and not k.startswith("shared"))
    torch.save(state, source)
    run("copy", source, copy, "key", "value")
    loaded = load_file(copy)
    for name, t in state.items():
        if not same(loaded[name], t):
            sys.exit("%s: differs in safetensors" % name)
    save_file(state, theirs, metadata={"a": "b"})
    got = sorted(run("list", theirs))
    want = sorted(["format safetensors", "metadata a=b"] +
                  [describe(k, t) for k, t in state.items()])
    if got != want:
        sys.exit("safetensors written by the package reads differently")


with tempfile.TemporaryDirectory() as work:
    check_reading(work)
    check_writing(work)
    check_safetensors(work)
print("ok, torch", torch.__version__)
