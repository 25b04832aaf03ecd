# SPDX-License-Identifier: Apache-2.0
# Measuring: the names of the figures, one line of JSON, refused options.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

quick="--model squeezenet1_1 --image-size 32 --batch 2 --steps 1 --threads 1 --classes 3"

# bench ARG...: a quick measurement
bench() {
    # shellcheck disable=SC2086
    run bench $quick "$@"
}

for mode in tune head infer; do
    bench --mode $mode
    code 0
    err </dev/null
    has out "^squeezenet1_1, batch 2, crop 32, $mode, fp32, 1 thread\$"
    has out '^afina 0\.1\.0, oneDNN [0-9.]+, .'
    has out '^images_per_second    [0-9]+\.[0-9]{2}$'
    has out '^peak_rss_mb          [0-9]+$'
    has out '^first_step_seconds   [0-9]+\.[0-9]{2}$'
    has out '^gflops               [0-9]+\.[0-9]$'
    has out '^ *[0-9.]+ % +[0-9.]+ +26 +[0-9.]+  conv2d forward$'
    has out '^ *-?[0-9.]+ % +-?[0-9.]+ +- +-  other$'
    grep -q 'features\.3' .out && fail "steps are shown without --profile"
    backward=$(grep -c 'conv2d backward$' .out)
    [ "$backward" -eq "$([ $mode = infer ]; echo $?)" ] || fail "$backward backward rows"
done

# ---- every step, the longest first ----
bench --profile
code 0
has out '^  share    seconds  calls   gflops  kind +step$'
has out ' conv2d backward +features\.3\.squeeze$'
has out ' optimizer update +features\.3\.squeeze$'
grep -q 'optimizer update .*max_pool' .out && fail "an update of nothing is shown"
sed -n '/kind  *step$/,/ other$/p' .out | sed '1d;$d' | awk '{ print $3 }' >seconds
[ "$(wc -l <seconds)" -gt 60 ] || fail "few steps: $(wc -l <seconds)"
sort -rnc seconds || fail "not sorted by time"

# ---- JSON ----
bench --json
code 0
err </dev/null
[ "$(wc -l <.out)" -eq 1 ] || fail "not one line"
has out '^\{"model":"squeezenet1_1","batch":2,"mode":"tune","precision":"fp32","threads":1,"images_per_second":[0-9.e+]+,"peak_rss_mb":[0-9.]+,"first_step_seconds":[0-9.e-]+,"gflops":[0-9.e-]+,"share":\{'
has out '"share":\{[^}]*"conv2d backward":0\.[0-9]+,[^}]*"other":[0-9.e-]+\}'
has out ',"versions":\{"afina":"0\.1\.0","oneDNN":"[0-9.]+","cpu":"[^"]+"\}\}$'
bench --json --profile --mode infer
code 0
has out '"profile":\[\{"name":"input","kind":"input","pass":"forward","seconds":[0-9.e-]+,"calls":1,"flops":0\.0\},'

# ---- the convolutions alone ----
bench --convolutions --mode infer
code 0
has out '^arithmetic_use       [0-9.]+ % of the [0-9.]+ images/s of its convolutions alone$'
bench --convolutions --mode infer --json
code 0
has out ',"convolutions_images_per_second":[0-9.e+]+,"arithmetic_use":[0-9.e-]+\}$'
bench --convolutions --backend ref
code 1
silent
says "backend ref has no convolutions of a library to time"

# ---- bf16, and what becomes of it where the processor has none ----
if grep -q avx512_bf16 /proc/cpuinfo; then
    for mode in tune head infer; do
        bench --precision bf16 --mode $mode --json
        code 0
        err </dev/null
        has out ',"precision":"bf16",'
    done
fi
for isa in AVX2 AVX512_CORE; do
    export ONEDNN_MAX_CPU_ISA=$isa
    bench --precision bf16
    unset ONEDNN_MAX_CPU_ISA
    code 0
    says "warning: this processor has no bf16: computing in fp32"
    has out ', tune, fp32, 1 thread$'
done

# ---- weights ----
train_tiny base --quiet
code 0
run bench --weights base/model.safetensors --batch 2 --steps 1 --threads 1 --mode infer
code 0
has out '^squeezenet1_1, batch 2, crop 32, infer, fp32, 1 thread$'
run bench --weights base/model.safetensors --classes 7 --batch 2 --steps 1 --threads 1
code 0

# ---- a training run says where its time went ----
train_tiny profiled --profile
code 0
has out '^profile  tune: time in the network$'
has out ' conv2d backward +features\.3\.squeeze$'
train_tiny profiled-1 --head-epochs 1 --profile
code 0
has out '^profile  head: time in the network$'
train_tiny profiled-quiet --quiet --profile
code 0
silent

# ---- mistakes ----
run bench
usage_error "--model is missing, and there is no --weights to name it" bench
run bench resnet18
usage_error "unexpected argument 'resnet18'" bench
run bench --model resnet17
code 1
silent
says "resnet17: no such model, did you mean resnet18?"
run bench --model resnet18 --weights none.pth
code 1
says "none.pth: cannot open: no such file or folder"
run bench --model resnet18 --mode tain
usage_error "--mode needs tune, head or infer, not 'tain'" bench
run bench --model resnet18 --precision fp16
usage_error "--precision needs fp32 or bf16, not 'fp16'" bench
bench --precision bf16 --backend ref
if grep -q avx512_bf16 /proc/cpuinfo; then
    code 1
    silent
    says "backend ref computes in fp32 only"
fi
run bench --model resnet18 --batch 0
usage_error "--batch needs a whole number from 1 to 4096, not '0'" bench
run bench --model resnet18 --batch=-3
usage_error "--batch needs a whole number from 1 to 4096, not '-3'" bench
run bench --model resnet18 --steps 0
usage_error "--steps needs a whole number from 1 to 1000000, not '0'" bench
run bench --model resnet18 --steps 2.5
usage_error "--steps needs a whole number from 1 to 1000000, not '2.5'" bench
run bench --model resnet18 --threads 5000
usage_error "--threads needs a whole number from 0 to 1024, not '5000'" bench
run bench --model resnet18 --classes 0
usage_error "--classes needs a whole number from 1 to 1000000, not '0'" bench
run bench --model squeezenet1_1 --image-size 8
code 1
silent
says "crop of 8, squeezenet1_1 needs at least 17"
run bench --model resnet18 --json=yes
usage_error "--json takes no value" bench
finish
