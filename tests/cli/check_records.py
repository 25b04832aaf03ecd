#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run tells: run.jsonl, config.json and TensorBoard's event file, also of a run
that is stopped and gone on with.

Usage: check_records.py AFINA.  The event file is read by a few lines of its own, with the
check of every record; where a python has tensorboard (this one, or AFINA_TENSORBOARD_PYTHON),
also by TensorBoard."""
import csv
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

AFINA = str(pathlib.Path(sys.argv[1]).resolve())
RUN = ['train', 'fake:size=20,classes=2,height=32,width=32', '--model', 'squeezenet1_1',
       '--image-size', '32', '--head-epochs', '2', '--tune-epochs', '2', '--batch', '4',
       '--threads', '1', '--record-every', '1', '--progress', 'quiet']
STEPS = 4  # batches of 16 images
TB_EVENTS = '''
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)]
                  for tag in events.Tags()['scalars']}))
'''


def afina(*args):
    done = subprocess.run([AFINA, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_lines(run):
    text = (run / 'run.jsonl').read_text()
    assert text.endswith('\n')
    return [json.loads(line) for line in text.splitlines()]


# ---- TensorBoard's file ----

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def records(data):
    at = 0
    while at < len(data):
        head, = struct.unpack_from('<Q', data, at)
        check, = struct.unpack_from('<I', data, at + 8)
        assert check == masked(data[at:at + 8]), 'check of a length'
        body = data[at + 12:at + 12 + head]
        check, = struct.unpack_from('<I', data, at + 12 + head)
        assert check == masked(body), 'check of a record'
        yield body
        at += head + 16


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a protocol buffer."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, = struct.unpack_from('<d', data, at)
            at += 8
        elif wire == 5:
            value, = struct.unpack_from('<f', data, at)
            at += 4
        else:
            size, at = varint(data, at)
            value = data[at:at + size]
            at += size
        yield number, value


def scalars(path):
    """{tag: [[step, value], ...]}"""
    found = {}
    for i, record in enumerate(records(path.read_bytes())):
        event = dict(fields(record))
        assert event[1] > 1.6e9, 'wall time'
        if i == 0:
            assert event[3] == b'brain.Event:2'
            continue
        for number, value in fields(event[5]):
            v = dict(fields(value))
            found.setdefault(v[1].decode(), []).append([event[2], v[2]])
    return found


def tensorboard_scalars(path):
    python = os.environ.get('AFINA_TENSORBOARD_PYTHON', sys.executable)
    done = subprocess.run([python, '-c', TB_EVENTS, str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        assert 'No module named' in done.stderr, done.stderr
        return None
    return json.loads(done.stdout)


def check_scalars(run, lines):
    path, = run.glob('events.out.tfevents.*')
    got = scalars(path)
    steps = [e for e in lines if e['event'] == 'step']
    epochs = [e for e in lines if e['event'] == 'epoch']
    for tag, of, at, name in (
            ('train/loss', steps, 'run_step', 'loss'),
            ('train/accuracy', steps, 'run_step', 'mean_acc'),
            ('train/lr', steps, 'run_step', 'lr'),
            ('train/images_per_second', steps, 'run_step', 'images_per_second'),
            ('epoch/train_loss', epochs, 'run_epoch', 'train_loss'),
            ('epoch/train_accuracy', epochs, 'run_epoch', 'train_acc'),
            ('epoch/val_loss', epochs, 'run_epoch', 'val_loss'),
            ('epoch/val_accuracy', epochs, 'run_epoch', 'val_acc'),
            ('epoch/lr', epochs, 'run_epoch', 'lr'),
            ('epoch/images_per_second', epochs, 'run_epoch', 'images_per_second')):
        assert [s for s, _ in got[tag]] == [e[at] for e in of], tag
        for (_, value), e in zip(got[tag], of):
            assert abs(value - e[name]) <= 1e-6 * abs(e[name]), (tag, value, e[name])
    assert len(got) == 10
    theirs = tensorboard_scalars(path)
    if theirs is None:
        return 'skipped: no tensorboard'
    assert theirs == got, 'TensorBoard reads something else'
    return 'TensorBoard read %d scalars' % sum(map(len, theirs.values()))


# ---- the run's own files ----

def check_lines(run, lines):
    with open(run / 'metrics.csv') as f:
        rows = list(csv.DictReader(f))
    epochs = [e for e in lines if e['event'] == 'epoch']
    assert len(rows) == len(epochs) == 4
    for row, e in zip(rows, epochs):
        assert (row['phase'], int(row['epoch'])) == (e['phase'], e['epoch'])
        for name in ('train_loss', 'train_acc', 'val_loss', 'val_acc'):
            assert abs(float(row[name]) - e[name]) < 1e-6
    steps = [e['run_step'] for e in lines if e['event'] == 'step']
    assert steps == list(range(1, 4 * STEPS + 1)), steps
    assert lines[0]['event'] == 'start' and lines[-1]['event'] == 'end'
    for name in ('val_acc', 'train_loss'):
        assert lines[-1][name] == next(e for e in reversed(epochs) if e['best'])[name]
    assert [e['time'] for e in lines] == sorted(e['time'] for e in lines)


def check_config(run):
    config = json.loads((run / 'config.json').read_text())
    assert config['settings']['batch'] == 4
    assert config['command']['data'] == RUN[1]
    assert config['command']['head-epochs'] == 2
    assert config['command']['weights'] is None
    assert os.path.samefile(config['command']['folder'], os.getcwd())
    assert [p['name'] for p in config['phases']] == ['head', 'tune']
    assert len(config['data']['train']['list_hash']) == 16


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        whole, parts = pathlib.Path('whole'), pathlib.Path('parts')
        afina(*RUN, '--out', 'whole')
        lines = read_lines(whole)
        events = [e['event'] for e in lines if e['event'] not in ('step', 'epoch')]
        assert events == ['start', 'phase', 'phase_end', 'phase', 'phase_end', 'end'], events
        check_lines(whole, lines)
        check_config(whole)
        print(check_scalars(whole, lines))

        afina(*RUN, '--out', 'parts', '--time-limit', '0.000001s')
        for _ in range(5):
            afina('train', '--resume', 'parts', '--progress', 'quiet', '--time-limit',
                  '0.000001s')
        told = afina('train', '--resume', 'parts', '--progress', 'json')
        lines = read_lines(parts)
        assert [e['event'] for e in lines].count('stop') == 6
        assert [e['event'] for e in lines].count('resume') == 6
        check_lines(parts, lines)
        check_scalars(parts, lines)
        spoken = [json.loads(line) for line in told.splitlines()]
        assert spoken == lines[-len(spoken):], 'json mode says something else'

        afina(*RUN, '--out', 'whole', '--overwrite', '--tune-epochs', '0',
              '--no-tensorboard', '--record-every', '3')
        steps = [e['step'] for e in read_lines(whole) if e['event'] == 'step']
        assert steps == [3, 4, 3, 4], steps
    print('records are in order')


main()
