# SPDX-License-Identifier: Apache-2.0
# Wrong command lines: one line that names the thing, exit code 2, nothing done.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# ---- the command itself ----
run --version
code 0
out <<END
afina 0.1.0
END

run --help
code 0
has out '^usage: afina COMMAND'
has out '^  train +fine-tune a pretrained model on your images$'
cp .out overview
run help
code 0
out <overview
run -h
out <overview

run
usage_error "a command is missing" ""
run trian
usage_error "unknown command 'trian', did you mean 'train'?" ""
run xyzzy
usage_error "unknown command 'xyzzy'" ""
run --colour
usage_error "unknown option '--colour'" ""
run help tarin
usage_error "unknown command 'tarin', did you mean 'train'?" ""
run help train eval
usage_error "unexpected argument 'eval'" ""

# ---- help of every command, by both spellings, fits a page ----
for command in data train eval report predict models inspect convert fetch bench completion; do
    run help "$command"
    code 0
    err </dev/null
    has out "^usage: afina $command"
    has out '^  -h, --help +print this text$'
    awk 'length > 80 { bad = 1 } END { exit bad }' .out || fail "a line over 80 columns"
    cp .out help
    run "$command" --help
    code 0
    out <help
    run "$command" -h
    out <help
done
run train --out x --help
code 0
run help train
has out '^      --batch N\|auto +images in a step; auto is 32'
grep -q backend .out && fail "a hidden option is shown"
for section in model phases optimiser schedule augmentation data images machine output; do
    [ "$(grep -cx "$section:" .out)" -eq 1 ] || fail "heading '$section'"
done

run help bench
has out '^examples:$'
has out '^  afina bench --model resnet50 --mode tune --profile$'
has out '^      how long one picture takes, for a program to read$'

# ---- operands ----
run train
usage_error "DATA is missing" train
run train '' --out run
usage_error "DATA is empty" train
run train a b --out run
usage_error "unexpected argument 'b'" train
run eval model
usage_error "DATA is missing" eval
run predict
usage_error "MODEL is missing" predict
run predict model
usage_error "IMAGE is missing" predict
run predict model image --format yaml
usage_error "--format needs text, table, csv, json or jsonl, not 'yaml'" predict
run convert in
usage_error "OUT is missing" convert
run convert a b c
usage_error "unexpected argument 'c'" convert
run models a b
usage_error "unexpected argument 'b'" models
run inspect
usage_error "FILE is missing" inspect

# ---- names of options ----
run train photos --out run --lr 0.1
usage_error "unknown option '--lr', did you mean --head-lr or --tune-lr?" train
run train photos --out run --epochs=3
usage_error "unknown option '--epochs', did you mean --head-epochs or --tune-epochs?" \
    train
run train photos --out run --wieghts w.pth
usage_error "unknown option '--wieghts', did you mean --weights?" train
run train photos --out run --weight w.pth
usage_error "unknown option '--weight', did you mean --weights?" train
run train photos --out run -x
usage_error "unknown option '-x'" train
run convert --json
usage_error "unknown option '--json'" convert
run predict model image --topk 3
usage_error "unknown option '--topk', did you mean --top?" predict

# ---- values of options ----
for size in 0 -1 lots 5X 1e30G; do
    run train photos --model resnet18 --out run "--feature-cache=$size"
    usage_error "--feature-cache needs auto, off or a size such as 500M or 2G, not \
'$size'" train
done
run train photos --model resnet18
usage_error "--out DIR is missing" train
run train photos --out
usage_error "--out needs DIR" train
run train photos --out --quiet
usage_error "--out needs DIR" train
run train photos --out=
usage_error "--out needs DIR" train
run train photos --out run --batch 0
usage_error "--batch needs auto or a whole number from 1 to 4096, not '0'" train
run train photos --out run --batch abc
usage_error "--batch needs auto or a whole number from 1 to 4096, not 'abc'" train
run train photos --out run --batch 32x
usage_error "--batch needs auto or a whole number from 1 to 4096, not '32x'" train
run train photos --out run --batch -4
usage_error "--batch needs auto or a whole number from 1 to 4096, not '-4'" train
run train photos --out run --batch 99999999999999999999
usage_error "--batch needs auto or a whole number from 1 to 4096, not '99999999999999999999'" \
    train
