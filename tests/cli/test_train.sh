# SPDX-License-Identifier: Apache-2.0
# Whole small runs: train, go on from the result, convert it, look into it, stop early.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# Epoch lines without what depends on the machine.
steady() {
    sed -E 's/loss [0-9.]+/loss L/g; s/acc [0-9.]+ %/acc A/g; s/[0-9.]+ images\/s/R/
            s/  [0-9.]+ s/  S/; s/  best$//; s/^(best .*: )[0-9.]+ %/\1A/
            s/^best     .* epoch [0-9]+/best     E/; s/(^expect .*: about ).*/\1T/' "$work/.out" >.steady
    mv .steady "$work/.out"
}

# ---- from scratch: no head phase unless asked for ----
train_tiny scratch
code 0
err </dev/null
steady
out <<END
data     fake:size=8,classes=2,height=32,width=32: 6 images to train, 2 to validate
classes  2: 0, 1
model    squeezenet1_1, fresh weights
images   resize 37, crop 32
phase    tune: 1 epoch at 0.0001, trains 723,522 parameters (*)
expect   tune: about T
expect   in all: about T
tune 1/1  train loss L acc A  val loss L acc A  R  S
best     E: A of the validation images right
written  scratch/model.safetensors, scratch/model.pth, scratch/last.pth, scratch/metrics.csv, scratch/report.html
END
[ "$(ls scratch | tr '\n' ' ')" = "config.json events.out.tfevents.0.afina last.ckpt last.pth metrics.csv model.pth model.safetensors report.html run.jsonl " ] ||
    fail "files in scratch: $(ls -A scratch)"
[ "$(wc -l <scratch/metrics.csv)" -eq 2 ] || fail "metrics.csv has not one row"
[ "$(head -n 1 scratch/metrics.csv)" = \
    phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,images_per_second,seconds ] ||
    fail "header of metrics.csv"

# ---- fine-tuning: both phases, features of the frozen layers kept, another number of classes, no --model needed ----
run train fake:size=10,classes=3 --weights scratch/model.safetensors --out tuned \
    --head-epochs 2 --tune-epochs 1 --unfreeze 'features.12,classifier' --batch=4 \
    --image-size 40 --resize 48 --val 0 --head-lr 0.01 --nesterov --threads 1
code 0
steady
out <<END
data     fake:size=10,classes=3: 10 images to train
classes  3: 0, 1, 2
model    squeezenet1_1, scratch/model.safetensors
images   resize 48, crop 40
phase    head: 2 epochs at 0.01, trains 1,539 parameters (classifier.1), 722,496 stay frozen
phase    tune: 1 epoch at 0.0001, trains 198,723 parameters (features.12,classifier), 525,312 stay frozen
expect   head: about T
expect   tune: about T
expect   in all: about T
features head: kept before classifier.1, 10 images, 0.1 MB
head 1/2  train loss L acc A  R  S
head 2/2  train loss L acc A  R  S
features tune: kept before features.12.squeeze, 10 images, 0.1 MB
tune 1/1  train loss L acc A  R  S
written  tuned/model.safetensors, tuned/model.pth, tuned/last.pth, tuned/metrics.csv, tuned/report.html
END
has tuned/metrics.csv '^head,2,'
has tuned/metrics.csv '^tune,1,'

# ---- an optimiser, a schedule and an average of one's own ----
run train fake:size=12,classes=3 --weights scratch/model.safetensors --out chosen \
    --head-epochs 4 --tune-epochs 1 --batch 4 --image-size 32 --val 0 --head-lr 0.01 \
    --threads 1 --optimizer adamw --schedule step --step-size 2 --gamma 0.5 \
    --warmup-epochs 1 --warmup-factor 0.1 --accumulate 2 --ema-decay 0.9 --clip-norm 1 \
    --layer-decay 0.8 --no-decay-norm-bias
code 0
has out '^phase    head: 4 epochs at 0.01 of adamw, 2 batches a step, average of weights, step, 1 epoch of warm-up, trains 1,539 parameters \(classifier.1\), 722,496 stay frozen$'
[ "$(cut -d, -f1,2,7 chosen/metrics.csv | tr '\n' ' ')" = \
    "phase,epoch,lr head,1,0.001 head,2,0.01 head,3,0.01 head,4,0.005 tune,1,1e-05 " ] ||
    fail "rates: $(cut -d, -f1,2,7 chosen/metrics.csv | tr '\n' ' ')"

