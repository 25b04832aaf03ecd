#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the presets of 'afina train' come to: accuracy, time and memory of each.

Usage: presets.py BUILD DATA WEIGHTS [--model NAME] [--seeds N] [--images N,N...]
                  [--out FILE.csv] PRESET...

DATA is a folder with train and val.  Each run trains on train, of which it keeps a fifth to
choose its best epoch by; what is listed is the accuracy on val, which it never saw, so that
no run is rewarded for having chosen among more epochs.  --images takes so many of each
class of train, in the order of their names; one number for all, or one for each class.
A PRESET may be followed by options in the same word: 'quick --head-l2 0.01'."""
import argparse
import csv
import json
import pathlib
import shlex
import statistics
import tempfile

from run_command import run


def choose_images(data, counts, into):
    """A folder with links to the first images of each class."""
    classes = sorted(p for p in (data / 'train').iterdir() if p.is_dir())
    counts = counts * len(classes) if len(counts) == 1 else counts
    for folder, n in zip(classes, counts, strict=True):
        (into / folder.name).mkdir(parents=True)
        for image in sorted(folder.iterdir())[:n]:
            (into / folder.name / image.name).symlink_to(image.resolve())
    return into


def measure(a, preset, seed, train, work):
    out = work / ('%s-%d' % (preset.split()[0], seed))
    command = [str(a.build / 'afina'), 'train', str(train), '--model', a.model, '--weights',
               str(a.weights), '--preset', *shlex.split(preset), '--seed', str(seed),
               '--out', str(out), '--progress', 'quiet', '--plain-split', '--no-report']
    _, peak = run(command + ['--overwrite'])
    events = [json.loads(line) for line in (out / 'run.jsonl').open()]
    said, _ = run([str(a.build / 'afina'), 'eval', str(out / 'model.safetensors'),
                   str(a.data / 'val'), '--json'])
    result = json.loads(said)
    return {'preset': preset, 'seed': seed, 'accuracy': 100 * result['accuracy'],
            'balanced': 100 * result['balanced_accuracy'],
            'seconds': events[-1]['time'] - events[0]['time'], 'peak_mb': peak / 1e6}


def summary(rows):
    def of(key):
        values = [r[key] for r in rows]
        return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
    return '| %s | %.1f ± %.1f | %.1f | %.0f s | %.0f MB |' % (
        rows[0]['preset'], *of('accuracy'), of('balanced')[0], of('seconds')[0],
        of('peak_mb')[0])


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('build', type=pathlib.Path)
    p.add_argument('data', type=pathlib.Path)
    p.add_argument('weights', type=pathlib.Path)
    p.add_argument('preset', nargs='+')
    p.add_argument('--model', default='resnet18')
    p.add_argument('--seeds', type=int, default=3)
    p.add_argument('--images', help='of each class of train')
    p.add_argument('--out')
    a = p.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        train = a.data / 'train'
        if a.images:
            train = choose_images(a.data, [int(n) for n in a.images.split(',')], work / 'train')
        print('| preset | accuracy, % | balanced accuracy, % | time | memory |\n'
              '| --- | --- | --- | --- | --- |')
        for preset in a.preset:
            of = [measure(a, preset, seed, train, work) for seed in range(a.seeds)]
            print(summary(of), flush=True)
            rows += of
    if a.out:
        with open(a.out, 'w', newline='') as f:
            w = csv.DictWriter(f, rows[0].keys())
            w.writeheader()
            w.writerows({k: '%.3f' % v if isinstance(v, float) else v for k, v in r.items()}
                        for r in rows)


main()
