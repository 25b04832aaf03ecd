#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz every target, or those named, for SECONDS each, as many at a time as there are
# processors:
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
fuzz_one() {
    mkdir -p "$work/$1"
    cp fuzz/corpus/"$1"/* "$work/$1"/
    status=0
    $build/fuzz/fuzz_"$1" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=20 \
        -max_len=65536 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="crash-$1-" "$work/$1" > "$work/$1.log" 2>&1 || status=$?
    [ $status = 0 ] || cat "$work/$1.log"
    echo "== $1: $(sed -n 's/.*number_of_executed_units: *//p' "$work/$1.log") inputs, exit $status"
    return $status
}
set -- $targets
failed=0
while [ $# -gt 0 ]; do
    jobs=''
    for _ in $(seq "$(nproc)"); do
        [ $# -gt 0 ] || break
        fuzz_one "$1" &
        jobs="$jobs $!"
        shift
    done
    for j in $jobs; do wait "$j" || failed=1; done
done
exit $failed