# ---- kept features change nothing, wherever they are ----
frozen="fake:size=30,classes=3,height=96,width=96 --weights scratch/model.safetensors
    --image-size 96 --head-epochs 3 --tune-epochs 0 --batch 8 --threads 1"
for cache in auto off 1k; do
    # shellcheck disable=SC2086
    run train $frozen --feature-cache "$cache" --out "frozen-$cache"
    code 0
    cmp -s frozen-auto/model.safetensors "frozen-$cache/model.safetensors" ||
        fail "--feature-cache $cache gives other weights"
    cut -d, -f1-7 "frozen-$cache/metrics.csv" >"metrics-$cache"
    cmp -s metrics-auto "metrics-$cache" || fail "--feature-cache $cache: metrics"
    [ "$(ls -A "frozen-$cache" | wc -l)" -eq 9 ] || fail "$(ls -A "frozen-$cache")"
    case $cache in
    auto) has out '^features head: kept before classifier.1, 30 images, 1.5 MB$' ;;
    1k) has out '^features .*, 30 images, 1.5 MB, 1.5 MB of it on disk$' ;;
    off) ! grep -q '^features' .out || fail "says features" ;;
    esac
done

# ---- augmented images: views in turn are kept, others not; the same either way ----
augmented="$frozen --augment light,rotate=10:bilinear --label-smoothing 0.1"
for cache in auto off; do
    # shellcheck disable=SC2086
    run train $augmented --views 2 --feature-cache "$cache" --out "views-$cache"
    code 0
    cut -d, -f1-7 "views-$cache/metrics.csv" >"metrics-views-$cache"
done
cmp -s views-auto/model.safetensors views-off/model.safetensors ||
    fail "kept views give other weights"
cmp -s metrics-views-auto metrics-views-off || fail "kept views: metrics"
cmp -s views-auto/model.safetensors frozen-auto/model.safetensors &&
    fail "--augment changes nothing"
# shellcheck disable=SC2086
run train $augmented --views 2 --out views-auto --overwrite
has out '^augment  head: crop=0.5,hflip,rotate=10:bilinear, 2 views in turn, label smoothing 0.1$'
has out '^features head: kept before classifier.1, 30 images, 2 views of those to train, 2.8 MB$'
# shellcheck disable=SC2086
run train $augmented --out anew
code 0
has out '^features head: kept .*, 6 images, 0.3 MB; not of the others: augmented anew in each epoch$'
# shellcheck disable=SC2086
run train $frozen --tune-epochs 1 --mixup 0.2 --cutmix 1 --head-augment hflip --out mixed
code 0
has out '^augment  head: hflip, mixup 0.2, cutmix 1$'
has out '^augment  tune: mixup 0.2, cutmix 1$'
has out '; not of the others: the images of a batch are mixed$'

# No room for the file, but for the model: the run does without.
(
    trap '' XFSZ
    ulimit -f 7000 # blocks of 512 or 1024 bytes
    # shellcheck disable=SC2086
    "$afina" train fake:size=200,classes=3,height=96,width=96 --weights \
        scratch/model.safetensors --image-size 96 --head-epochs 2 --tune-epochs 0 \
        --batch 8 --threads 1 --feature-cache 1k --out full >.out 2>.err
)
got=$?
ran="afina train with little room for files"
code 0
has out '^features head: kept .*, 40 images, .*; not of the others: cannot make a file of [0-9]+ MB: file too large$'
has out '^head 2/2 '
[ "$(ls -A full | wc -l)" -eq 9 ] || fail "files in full: $(ls -A full)"

# ---- bf16: trained, evaluated and used; without it in the processor the same as fp32 ----
train_tiny half --precision bf16 --quiet
code 0
if grep -q avx512_bf16 /proc/cpuinfo; then
    err </dev/null
    cmp -s scratch/model.safetensors half/model.safetensors && fail "bf16 changes nothing"
    train_tiny half2 --precision bf16
    has out '^precision bf16$'
    run eval half/model.safetensors fake:size=8,classes=2,height=32,width=32 \
        --precision bf16
    code 0
    err </dev/null
    run predict half/model.safetensors "$pictures/checks.jpg" --precision bf16
    code 0
    err </dev/null
