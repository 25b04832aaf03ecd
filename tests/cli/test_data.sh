# SPDX-License-Identifier: Apache-2.0
# The report on a data set: exact text, JSON, exit codes; and what train and eval do with
# parts, bad pictures, weights and manifests.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

small="--image-size 32 --head-epochs 1 --tune-epochs 1 --batch 4 --threads 1"

# ---- clean ----
mkdir -p clean/checks clean/stripes
cp "$pictures/checks.jpg" clean/checks/1.jpg
cp "$pictures/stripes.png" clean/stripes/1.png
run data clean
code 0
err </dev/null
has out '^data     clean: 2 images, 2 classes$'
has out '^checks +1$'
has out '^problems none$'

# ---- copies across parts and labels, bad and tiny ----
mkdir -p odd/train/a odd/train/b odd/val/a odd/val/b
cp "$pictures/checks.jpg" odd/train/a/1.jpg
cp "$pictures/stripes.png" odd/train/b/1.png
cp "$pictures/checks.jpg" odd/val/b/2.jpg
echo "no picture" >odd/train/b/2.png
cp "$pictures/stripes.png" odd/val/a/1.png
run data odd --threads 1
code 1
err </dev/null
has out '^data     odd: 5 images, 2 classes$'
has out '^a +1 +1$'
has out '^bad      1 image cannot be read$'
has out '^           odd/train/b/2.png \(train\): not a picture'
has out '^same     4 images with the same bytes$'
has out '^           odd/train/a/1.jpg \(train\) \[a\] = odd/val/b/2.jpg \(val\) \[b\]$'
has out '^across   4 images have a copy in another part$'
has out '^labels   4 images have a copy with another label$'
has out '^problems 5 images$'
cp .out two
run data odd --threads 2
diff .out two >.diff || fail "another number of threads finds something else"
run data odd --list 1
has out '^           \.\.\. and 1 more, see --list$'
run data odd --tiny 4096
has out '^tiny     4 images with a short side$'

run data odd --json
code 1
[ "$(wc -l <.out)" -eq 1 ] || fail "not one line"
has out '^\{"images": ?5, ?"problems": ?5,'
has out '"found": ?\{"bad": ?1, ?"tiny": ?0, ?"same": ?4, ?"alike": ?0, ?"across": ?4, ?"labels": ?4, ?"rotated"'
has out '\{"file": ?"odd/train/b/2.png", ?"part": ?"train", ?"class": ?"b", ?"width": ?0, ?"height": ?0, ?"found": ?\["bad"\], ?"why": ?"not a picture'
has out '"copy_of": ?"odd/train/a/1.jpg"'

# ---- labels, with weights ----
train_tiny base --quiet
code 0
run data odd --weights base/model.safetensors --json
code 1
has out '"labels": ?4, ?"suspect": ?0'
run data odd --model resnet18
usage_error "--model needs --weights" data
run data odd --weights none.safetensors
code 1
silent
says "none.safetensors: cannot open: no such file or folder"
run data nowhere
code 1
silent
says "nowhere: cannot open: no such file or folder"
run data
usage_error "DATA is missing" data

# ---- bad pictures while training: skipped with a warning, or strictly an error ----
make_photos photos
echo "no picture" >photos/cats/3.jpg
# shellcheck disable=SC2086
run train photos --weights base/model.safetensors $small --out run
code 0
has err '^afina: warning: photos/cats/3.jpg: not a picture.*, left out$'
has out '^data     photos: 5 images to train, 2 to validate, 1 left out that cannot be read$'
# shellcheck disable=SC2086
run train photos --weights base/model.safetensors $small --out run2 --plain-split --val 0
code 0
has err '^afina: warning: photos/cats/3.jpg: not a picture.*, skipped$'
[ "$(wc -l <.err)" -eq 1 ] || fail "named more than once"
has out '^skipped  1 image that could not be read$'
# shellcheck disable=SC2086
run train photos --weights base/model.safetensors $small --out run3 --strict
code 1
has err '^afina: photos/cats/3.jpg: not a picture'
[ -z "$(ls -A run3 2>/dev/null)" ] || fail "left in run3: $(ls -A run3)"
run eval run/model.safetensors photos --threads 1
code 0
has out '^images    7$'
has out '^skipped   1 that could not be read$'

# ---- manifests, weights, sampling ----
cat >list.csv <<END
path,label,split
photos/cats/1.jpg,cat,train
photos/cats/2.jpg,cat,train
photos/cats/4.jpg,cat,train
photos/dogs/1.jpg,dog10,train
photos/dogs/2.jpg,dog9,train
photos/dogs/3.jpg,cat,val
photos/dogs/4.jpg,dog9,test
END
# shellcheck disable=SC2086
run train list.csv --weights base/model.safetensors $small --out run4 \
    --class-order natural --class-weights balanced --sampler balanced --cache-images 1M
code 0
err </dev/null
has out '^data     list.csv: 5 images to train, 1 to validate, 1 to test$'
has out '^classes  3: cat, dog9, dog10$'
run eval run4/model.safetensors list.csv --split test --threads 1
code 0
has out '^images    1$'
printf 'cat,1\ndog9,2\n' >weights.csv
# shellcheck disable=SC2086
run train list.csv --weights base/model.safetensors $small --out run5 \
    --class-weights weights.csv
code 1
silent
says "weights.csv: has no weight for class 'dog10'"
run train list.csv --weights base/model.safetensors --out run5 --class-weights none.csv
code 1
says "none.csv: cannot open: no such file or folder"
run train list.csv --weights base/model.safetensors --out run5 --cache-images lots
code 2
run train list.csv --weights base/model.safetensors --out run5 --sampler balanced \
    --no-shuffle
code 2
gone run5
finish
