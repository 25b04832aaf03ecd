#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz every target, or those named, for SECONDS each:
#   tools/fuzz.sh SECONDS [TARGET...]
# New inputs stay in a temporary folder; a crash is left in the current folder and
# belongs, once fixed, into fuzz/corpus/TARGET.
set -eu
seconds=${1:?usage: tools/fuzz.sh SECONDS [TARGET...]}
shift
cd "$(dirname "$0")/.."
build=build-fuzz
if [ ! -f $build/build.ninja ]; then
    CC=clang meson setup $build -Dfuzz=enabled -Dbuildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fsanitize=fuzzer-no-link
fi
# Without names all that this build has: a picture format may lack its library.
targets=${*:-$(ninja -C $build -t targets all | sed -n 's|^fuzz/fuzz_\([a-z_]*\):.*|\1|p')}
for t in $targets; do
    ninja -C $build "fuzz/fuzz_$t" > /dev/null
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for t in $targets; do
    mkdir -p "$work/$t"
    cp fuzz/corpus/"$t"/* "$work/$t"/
    echo "== $t"
    $build/fuzz/fuzz_"$t" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
        -max_len=65536 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="crash-$t-" "$work/$t"
done