fi
export ONEDNN_MAX_CPU_ISA=AVX2
train_tiny narrow --quiet
train_tiny narrow2 --precision bf16
unset ONEDNN_MAX_CPU_ISA
code 0
says "warning: this processor has no bf16: computing in fp32"
grep -q '^precision' .out && fail "a precision that was not used is shown"
cmp -s narrow/model.safetensors narrow2/model.safetensors || fail "not as fp32 does"

# ---- the same seed gives the same file, another one another ----
train_tiny again --quiet
code 0
silent
err </dev/null
cmp -s scratch/model.safetensors again/model.safetensors || fail "not the same weights"
train_tiny other --quiet --seed 1
cmp -s scratch/model.safetensors other/model.safetensors && fail "the same weights"

# ---- going on with the head; into a folder that has a run ----
run train fake:size=8,classes=2,height=32,width=32 --weights scratch/model.pth \
    --model squeezenet1_1 --keep-head --image-size 32 --head-epochs 0 --tune-epochs 1 \
    --tune-lr 0 --batch 4 --threads 1 --out scratch --overwrite
code 0
has out '^model    squeezenet1_1, scratch/model.pth, head kept$'
cmp -s scratch/model.safetensors again/model.safetensors ||
    fail "a learning rate of 0 changed the weights"

# ---- how pictures are prepared is recorded, kept by the next run, and used again ----
train_tiny prepared --fit letterbox --no-exif --fast-decode
code 0
has out '^images   letterbox 32, no exif, fast decode$'
run inspect prepared/model.safetensors
has out '"fit":"letterbox","resize":[0-9]+,"crop":32,'
run train fake:size=4,classes=2 --weights prepared/model.safetensors --out kept \
    --keep-head --head-epochs 1 --tune-epochs 0 --val 0 --threads 1
code 0
has out '^images   letterbox 32, no exif, fast decode$'
run predict --threads 1 prepared/model.safetensors "$pictures/checks.jpg" --logits --json
code 0
cp .out letterboxed
run convert prepared/model.safetensors prepared.pth
run predict --threads 1 prepared.pth "$pictures/checks.jpg" --logits --json
out <letterboxed
run train fake: --model resnet18 --out none --fit squash --resize 40
code 2
has err '^afina: --resize is for --fit crop, --image-size sets the side \('

# ---- what the run wrote is what the other commands read ----
run inspect scratch/model.safetensors
code 0
has out '^metadata    afina.arch = squeezenet1_1$'
has out '^parameters  723,522$'
run convert scratch/model.safetensors copy.pth
code 0
out <<END
copy.pth: 52 tensors
END
picture=$pictures/checks.jpg
run predict --threads 1 scratch/model.safetensors "$picture" --logits --json
code 0
cp .out before
run predict --threads 1 copy.pth "$picture" --logits --json
code 0
out <before
run predict --threads 1 scratch/model.pth "$picture" --logits --json
out <before

# ---- a dry run says what would be done, and leaves nothing ----
make_photos photos
dry="train photos --model squeezenet1_1 --image-size 32 --threads 1 --batch 2 --plain-split --dry-run"
# shellcheck disable=SC2086
run $dry --out dry --unfreeze classifier
code 0
err </dev/null
has out '^pictures [0-9]+ x [0-9]+$'
has out '^phase    tune: 5 epochs at 0.0001, trains 1,026 parameters \(classifier\), 722,496 stay frozen$'
has out '^expect   tune: about [0-9]+ s, [0-9.]+ MB of memory$'
has out '^expect   in all: about [0-9]+ s, [0-9.]+ MB of the [0-9.]+ GB that are available$'
grep -q '^tune 1' .out && fail "a dry run trained"
gone dry
# shellcheck disable=SC2086
run $dry --json --unfreeze classifier
code 0
has out '^\{"data":"photos","train_images":[0-9]+,"val_images":[0-9]+,"classes":\["cats","dogs"\],"model":"squeezenet1_1","batch":2,"phases":\[\{"phase":"tune","of":5,"trained_parameters":1026,"frozen_parameters":722496,'
[ "$(wc -l <.out)" -eq 1 ] || fail "more than one line"
run train photos --model squeezenet1_1 --out none --json
usage_error "--json is for --dry-run and --lr-find: --progress json tells the rest" train