run train photos --out run --seed -1
usage_error "--seed needs a whole number from 0, not '-1'" train
run train photos --out run --val 1.5
usage_error "--val needs a number from 0 to below 1, not '1.5'" train
run train photos --out run --val 1
usage_error "--val needs a number from 0 to below 1, not '1'" train
run train photos --out run --head-lr=-0.1
usage_error "--head-lr needs a number from 0 to 1000, not '-0.1'" train
run train photos --out run --head-lr -.1
usage_error "--head-lr needs a number from 0 to 1000, not '-.1'" train
run train photos --out run --tune-lr nan
usage_error "--tune-lr needs a number from 0 to 1000, not 'nan'" train
run train photos --out run --tune-lr 0,001
usage_error "--tune-lr needs a number from 0 to 1000, not '0,001'" train
run train photos --model resnet18 --out run --augment lihgt
usage_error "augmentation: no step \"lihgt\", did you mean light" train
run train photos --model resnet18 --out run --augment hflip,crop=0.5:0.2
usage_error "augmentation: crop: largest area is 0.2, below the area of 0.5" train
run train photos --model resnet18 --out run --head-augment rotate=x
usage_error "augmentation: rotate: degrees is \"x\", need a number" train
run train photos --model resnet18 --out run --views 2
usage_error "--views needs --augment" train
run train photos --model resnet18 --out run --views 2 --augment light --cutmix 1
usage_error "--views keeps features, --mixup and --cutmix have none" train
run train photos --model resnet18 --out run --label-smoothing 2
usage_error "--label-smoothing needs a number from 0 to 1, not '2'" train
run train photos --model resnet18 --out run --optimizer lion
usage_error "--optimizer needs sgd, adam, adamw or rmsprop, not 'lion'" train
run train photos --model resnet18 --out run --schedule linear
usage_error "--schedule needs constant, step, multistep, exponential, cosine, onecycle or plateau, not 'linear'" train
run train photos --model resnet18 --out run --optimizer adam --beta2 1
usage_error "--beta2 needs a number from 0 to below 1, not '1'" train
run train photos --model resnet18 --out run --layer-decay 0
usage_error "layer decay is 0, need above 0 to 1" train
run train photos --model resnet18 --out run --clip-norm -1
usage_error "--clip-norm needs a number from 0, not '-1'" train
run train photos --model resnet18 --out run --accumulate 0
usage_error "--accumulate needs a whole number from 1 to 100000, not '0'" train
for list in 3,2 0,1 3, 3,x 3.5; do
    run train photos --model resnet18 --out run --schedule multistep --milestones "$list"
    [ "$list" = 3,2 ] || usage_error "--milestones needs up to 16 epochs such as 30,60,80, not '$list'" train
    [ "$list" != 3,2 ] || usage_error "milestone 2 is 2, need one after 3" train
done
run train photos --out run --bn foo
usage_error "--bn needs auto, batch or frozen, not 'foo'" train
run train photos --out run --quiet=yes
usage_error "--quiet takes no value" train
run predict model image -k
usage_error "--top needs a whole number from 1 to 100000" predict
run predict model image -k0
usage_error "--top needs a whole number from 1 to 100000, not '0'" predict
run eval model data --split tests
usage_error "--split needs auto, train, val, test or all, not 'tests'" eval

# ---- what does not go together ----
run train photos --out run
usage_error "--model is missing, and there is no --weights to name it" train
run train photos --out run --model resnet18 --keep-head
usage_error "--keep-head needs --weights" train
run train photos --out run --model resnet18 --nesterov --momentum 0
usage_error "--nesterov needs a --momentum above 0" train
run train photos --out run --model resnet18 --nesterov --dampening 0.5
usage_error "--nesterov has no --dampening" train
run train photos --out run --model resnet18 --beta1 0.9
usage_error "--beta1 needs --optimizer adam or adamw" train
run train photos --out run --model resnet18 --optimizer adamw --momentum 0.9
usage_error "--momentum needs --optimizer sgd or rmsprop" train
run train photos --out run --model resnet18 --eps 1e-3
usage_error "--eps needs --optimizer adam, adamw or rmsprop" train
run train photos --out run --model resnet18 --ema-warmup
usage_error "--ema-warmup needs --ema-decay" train
run train photos --out run --model resnet18 --gamma 0.5
usage_error "--gamma needs --schedule step, multistep or exponential" train
run train photos --out run --model resnet18 --schedule onecycle --plateau-patience 3
usage_error "--plateau-patience needs --schedule plateau" train
run train photos --out run --model resnet18 --schedule multistep
usage_error "--schedule multistep needs --milestones" train
run train photos --out run --model resnet18 --schedule onecycle --warmup-epochs 1
usage_error "onecycle has a warm-up of its own" train
run train photos --out run --model resnet18 --warmup-epochs 1 --warmup-steps 10
usage_error "warm-up has both epochs and steps" train
run train photos --out run --model resnet18 --tune-epochs 0
usage_error "--head-epochs and --tune-epochs are both 0" train

# ---- spellings that are fine: the arguments pass, then the file is missing ----
for spelling in '--json no-such-file' '-- no-such-file' 'no-such-file --json --json'; do
    # shellcheck disable=SC2086
    run inspect $spelling
    code 1
    says "no-such-file: cannot open: no such file or folder"
done
run inspect -- --json
code 1
says "--json: cannot open: no such file or folder"

gone run
finish
