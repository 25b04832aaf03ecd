#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clang-format does not see: licence line, lengths, file names, ways out.

Prints every finding and exits 1 if there is any."""
import pathlib
import re
import sys

MAX_FILE, MAX_FUNCTION = 800, 70


def functions(lines):
    """(first line, length) of each function: from its brace in column 0 to the next."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line == '}' and start is not None:
            yield start, number - start + 1
            start = None


def check_c(file, text, library):
    lines = text.splitlines()
    if not lines or 'SPDX-License-Identifier: Apache-2.0' not in lines[0]:
        yield 1, 'the first line is not the licence line'
    if len(lines) > MAX_FILE:
        yield len(lines), '%d lines, the limit is %d' % (len(lines), MAX_FILE)
    for start, length in functions(lines):
        if length > MAX_FUNCTION and 'long:' not in lines[start - 3]:
            yield start, 'a function of %d lines, the limit is %d' % (length, MAX_FUNCTION)
    if not library:
        return
    ways_out = re.compile(r'(?<![>.*\w])(printf|puts|exit|abort|malloc|calloc|realloc|free)\s*\(')
    for number, line in enumerate(lines, 1):
        found = ways_out.search(line.split('/*')[0])
        theirs = "jansson's own" in line or "libjpeg's own" in line
        if found and not theirs and file.name != 'alloc.c' and \
                not line.lstrip().startswith(('*', '/*')):
            yield number, '%s in the library' % found.group(1)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else '.')
    bad, seen = 0, {}
    for folder in ('src', 'include', 'cli', 'examples', 'tests', 'fuzz'):
        for file in sorted((root / folder).glob('**/*.[ch]')):
            name = str(file.relative_to(root))
            for number, why in check_c(file, file.read_text(), folder == 'src'):
                bad += 1
                print('%s:%d: %s' % (name, number, why))
            if folder == 'src' and file.name in seen:
                bad += 1
                print('%s: the name is taken by %s' % (name, seen[file.name]))
            seen.setdefault(file.name, name)
    print('%d findings' % bad if bad else 'style is in order')
    return 1 if bad else 0


sys.exit(main())
