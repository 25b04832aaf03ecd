# SPDX-License-Identifier: Apache-2.0
# Going on with a run: stopped, out of time, finished, with other data or settings.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

steps="fake:size=10,classes=2,height=32,width=32 --model squeezenet1_1 --image-size 32
    --head-epochs 1 --tune-epochs 3 --batch 4 --threads 1 --augment hflip"

same_files() {
    for file in model.safetensors model.pth last.pth; do
        cmp -s "$1/$file" "$2/$file" || fail "$1/$file and $2/$file differ"
    done
    for run in "$1" "$2"; do
        cut -d, -f1-7 "$run/metrics.csv" >"$run.csv"
    done
    cmp -s "$1.csv" "$2.csv" || fail "metrics of $1 and $2 differ"
}

# shellcheck disable=SC2086
run train $steps --out whole --quiet
code 0
silent
err </dev/null

# ---- stopped by its time at once, gone on with from another folder ----
# shellcheck disable=SC2086
run train $steps --out late --time-limit 0.000001s
code 0
says "its time is over in head 1/1, go on with: afina train --resume late"
mkdir elsewhere
(cd elsewhere && "$afina" train --resume ../late >../.out 2>../.err)
got=$?
ran="afina train --resume ../late"
code 0
err </dev/null
has out '^resume   in head 1/1, 1 step of the epoch done$'
has out '^tune 3/3 '
same_files whole late

# ---- killed; many times over ----
# shellcheck disable=SC2086
run train $steps --out killed --time-limit 0.000001s --checkpoint-every 1 --quiet
for i in 1 2 3; do
    run train --resume killed --quiet --time-limit 0.000001s
    code 0
    has err 'go on with: afina train --resume killed$'
done
run train --resume killed --threads 1
code 0
has out '^resume   in tune 1/3, 2 steps of the epoch done$'
err </dev/null
same_files whole killed

# ---- a finished run says so, and is not written over ----
run train --resume whole
code 1
silent
says "whole: the run is finished: 4 epochs, nothing is left to do"
# shellcheck disable=SC2086
run train $steps --out whole
code 1
silent
says "--out whole: holds a finished run, --overwrite replaces it"
# shellcheck disable=SC2086
run train $steps --out open --quiet --time-limit 0.000001s
# shellcheck disable=SC2086
run train $steps --out open
code 1
silent
says "--out open: holds a run that was stopped: 'afina train --resume open' goes on with it, --overwrite replaces it"

# ---- other data or settings are refused by name ----
run train --resume open --batch 5
code 1
says "open/last.ckpt: batch: was 4 when the run began, is 5 now"
run train --resume open --tune-lr 0.5 --quiet
code 1
says "open/last.ckpt: phase tune: lr: was 9.99999975e-05 when the run began, is 0.5 now"
mkdir none
run train --resume none
code 1
says "none: no last.ckpt, so no run to go on with"
cp whole/model.safetensors none/last.ckpt
run train --resume none
code 1
says "none/last.ckpt: is no checkpoint"
head -c 2000 open/last.ckpt >none/last.ckpt
run train --resume none
code 1
has err '^afina: none/last.ckpt: '
make_photos photos
# shellcheck disable=SC2086
run train photos ${steps#* } --out pictures --quiet --time-limit 0.000001s --val 0 --plain-split
code 0
cp photos/cats/1.jpg photos/cats/5.jpg
run train --resume pictures --quiet
code 1
has err '^afina: pictures/last.ckpt: training images: was 8 \(list .*\) when the run began, is 9 \(list .*\) now$'
rm photos/cats/5.jpg
run train --resume pictures --quiet
code 0

# ---- a checkpoint is a model too ----
run predict --threads 1 open/last.ckpt "$pictures/checks.jpg"
code 0

# ---- ends before the last epoch ----
# shellcheck disable=SC2086
run train $steps --out patient --tune-epochs 50 --tune-lr 0 --patience 2
code 0
has out '^tune 3/50 '
grep -q '^tune 4/50' .out && fail "patience of 2 went on"
# shellcheck disable=SC2086
run train $steps --out reached --target-accuracy 0.000001 --val 0.5
[ "$(grep -c '^\(head\|tune\) ' .out)" -le 4 ] || fail "epochs"
# shellcheck disable=SC2086
run train $steps --out alone --val 0 --patience 2
code 1
says "phase head: patience needs validation images"

# ---- mistakes ----
# shellcheck disable=SC2086
run train $steps --out none2 --time-limit 30
usage_error "--time-limit needs a time such as 90s, 30m or 2h, not '30'" train
# shellcheck disable=SC2086
run train $steps --out none2 --checkpoint-every often
usage_error "--checkpoint-every needs steps or a time such as 100, 90s or 5m, not 'often'" train
# shellcheck disable=SC2086
run train $steps --out none2 --min-delta 0.1
usage_error "--min-delta needs --patience" train
finish
