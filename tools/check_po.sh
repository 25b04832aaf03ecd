#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A catalogue has a translation of every text of po/afina.pot, with the same formats.
#   tools/check_po.sh PO
set -eu
cd "$(dirname "$0")/.."
msgfmt --check-format --check-domain -o /dev/null "$1"
python3 tools/po_words.py --complete "$1" po/afina.pot
