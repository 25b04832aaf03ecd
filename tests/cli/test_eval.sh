# SPDX-License-Identifier: Apache-2.0
# Evaluating.  All the photos are the same picture, so a model sees one class in all of
# them and the whole table is known but for which one.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

make_photos photos
run train photos --model squeezenet1_1 --image-size 32 --tune-epochs 1 --batch 4 \
    --threads 1 --quiet --out run
code 0
model=run/model.safetensors

run eval --threads 1 "$model" photos
code 0
err </dev/null
has out '^images    8$'
has out '^accuracy  50\.00 %$'
has out '^loss      0\.[0-9]{4}$'
sed '/^loss/d' .out >.rest && mv .rest .out
if grep -q '^   0 cats *4   100' .out; then
    out <<END
images    8
accuracy  50.00 %

     class   images    recall  precision
   0 cats         4   100.0 %     50.0 %
   1 dogs         4     0.0 %          -

confusion matrix: rows are the true class, columns the predicted one
     0 1
   0 4 0
   1 4 0
END
else
    out <<END
images    8
accuracy  50.00 %

     class   images    recall  precision
   0 cats         4     0.0 %          -
   1 dogs         4   100.0 %     50.0 %

confusion matrix: rows are the true class, columns the predicted one
     0 1
   0 0 4
   1 0 4
END
fi

run eval --threads 1 "$model" photos --json --batch 3
code 0
[ "$(wc -l <.out)" -eq 1 ] || fail "not one line"
has out '^\{"images":8,"accuracy":0\.5,"top5":null,"loss":0\.[0-9]+,"seconds":[0-9.e-]+,'
has out ',"classes":\[\{"name":"cats","images":4,"recall":[01]\.0,"precision":(0\.5|null)\},'
has out '"confusion":\[\[[04],[04]\],\[[04],[04]\]\],"skipped":0\}$'

# ---- which images ----
images() {
    has out "^images    $1\$"
}
run eval --threads 1 "$model" photos --split val
images 2
run eval --threads 1 "$model" photos --split train
images 6
run eval --threads 1 "$model" photos --split val --val 0.5 --seed 3
images 4
run eval --threads 1 "$model" photos --split val --val 0
code 1
says "--split val: no images in it"
mkdir parted
cp -r photos parted/train
cp -r photos parted/val
rm parted/val/*/[34].jpg
run eval --threads 1 "$model" parted
images 4
run eval --threads 1 "$model" parted --split val
images 4
run eval --threads 1 "$model" parted --split train
images 8
run eval --threads 1 "$model" parted --split all
code 0
images 12
has out '^accuracy  50\.00 %$'
has out '^   0 cats +6 '

# ---- classes ----
run eval --threads 1 "$model" fake:size=8,classes=3
code 1
silent
says "class 0 of the data is not one of the model's"
train_tiny seven --quiet
run train fake:size=14,classes=7 --weights seven/model.safetensors --head-epochs 1 \
    --tune-epochs 0 --batch 7 --image-size 32 --threads 1 --out seven --quiet
code 0
run eval --threads 1 seven/model.safetensors fake:size=30,classes=7
code 0
has out '^top-5     [0-9.]+ %$'

# ---- mistakes ----
run eval --threads 1 none.pth photos
code 1
silent
says "none.pth: cannot open: no such file or folder"
run eval --threads 1 "$model" nowhere
code 1
says "nowhere: cannot open: no such file or folder"
finish
