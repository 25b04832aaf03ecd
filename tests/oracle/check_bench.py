#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/bench/side_by_side.py on a tiny network: the table is written whatever fails.

    check_bench.py SIDE_BY_SIDE BUILD
"""
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

TINY = ['--model', 'squeezenet1_1', '--image-size', '32', '--batch', '2', '--rounds', '1',
        '--steps', '1', '--epochs', '1', '--images', '5', '--threads', '1']


def run(script, build, *args):
    return subprocess.run([sys.executable, script, build, *args], capture_output=True,
                          text=True, check=False)


def table(script, build, out, *args):
    """Rows of a finished run by name, and the table."""
    done = run(script, build, *TINY, '--out', out, '--name', 'tiny', *args)
    assert done.returncode == 0, done.stderr
    text = (out / 'tiny.md').read_text()
    found = json.loads((out / 'tiny.json').read_text())
    assert done.stdout.strip() == text.strip()
    return {r['row']: r for r in found['rows']}, text, found


def without_pytorch(script, build, out):
    rows, text, found = table(script, build, out, '--only', 'tune-resnet50,infer,start',
                              '--python', '/no/python')
    assert list(rows) == ['tune-resnet50', 'tune-bf16', 'memory', 'arithmetic-use', 'infer',
                          'start', 'start-warm'], list(rows)
    assert rows['infer']['torch'] == '/no/python is not there'
    assert rows['infer']['afina'][0] > 0 and 'value' not in rows['infer']
    assert rows['arithmetic-use']['value'] > 0
    assert '| inference, fp32: SqueezeNet 1.1, batch 2 | /no/python is not there | ' in text
    assert found['versions']['afina'] and found['commit'] and found['cores'] >= 1


def with_pytorch(script, build, out):
    rows, text, found = table(script, build, out, '--only',
                              'tune-alexnet,frozen,exercise,decode', '--python', sys.executable)
    for name in ('tune-alexnet', 'frozen', 'cached', 'exercise', 'decode',
                 'decode-12mp-fast'):
        r = rows[name]
        assert r['value'] > 0 and r['met'] == (r['value'] >= r['target']), r
    assert rows['decode-12mp']['value'] > 0 and 'met' not in rows['decode-12mp']
    r = rows['frozen']
    assert abs(r['value'] - r['afina'][0] / r['torch'][0]) < 1e-6 * r['value']
    r = rows['exercise']
    assert abs(r['value'] - r['torch'][0] / r['afina'][0]) < 1e-6 * r['value']
    assert found['formats']['squeezenet1_1 2 tune']['best'] in ('contiguous',
                                                               'channels_last')
    assert 'images per second:\n\n- squeezenet1_1 2 ' in text


def refused(script, build):
    for args, says in ((['--only', 'tune-resnet51'], 'no row matches tune-resnet51'),
                       (['--rounds', '0'], 'need at least 1, not 0'),
                       (['--rounds', 'x'], 'invalid positive value'),
                       (['--data', '/no/folder'], '/no/folder is not a folder'),
                       (['--name', '../x'], "'../x' is no name of a file")):
        done = run(script, build, *args)
        assert done.returncode != 0 and says in done.stderr, (args, done.stderr)
    done = run(script, '/no/build')
    assert done.returncode != 0 and '/no/build is not a folder' in done.stderr
    done = run(script, build, '--list')
    assert done.returncode == 0 and 'tune-vgg16\n' in done.stdout


def main():
    script, build = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        refused(script, build)
        without_pytorch(script, build, pathlib.Path(folder))
        if not importlib.util.find_spec('torchvision'):
            print('no PyTorch: only what needs none was checked')
            return
        with_pytorch(script, build, pathlib.Path(folder))
    print('side_by_side.py writes its table')


if __name__ == '__main__':
    main()
