#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Entries of a catalogue of texts (.pot, .po).

po_words.py FILE                     print it without texts that have no word in them
po_words.py --missing FILE OTHER     print the texts of OTHER that FILE lacks; exit code
                                     1 where there are any
po_words.py --complete FILE OTHER    the same for texts that FILE has no translation of
"""
import ast
import re
import sys


def entries(path):
    """Paragraphs of the file, each with its msgid and msgstr as text."""
    for paragraph in open(path, encoding='utf-8').read().split('\n\n'):
        values = {}
        keyword = None
        for line in paragraph.splitlines():
            found = re.match(r'(msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line)
            if found:
                keyword = found.group(1)
                values[keyword] = ''
            literal = found.group(2) if found else line
            if keyword and literal.startswith('"'):
                values[keyword] += ast.literal_eval(literal)
        if 'msgid' in values:
            yield paragraph, values


def has_word(text):
    return re.search(r'[A-Za-z]{2,}', re.sub(r'%[-+ #0-9.*]*(?:ll|l|z|j)?[a-zA-Z]', '', text))


def translated(paragraph, values):
    done = [text for key, text in values.items() if key.startswith('msgstr')]
    return all(done) and ', fuzzy' not in paragraph


def main():
    if len(sys.argv) == 2:
        kept = [paragraph for paragraph, values in entries(sys.argv[1])
                if not values['msgid'] or has_word(values['msgid'])]
        print('\n\n'.join(re.sub(r'"POT-Creation-Date:[^\n]*\n', '', p).strip('\n')
                          for p in kept))
        return 0
    how, file, other = sys.argv[1:]
    have = {values['msgid'] for paragraph, values in entries(file)
            if how == '--missing' or translated(paragraph, values)}
    missing = [values['msgid'] for _, values in entries(other) if values['msgid'] not in have]
    for text in missing:
        print('%s: %s %r' % (file, how[2:], text))
    return 1 if missing else 0


sys.exit(main())
