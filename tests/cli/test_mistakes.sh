# SPDX-License-Identifier: Apache-2.0
# The likeliest mistakes with files and models: the message, exit code 1, and nothing
# left in the run folder.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

train_tiny base --quiet
code 0
weights=base/model.safetensors
make_photos photos
small="--image-size 32 --head-epochs 1 --tune-epochs 1 --batch 4 --threads 1"

# mistake TEXT: what a run that could not begin looks like
mistake() {
    code 1
    silent
    says "$1"
    gone run
}

# ---- weights ----
run train photos --model resnet18 --weights none.pth --out run
mistake "none.pth: cannot open: no such file or folder"
run train photos --model resnet17 --out run
mistake "resnet17: no such model, did you mean resnet18?"
: >empty.pth
run train photos --model resnet18 --weights empty.pth --out run
mistake "empty.pth: is empty"
head -c 100000 "$weights" >cut.safetensors
run train photos --weights cut.safetensors --out run
code 1
has err '^afina: cut.safetensors: features.*: ends at byte [0-9]+, the file has 100000$'
head -c 100000 base/model.pth >cut.pth
run train photos --weights cut.pth --out run
mistake "cut.pth: zip archive cut off: no directory at its end (100000 bytes)"
echo "not weights" >text.pth
run train photos --model resnet18 --weights text.pth --out run
mistake "text.pth: neither a PyTorch nor a safetensors file (12 bytes)"
cp "$pictures/stripes.png" picture.pth
run train photos --model resnet18 --weights picture.pth --out run
mistake "picture.pth: a picture, not weights"
run train photos --model resnet18 --weights "$weights" --out run
mistake "$weights: is a squeezenet1_1, not a resnet18"
# Somebody else's file: the header's length (64-bit, little-endian), header, values.
header='{"conv1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
header=$header'"head.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
# shellcheck disable=SC2059
printf "\\$(printf '%03o' ${#header})\\0\\0\\0\\0\\0\\0\\0%s\\0\\0\\0\\0\\0\\0\\0\\0" "$header" \
    >foreign.safetensors
run train photos --weights foreign.safetensors --out run
mistake "foreign.safetensors: does not name its architecture"
run train photos --model squeezenet1_1 --weights foreign.safetensors --out run
code 1
has err '^afina: foreign.safetensors: .*52 missing \(features.0.weight, .*2 unexpected \(conv1.weight, head.weight\)'
gone run
run train photos --weights "$weights" --keep-head --out run
mistake "--keep-head: class 0 is '0' in the model, 'cats' in photos"
run train fake:size=9,classes=3 --weights "$weights" --keep-head --out run
mistake "--keep-head: the model has 2 classes, fake:size=9,classes=3 has 3"
run train photos --weights "$weights" --unfreeze layer4 --out run
mistake "no parameter matches 'layer4': there are features, classifier"
run train photos --weights "$weights" --image-size 8 --out run
mistake "crop of 8, squeezenet1_1 needs at least 17"

# ---- data ----
run train nowhere --weights "$weights" --out run
mistake "nowhere: cannot open: no such file or folder"
run train photos/cats/1.jpg --weights "$weights" --out run
mistake "photos/cats/1.jpg: is a file, need a folder with one folder of images per class, or a list (.csv, .jsonl)"
mkdir bare
run train bare --weights "$weights" --out run
mistake "bare: no class folders, need one folder per class"
cp -r photos gap
mkdir gap/birds
run train gap --weights "$weights" --out run
code 1
silent
has err '^afina: gap: class birds has no images'
gone run
run train fake:sise=9 --weights "$weights" --out run
mistake "fake: unknown key sise, did you mean size"

# ---- a picture that is none: strictly found before training, nothing is saved ----
cp -r photos spoilt
echo "no picture" >spoilt/cats/3.jpg
# shellcheck disable=SC2086
run train spoilt --weights "$weights" $small --strict --out run
code 1
has err '^afina: spoilt/cats/3.jpg: not a picture'
[ -z "$(ls -A run 2>/dev/null)" ] || fail "left in run: $(ls -A run)"
rm -rf run
for i in 1 2 3 4; do
    echo "no picture" >spoilt/cats/$i.jpg
    echo "no picture" >spoilt/dogs/$i.jpg
done
run eval "$weights" spoilt
code 1
silent
has err '^afina: class cats of the data is not one'
# shellcheck disable=SC2086
run train spoilt --weights "$weights" $small --out run
code 1
has err '^afina: spoilt: none of its 8 images can be read$'
rm -rf run

# ---- the run folder: found before anything slow, here before missing weights ----
: >file
run train photos --model resnet18 --weights none.pth --out file
mistake "--out file: is a file, not a folder"
run train photos --model resnet18 --weights none.pth --out file/run
mistake "--out file/run: cannot be written: Not a directory"
if [ -d /proc/self ]; then
    run train photos --model resnet18 --weights none.pth --out /proc/afina
    mistake "--out /proc/afina: cannot be written: No such file or directory"
fi
run train photos --model resnet18 --weights none.pth --out run/a/b
mistake "none.pth: cannot open: no such file or folder"
mkdir there
run train photos --model resnet18 --weights none.pth --out there
mistake "none.pth: cannot open: no such file or folder"
[ -d there ] || fail "took away a folder that it had not made"
[ -z "$(ls -A there)" ] || fail "left in there: $(ls -A there)"

# ---- a failed run leaves an earlier one as it was ----
cp -r base kept
# shellcheck disable=SC2086
run train spoilt --weights "$weights" $small --out kept --overwrite
code 1
cmp -s base/model.safetensors kept/model.safetensors || fail "model.safetensors changed"
cmp -s base/model.pth kept/model.pth || fail "model.pth changed"
finish
