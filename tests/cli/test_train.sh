# SPDX-License-Identifier: Apache-2.0
# Whole small runs: train, go on from the result, convert it, look into it, stop early.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# Epoch lines without what depends on the machine.
steady() {
    sed -E 's/loss [0-9.]+/loss L/g; s/acc [0-9.]+ %/acc A/g; s/[0-9.]+ images\/s/R/
            s/  [0-9.]+ s/  S/; s/  best$//; s/^(best .*: )[0-9.]+ %/\1A/
            s/^best     .* epoch [0-9]+/best     E/' "$work/.out" >.steady
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
tune 1/1  train loss L acc A  val loss L acc A  R  S
best     E: A of the validation images right
written  scratch/model.safetensors, scratch/model.pth, scratch/last.pth, scratch/metrics.csv
END
[ "$(ls scratch | tr '\n' ' ')" = "last.pth metrics.csv model.pth model.safetensors " ] ||
    fail "files in scratch: $(ls -A scratch)"
[ "$(wc -l <scratch/metrics.csv)" -eq 2 ] || fail "metrics.csv has not one row"
[ "$(head -n 1 scratch/metrics.csv)" = \
    phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,images_per_second,seconds ] ||
    fail "header of metrics.csv"

# ---- fine-tuning: both phases, another number of classes, no --model needed ----
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
phase    head: 2 epochs at 0.01, trains 1,539 parameters (classifier.1)
phase    tune: 1 epoch at 0.0001, trains 198,723 parameters (features.12,classifier)
head 1/2  train loss L acc A  R  S
head 2/2  train loss L acc A  R  S
tune 1/1  train loss L acc A  R  S
written  tuned/model.safetensors, tuned/model.pth, tuned/last.pth, tuned/metrics.csv
END
has tuned/metrics.csv '^head,2,'
has tuned/metrics.csv '^tune,1,'

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
    --tune-lr 0 --batch 4 --threads 1 --out scratch
code 0
has out '^model    squeezenet1_1, scratch/model.pth, head kept$'
cmp -s scratch/model.safetensors again/model.safetensors ||
    fail "a learning rate of 0 changed the weights"

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
    has err "^afina: stopped, the [0-9]+ finished epochs? (is|are) in $signal\$"
    run predict --threads 1 "$signal/model.safetensors" "$picture"
    code 0
    [ "$(ls "$signal" | wc -l)" -eq 4 ] || fail "files: $(ls -A "$signal")"
done
finish
