# SPDX-License-Identifier: Apache-2.0
# Configuration files: what they set, what wins, what is printed, mistakes in them.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

train_tiny scratch --quiet
code 0

# ---- a whole run from a file, tables and lists as people like ----
cat >run.toml <<'END'
data = "fake:size=12,classes=3,height=32,width=32"
out = "run"

[model]
weights = "scratch/model.safetensors"
image-size = 32

[other]
batch = 4
threads = 1
val = 0.25

[[phase]]
name = "head"
solver = "lbfgs"
l2 = 0.1

[[phase]]
name = "top"
epochs = 2
lr = 1e-3
momentum = 0.8
unfreeze = ["features.12", "classifier"]

[[phase]]
name = "all"
epochs = 1
unfreeze = "*"
augment = "hflip"
END
run train --config run.toml
code 0
has out '^phase    head: solved by L-BFGS, trains 1,539 parameters \(classifier.1\), 722,496 stay frozen$'
has out '^phase    top: 2 epochs at 0.001, trains 198,723 parameters \(features.12,classifier\), 525,312 stay frozen$'
has out '^phase    all: 1 epoch at 0.001, trains 724,035 parameters \(\*\)$'
has out '^augment  all: hflip$'
has out '^solved   head: .* L2 0.1, '
[ "$(wc -l <run/metrics.csv)" -eq 5 ] || fail "metrics.csv has not four rows"

# ---- what is typed wins ----
run train fake:size=9,classes=3 --config run.toml --out typed --batch=3 --momentum 0.5 \
    --print-config
code 0
has out '^data = "fake:size=9,classes=3"$'
has out '^out = "typed"$'
has out '^batch = "3"$'
has out '^momentum = 0.5$'
has out '^# nesterov = false$'
has out '^# seed = 0$'
has out '^solver = "lbfgs"$'
grep -q '^momentum = 0.8' "$work/.out" && fail "the phase's momentum is still there"
gone typed

# ---- what is printed reads back the same, and makes the same run ----
run train --config run.toml --print-config
code 0
cp "$work/.out" printed.toml
run train --config printed.toml --print-config
code 0
out <printed.toml
run train -c printed.toml --out again --quiet
code 0
cmp run/model.pth again/model.pth || fail "another model from what was printed"
run train fake:size=8,classes=2 --model resnet18 --out 'a "b"\' --tune-lr 3e-5 --bn batch \
    --nesterov --strict --val 0.1 --time-limit 2m --print-config
code 0
has out '^out = "a \\"b\\"\\\\"$'
has out '^tune-lr = 3e-05$'
has out '^bn = "batch"$'
has out '^nesterov = true$'
cp "$work/.out" printed.toml
run train -c printed.toml --print-config
out <printed.toml

# ---- the example works as it is, on other pictures and weights ----
run train fake:size=8,classes=2,height=32,width=32 --model resnet18 --image-size 32 --batch 4 \
    --threads 1 --tune-epochs 1 --out scratch18 --quiet
code 0
run train fake:size=16,classes=2,height=32,width=32 -c "$AFN_SOURCE_DIR/examples/run.toml" \
    --weights scratch18/model.pth --image-size 32 --threads 1 --dry-run
code 0
has out '^phase    head: solved by L-BFGS, '
has out '^phase    top: 4 epochs at 0.001, '
has out '^phase    all: 6 epochs at 0.0003, '
has out '^augment  all: '
has out '^expect   all: '

# ---- a stopped run goes on with the file that it had ----
cat >two.toml <<'END'
data = "fake:size=12,classes=2,height=32,width=32"
weights = "scratch/model.safetensors"
image-size = 32
batch = 2
threads = 1
[[phase]]
name = "first"
epochs = 1
[[phase]]
name = "second"
epochs = 3
unfreeze = "*"
END
run train -c two.toml --out whole --quiet
code 0
run train -c two.toml --out stopped --quiet --time-limit 0.01s
code 0
rm two.toml
run train --resume stopped --quiet
code 0
cmp whole/model.pth stopped/model.pth || fail "another model than the run that was not stopped"
cmp whole/last.pth stopped/last.pth || fail "other last weights"

# ---- mistakes ----
mistake() { # TEXT MESSAGE
    printf '%s\n' "$1" >wrong.toml
    run train fake: --model resnet18 --out none -c wrong.toml
    code 2
    silent
    says "wrong.toml:$2"
    gone none
}
mistake 'head-lrr = 1' "1: unknown key head-lrr, did you mean head-lr?"
mistake 'head_epochs = 1' "1: unknown key head_epochs, did you mean head-epochs?"
mistake '[a]
zzzzzzzz = 1' "2: unknown key zzzzzzzz"
mistake 'tune-epochs = "3"' "1: tune-epochs needs a whole number from 0 to 100000, not 3"
mistake 'tune-epochs = -1' "1: tune-epochs needs a whole number from 0 to 100000, not -1"
mistake 'tune-epochs = 1.5' "1: tune-epochs needs a whole number from 0 to 100000, not 1.5"
mistake 'nesterov = 1' "1: nesterov needs true or false, not 1"
mistake 'bn = "none"' "1: bn needs auto, batch or frozen, not none"
mistake 'unfreeze = ["a", true]' "1: unfreeze needs PATTERN, not a,true"
mistake 'head-lr = 1979-05-27' "1: head-lr needs a number from 0 to 1000, not 1979-05-27"
mistake 'unfreeze = [["a"]]' "1: unfreeze needs PATTERN, not [...]"
mistake 'seed = 1
[a]
seed = 2' "3: seed is there already, in line 1"
mistake 'resume = "run"' "1: resume is for the command line"
mistake 'data = 3' "1: data needs the name of the images"
mistake '[a.b]
seed = 1' "1: unknown key b, did you mean bn?"
mistake '[phase]' "1: a phase is written as [[phase]], and its keys below"
mistake '[[phase]]
epochs = 1' "1: the phase has no name"
mistake '[[phase]]
name = "a,b"' "1: the phase's name has other signs than letters, digits, blanks and _ . -"
mistake '[[phase]]
name = "a"
[[phase]]
name = "a"' "3: two phases are called a"
mistake '[[phase]]
name = "a"
epoch = 1' "3: unknown key of a phase epoch, did you mean epochs?"
mistake '[[phase]]
name = "a"
seed = 1' "3: unknown key of a phase seed"
mistake '[[phase]]
name = "a"
head-augment = "light"' "3: unknown key of a phase head-augment"
mistake 'tune-lr = 1
[[phase]]
name = "a"' "2: the phases are these, --tune-lr has no meaning"
printf '[[phase]]\nname = "a"\n' >one.toml
run train fake: --model resnet18 --out none -c one.toml --head-epochs 3
code 2
says "one.toml:1: the phases are these, --head-epochs has no meaning"
printf 'a = \n' >bad.toml
run train fake: --model resnet18 --out none -c bad.toml
code 1
says "bad.toml:1:5: a value is missing here"
run train -c missing.toml
code 1
has err 'missing.toml: cannot open: no such file'
printf 'batch = 4\n' >part.toml
run train -c part.toml
usage_error "DATA is missing" train
run train fake: -c part.toml --model resnet18
usage_error "--out DIR is missing" train

finish
