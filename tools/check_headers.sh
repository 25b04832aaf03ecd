#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, as C11 and as C++17.
set -eu
cd "$(dirname "$0")/.."
for header in include/afina/*.h; do
    ${CC:-cc} -x c -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$header"
    if command -v "${CXX:-c++}" >/dev/null 2>&1; then
        ${CXX:-c++} -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -Iinclude \
            -fsyntax-only "$header"
    fi
done
echo "public headers compile alone"
