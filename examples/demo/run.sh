#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tutorial's exercise offline: five classes that the pretrained network has never
# seen, from a few pictures of each, drawn on the spot.
#   examples/demo/run.sh BUILD_DIR
# Every row of the table is the mean of three trainings, each with pictures and a head
# of its own.  The best epoch is chosen on one set of pictures; what is counted is
# another, which no training saw.
set -eu

build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
weights=$(cd "$(dirname "$0")" && pwd)/pretrained.safetensors
afina=$build/afina
tools=$build/examples/demo
work=$build/demo
few=15
seeds='1 2 3'
row='  %-36s %8s %9s\n'

for needed in "$afina" "$tools/make_pictures" "$tools/start" "$weights"; do
    [ -f "$needed" ] || { echo "demo: $needed is missing" >&2; exit 1; }
done
rm -rf "$work"
mkdir -p "$work/pictures"

# train NAME SEED OPTION...: a run in $work/NAME-SEED; adds "SEED PERCENT" to NAME.txt.
train() {
    name=$1
    seed=$2
    shift 2
    "$afina" train "$work/pictures/$seed" --batch 16 --seed "$seed" --quiet \
        --out "$work/$name-$seed" "$@"
    "$afina" eval "$work/$name-$seed/model.safetensors" "$work/examination" \
        >"$work/$name-$seed/examination.txt"
    sed -n "s/^accuracy *\([0-9.]*\).*/$seed \1/p" "$work/$name-$seed/examination.txt" \
        >>"$work/$name.txt"
}

# compare TITLE NAME OPTION...: train with every seed, then print a row.  A first word
# "fresh" among the options stands for weights that begin at random.
compare() {
    title=$1
    name=$2
    kind=$3
    shift 3
    begin=$(date +%s)
    for seed in $seeds; do
        case $kind in
        fresh)
            "$tools/start" 5 "$seed" "$work/fresh-$seed.safetensors"
            train "$name" "$seed" --weights "$work/fresh-$seed.safetensors" \
                --keep-head --image-size 64 "$@"
            ;;
        pretrained) train "$name" "$seed" --weights "$weights" "$@" ;;
        esac
    done
    seconds=$(($(date +%s) - begin))
    # shellcheck disable=SC2059  # the format is ours
    printf "$row" "$title" "$(awk '{ sum += $2 } END { printf "%.1f %%", sum / NR }' \
        "$work/$name.txt")" "$(awk -v s="$seconds" -v n="$(wc -l <"$work/$name.txt")" \
        'BEGIN { printf "%.1f s", s / n }')"
}

echo "Drawing pictures of five things: $few of each to learn from, 20 to choose the best"
echo "epoch by, 100 to count on.  Pretraining has seen 26 other things, none of these."
for seed in $seeds; do
    mkdir -p "$work/pictures/$seed"
    "$tools/make_pictures" exercise "$work/pictures/$seed/train" "$few" "$seed"
    "$tools/make_pictures" exercise "$work/pictures/$seed/val" 20 "10$seed"
done
"$tools/make_pictures" exercise "$work/examination" 100 999

echo
# shellcheck disable=SC2059
printf "$row" "mean of three runs" "right" "a run"
compare "from scratch, 10 epochs" scratch fresh \
    --head-epochs 0 --tune-epochs 10 --tune-lr 0.005
compare "from scratch, 100 epochs" scratch-long fresh \
    --head-epochs 0 --tune-epochs 100 --tune-lr 0.005
compare "pretrained, head only, 10 epochs" head pretrained \
    --head-epochs 10 --head-lr 0.01 --tune-epochs 0
compare "pretrained, head 5, then everything 5" tuned pretrained \
    --head-epochs 5 --head-lr 0.01 --tune-epochs 5 --tune-lr 0.003
echo "  (guessing: 20 %)"

echo
echo "The tuned model, for afina and for PyTorch:"
echo "  $work/tuned-1/model.safetensors"
echo "  $work/tuned-1/model.pth"
echo
echo "What it says of pictures that it does not know:"
cd "$work/examination"
"$afina" predict "$work/tuned-1/model.safetensors" --top 2 \
    anchor/0001.png butterfly/0001.png cactus/0001.png guitar/0001.png teapot/0001.png
