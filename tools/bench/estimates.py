#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'afina train --dry-run' expects of a run, beside what the run then takes.

Usage: estimates.py BUILD DATA WEIGHTS_DIR [--out FILE.csv] [--case NAME]...

DATA is a folder with train and val; WEIGHTS_DIR has NAME.pth for some networks, the others
begin with random weights, which makes no difference to time or memory.  Run it while nothing
else computes.  Exits 1 where time is off by over 20 % or memory by over 15 %."""
import argparse
import csv
import json
import pathlib
import sys
import tempfile

from run_command import run

# network, epochs of the head, epochs of everything, further options
CASES = {
    'resnet50': (3, 2, []),
    'mobilenet_v2': (3, 3, []),
    'vgg16': (3, 1, ['--batch', '16']),
    'resnet50-augmented': (2, 1, ['--augment', 'light']),
    'mobilenet_v2-layers': (0, 5, ['--unfreeze', 'features.18,classifier']),
}
TIME, MEMORY = 0.20, 0.15


def measure(afina, data, weights, name, work):
    network = name.split('-')[0]
    head, tune, more = CASES[name]
    command = [afina, 'train', data, '--model', network, '--head-epochs', str(head),
               '--tune-epochs', str(tune), '--plain-split', *more]
    if (weights / (network + '.pth')).is_file():
        command += ['--weights', str(weights / (network + '.pth'))]
    said, _ = run(command + ['--dry-run', '--json'])
    expected = json.loads(said)
    folder = work / name
    # quiet: no second forecast, whose memory would count
    _, peak = run(command + ['--out', str(folder), '--progress', 'quiet'])
    events = [json.loads(line) for line in (folder / 'run.jsonl').open()]
    seconds = events[-1]['time'] - events[0]['time']
    parts = {e['phase']: e['seconds'] for e in events if e['event'] == 'phase_end'}
    for phase in expected['phases']:
        print('  %-22s %-5s expected %7.1f s, took %7.1f s' % (
            name, phase['phase'], phase['seconds'], parts[phase['phase']]))
    return {'case': name, 'expected_s': expected['seconds'], 'took_s': seconds,
            'expected_mb': expected['memory_bytes'] / 1e6, 'peak_mb': peak / 1e6}


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('build', type=pathlib.Path)
    p.add_argument('data')
    p.add_argument('weights', type=pathlib.Path)
    p.add_argument('--out')
    p.add_argument('--case', action='append', choices=CASES)
    a = p.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for name in a.case or CASES:
            row = measure(str(a.build / 'afina'), a.data, a.weights, name, pathlib.Path(work))
            row['time_off'] = row['expected_s'] / row['took_s'] - 1
            row['memory_off'] = row['expected_mb'] / row['peak_mb'] - 1
            print('%(case)-24s %(expected_s)7.1f s expected, %(took_s)7.1f s taken '
                  '(%(time_off)+.0f %%); %(expected_mb)7.0f MB expected, %(peak_mb)7.0f MB '
                  'taken (%(memory_off)+.0f %%)' % dict(
                      row, time_off=100 * row['time_off'], memory_off=100 * row['memory_off']),
                  flush=True)
            rows.append(row)
    if a.out:
        with open(a.out, 'w', newline='') as f:
            w = csv.DictWriter(f, rows[0].keys())
            w.writeheader()
            w.writerows({k: v if isinstance(v, str) else '%.3f' % v for k, v in r.items()}
                        for r in rows)
    off = [r['case'] for r in rows
           if abs(r['time_off']) > TIME or abs(r['memory_off']) > MEMORY]
    sys.exit('off by more than allowed: ' + ', '.join(off) if off else 0)


main()
