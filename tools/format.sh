#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check the format of every C file in git; --fix rewrites them.
# The rules are clang-format 14's: another version may lay code out differently.
set -eu
cd "$(dirname "$0")/.."
tool=$(command -v clang-format-14 || true)
if [ -z "$tool" ]; then
    echo "format: clang-format-14 is not installed" >&2
    exit 77
fi
if [ "${1:-}" = --fix ]; then
    git ls-files '*.c' '*.h' | xargs "$tool" -i
else
    git ls-files '*.c' '*.h' | xargs "$tool" --dry-run --Werror
fi
