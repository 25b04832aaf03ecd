# SPDX-License-Identifier: Apache-2.0
# Presets: what they set, what wins over them, runs with each.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

train_tiny scratch --quiet
code 0

names="tutorial quick few uneven thorough small"
from="fake:size=12,classes=3,height=32,width=32"
begin="--weights scratch/model.safetensors --image-size 32 --threads 1"

# ---- every preset is told of, is valid, and trains ----
run train --help
code 0
for name in $names; do
    has out "^  $name  +[a-z]"
done
for name in $names; do
    run train $from $begin --preset $name --print-config
    code 0
    has out "^preset = \"$name\"\$"
    # a short run: what the preset says of epochs may be hundreds of steps
    run train $from $begin --preset $name --tune-epochs 1 --out "run-$name" --quiet
    code 0
    err </dev/null
    [ -s "run-$name/model.safetensors" ] || fail "$name: no model"
done
grep -c '^head' run-quick/metrics.csv | grep -qx 1 || fail "quick: the head has not one epoch"
run train $from $begin --preset quick --out only-head --quiet
code 0
[ "$(wc -l <only-head/metrics.csv)" -eq 2 ] || fail "quick: more than one row"

# ---- it is those options, and nothing else ----
run train $from $begin --head-solver lbfgs --tune-epochs 0 --out plain --quiet
code 0
cmp only-head/model.pth plain/model.pth || fail "quick is not its options"
run train $from $begin --preset none --out none --tune-epochs 1 --quiet
code 0
run train $from $begin --out unset --tune-epochs 1 --quiet
code 0
cmp none/model.pth unset/model.pth || fail "none is not the defaults"

# ---- what is typed wins, then a file, then the preset ----
printf 'preset = "small"\naccumulate = 2\n' >small.toml
run train $from $begin -c small.toml --batch 3 --print-config
code 0
has out '^batch = "3"$'
has out '^accumulate = 2$'
has out '^bn = "frozen"$'
run train $from $begin -c small.toml --preset quick --print-config
code 0
has out '^head-solver = "lbfgs"$'
has out '^# batch = "32"$'

# ---- phases of a file take the place of a preset's, with its other options ----
printf '[[phase]]\nname = "only"\nepochs = 1\nunfreeze = "*"\n' >only.toml
run train $from $begin -c only.toml --preset small --out only --quiet
code 0
grep -q '"accumulate": *4' only/config.json || fail "the phase has not the preset's accumulation"
grep -q '^only,' only/metrics.csv || fail "the phase is not the file's"

# ---- a run goes on with it ----
run train $from $begin --preset small --tune-epochs 2 --out whole --quiet
code 0
run train $from $begin --preset small --tune-epochs 2 --out stopped --time-limit 0.000001s --quiet
run train --resume stopped --quiet
code 0
cmp whole/model.pth stopped/model.pth || fail "another model after a stop"

# ---- mistakes ----
run train $from $begin --preset quik --out wrong
usage_error "--preset needs none, tutorial, quick, few, uneven, thorough or small, not 'quik'" train
gone wrong
printf 'preset = "quik"\n' >wrong.toml
run train $from $begin -c wrong.toml --out wrong
code 2
says "wrong.toml:1: preset needs none, tutorial, quick, few, uneven, thorough or small, not quik"
gone wrong

finish