# ---- which rate, asked before a run ----
run train photos --model squeezenet1_1 --image-size 32 --batch 4 --threads 1 --plain-split \
    --lr-find --head-epochs 0
code 0
has out '^rates    tune: [0-9]+ steps from 1e-07 to [0-9.]+, loss smoothed$'
has out '^suggest  tune: '
run train photos --model squeezenet1_1 --image-size 32 --batch 4 --threads 1 --plain-split \
    --lr-find --json --head-epochs 0
code 0
has out '"phase":"tune","lr":\[1\.0*1?e-7,'
run train photos --model squeezenet1_1 --lr-find --dry-run
usage_error "--dry-run and --lr-find are two questions: ask one" train

# ---- a batch that does not fit is refused before it is used ----
run train fake:size=5000,classes=2 --model resnet18 --exact --image-size 2048 --batch 4096 \
    --out none --threads 1
code 1
has err '^afina: .*: try a smaller --batch, or --batch auto$'
gone none
train_tiny automatic --batch auto --quiet
code 0
run train fake:size=8,classes=2,height=32,width=32 --model squeezenet1_1 --image-size 32 \
    --tune-epochs 2 --batch auto --threads 1 --out later --time-limit 0.000001s --quiet
run train --resume later --quiet
code 0

# ---- one that fits in parts is made of them, and stays so when the run goes on ----
in_600_mb() ( # COMMAND...; the address sanitizer cannot start there
    ulimit -v 600000 # kB
    "$@"
)
if in_600_mb "$afina" --version >/dev/null 2>&1; then
    in_600_mb "$afina" train fake:size=16,classes=2,height=64,width=64 --model resnet18 \
        --tune-epochs 2 --batch auto --threads 1 --exact --cache-images off --out parts \
        --time-limit 0.000001s --quiet >"$work/.out" 2>"$work/.err"
    got=$?
    ran="afina train --batch auto in 600 MB"
    code 0
    has err '^afina: warning: a batch of 32 does not fit into memory: taking (16|8|4|2), of which (2|4|8|16) make a step$'
    grep -Eq '"accumulate": *(2|4|8|16)\b' parts/config.json || fail "config.json has no parts"
    run train --resume parts --quiet
    code 0
    err </dev/null
fi

# ---- the page is written at the end, and again from what the run was told ----
run train photos --model squeezenet1_1 --image-size 32 --tune-epochs 1 --batch 2 --val 0.5 \
    --threads 1 --plain-split --out paged --quiet
code 0
has paged/report.html '<svg'
grep -c '<img' paged/report.html >.pictures
rm paged/report.html
(mkdir -p below && cd below && "$afina" report ../paged --threads 1 >../.out 2>../.err)
got=$?
ran="afina report ../paged"
code 0
err </dev/null
has out '^written  ../paged/report.html$'
grep -c '<img' paged/report.html | cmp -s - .pictures || fail "another page"
run report paged --no-data
grep -q '<img' paged/report.html && fail "pictures without data"
mv photos gone
run report paged
code 1
has err '^afina: photos: '
run report paged --data gone --val 0.5 --plain-split --threads 1
code 0
grep -c '<img' paged/report.html | cmp -s - .pictures || fail "another page"
run train gone --model squeezenet1_1 --image-size 32 --tune-epochs 1 --batch 2 \
    --threads 1 --plain-split --out bare --no-report
gone bare/report.html
has out 'bare/metrics.csv$'

# ---- a signal stops after the step; finished epochs stay ----
endless="train fake:size=8,classes=2,height=32,width=32 --model squeezenet1_1
    --image-size 32 --tune-epochs 100000 --batch 4 --threads 1 --out"
for signal in INT:130 TERM:143; do
    ran="afina train, then SIG${signal%:*}"
    # shellcheck disable=SC2086
    timeout --preserve-status -s "${signal%:*}" 3 "$afina" $endless "$signal" \
        >.out 2>.err </dev/null
    got=$?
    code "${signal#*:}"
    has err "^afina: stopped in tune [0-9]+/100000, go on with: afina train --resume $signal\$"
    run predict --threads 1 "$signal/model.safetensors" "$picture"
    code 0
    [ "$(ls "$signal" | wc -l)" -eq 8 ] || fail "files: $(ls -A "$signal")"
done
finish
