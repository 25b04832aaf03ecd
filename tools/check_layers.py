#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The law of dependence: a folder includes only folders below it, through their doors.

Reads every #include "..." under src/, cli/ and examples/.  The table is the one in
docs/tour.md.  Prints each arrow that breaks the law and exits 1 if there is any.
"""
import pathlib
import re
import sys

LEVEL = {
    'base': 0,
    'tensor': 1, 'io': 1,
    'weights': 2, 'image': 2, 'graph': 2,
    'zoo': 3, 'data': 3, 'engine': 3, 'engine/ref': 3, 'engine/cpu': 3,
    'fetch': 4, 'model': 4, 'optim': 4,
    'train': 5, 'report': 5,
}
# Folders on one level that may be used by another on it: (user, used).
SAME_LEVEL = {('engine/ref', 'engine'), ('engine/cpu', 'engine')}
# Headers beside a folder's door that plug-ins include.
EXTRA_DOORS = {'zoo/family.h', 'data/dataset.h', 'engine/backend.h', 'image/codec.h',
               'optim/lr_schedule.h', 'optim/lbfgs.h'}
# The only folders, or files whose names begin like this, that may see these libraries.
LIBRARY = {
    'dnnl.h': {'engine/cpu/dnn'}, 'omp.h': {'engine/cpu', 'engine/ref'},
    'zip.h': {'io'}, 'jansson.h': {'io'}, 'jpeglib.h': {'image'}, 'png.h': {'image'},
    'pthread.h': {'base'}, 'openssl/evp.h': {'fetch/digest'},
    'curl/curl.h': {'fetch/transfer_curl'}, 'dlfcn.h': {'fetch/transfer_curl'},
}


def sees(name, folder, library):
    allowed = LIBRARY.get(library, {folder})
    return folder in allowed or any(a not in LEVEL and name.startswith(a) for a in allowed)


def folder_of(path):
    parts = path.split('/')
    if parts[:2] in (['engine', 'ref'], ['engine', 'cpu']):
        return '/'.join(parts[:2])
    return parts[0]


def check(file, folder, include):
    if include.startswith('afina/') or include == 'afina_version.h':
        return None
    if '/' not in include:
        return 'write the folder: "%s/%s"' % (folder, include)
    used = folder_of(include)
    if used == folder:
        return None
    if used not in LEVEL:
        return 'no such folder in the table'
    if (folder, used) not in SAME_LEVEL and LEVEL[used] >= LEVEL[folder]:
        return 'level %d may not include level %d' % (LEVEL[folder], LEVEL[used])
    if include == '%s/%s.h' % (used, used.split('/')[-1]) or include in EXTRA_DOORS:
        return None
    return 'not the door of %s' % used


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else '.')
    bad = 0
    for file in sorted(root.glob('src/**/*.[ch]')):
        name = str(file.relative_to(root / 'src'))
        folder = folder_of(name)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            angled = re.match(r'\s*#\s*include\s+<([^>]+)>', line)
            why = check(file, folder, quoted.group(1)) if quoted else None
            if angled and not sees(name, folder, angled.group(1)):
                why = '%s may not see this library' % name
            if why:
                bad += 1
                print('%s:%d: %s: %s' % (file, number, line.strip(), why))
    for file in sorted(list(root.glob('cli/*.[ch]')) + list(root.glob('examples/*.c'))):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if quoted and '/' in quoted.group(1):
                bad += 1
                print('%s:%d: %s: only <afina/afina.h>' % (file, number, line.strip()))
    print('%d arrows break the law of dependence' % bad if bad else 'layers are in order')
    return 1 if bad else 0


sys.exit(main())
