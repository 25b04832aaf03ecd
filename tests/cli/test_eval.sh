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
has out '^accuracy  50\.00 %, 95 % interval 21\.52 to 78\.48 %$'
has out '^balanced  50\.00 %$'
has out '^macro     precision 25\.00 %, recall 50\.00 %, F1 33\.33 %$'
has out '^beyond chance: kappa 0\.0000, MCC 0\.0000$'
has out '^ranking   ROC AUC 0\.5000, average precision 0\.5000$'
has out '^loss      0\.[0-9]{4}, Brier [01]\.[0-9]{4}, calibration error [0-9.]+ %$'
has out '^at temperature [0-9.e+]+: loss 0\.[0-9]{4}, Brier '
has out '^unknown   [08] images below [0-9.]+ %'
has out '^speed     [0-9.]+ images/s$'
sed '1,/^$/d' .out >.rest && mv .rest .out
if grep -q '^   0 cats *4 *100' .out; then
    out <<END
     class   images            recall         precision                F1
   0 cats         4  100.0 % (51-100)    50.0 % (22-78)    66.7 % (35-88)
   1 dogs         4      0.0 % (0-49)                 -      0.0 % (0-66)

confusion matrix: rows are the true class, columns the predicted one
     0 1
   0 4 0
   1 4 0
END
else
    out <<END
     class   images            recall         precision                F1
   0 cats         4      0.0 % (0-49)                 -      0.0 % (0-66)
   1 dogs         4  100.0 % (51-100)    50.0 % (22-78)    66.7 % (35-88)

confusion matrix: rows are the true class, columns the predicted one
     0 1
   0 0 4
   1 0 4
END
fi

run eval --threads 1 "$model" photos --json --batch 3
code 0
[ "$(wc -l <.out)" -eq 1 ] || fail "not one line"
has out '^\{"images":8,"skipped":0,"accuracy":0\.5,"accuracy_interval":\[0\.21521[0-9]*,0\.7847[0-9]*\],"top5":null,'
has out '"loss":0\.[0-9]+,"brier":[0-9.]+,"ece":[0-9.]+,"auc":0\.5,"average_precision":0\.5,"seconds":[0-9.e-]+,'
has out '"calibration":\{"temperature":[0-9.]+,"unknown_below":[0-9.]+,"quantile":0\.05,"images":2,'
has out ',"classes":\[\{"name":"cats","images":4,"predicted":[08],"recall":[01]\.0,"recall_interval":\[0\.'
has out '"confusion":\[\[[04],[04]\],\[[04],[04]\]\]\}$'

# ---- a line for each image ----
run eval --threads 1 "$model" photos --csv images.csv
code 0
has out '^images    8$'
cp images.csv .out
[ "$(wc -l <.out)" -eq 9 ] || fail "not a line for each image"
has out '^file,class,predicted,right,cats,dogs$'
has out '^photos/cats/1\.jpg,cats,(cats|dogs),[01],0\.[0-9]+,0\.[0-9]+$'
run eval --threads 1 "$model" photos --csv -
code 0
out <images.csv
run eval --threads 1 "$model" photos --csv nowhere/images.csv
code 1
says "nowhere/images.csv: cannot write: No such file or directory"
run eval --threads 1 "$model" photos --csv - --json
code 2
cp -r photos 'a, "b"'
run eval --threads 1 "$model" 'a, "b"' --csv -
code 0
has out '^"a, ""b""/cats/1\.jpg",cats,'

# ---- calibration ----
cp "$model" other.safetensors
run eval --threads 1 other.safetensors photos --calibrate --unknown-quantile 0.25
code 0
has out '^at temperature '
run eval --threads 1 other.safetensors photos --json
has out '"quantile":0\.25,"images":8,'
run eval --threads 1 "$model" photos --calibrate --model squeezenet1_1
code 2
has err '^afina: --calibrate changes MODEL'

# ---- pictures that are none ----
cp -r photos spoilt
echo text >spoilt/cats/2.jpg
run eval --threads 1 "$model" spoilt
code 0
has out '^skipped   1 that could not be read$'
has err '^afina: warning: .*spoilt/cats/2.jpg'
run eval --threads 1 "$model" spoilt --strict
code 1
silent
says "spoilt/cats/2.jpg: not a picture"

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
has out '^accuracy  50\.00 %,'
has out '^   0 cats +6 '

# ---- classes ----
run eval --threads 1 "$model" fake:size=8,classes=3
code 1
silent
says "class 0 of the data is not one of the model's: cats, dogs"
train_tiny seven --quiet
run train fake:size=14,classes=7 --weights seven/model.safetensors --head-epochs 1 \
    --tune-epochs 0 --batch 7 --image-size 32 --threads 1 --out seven --quiet --overwrite
code 0
run eval --threads 1 seven/model.safetensors fake:size=30,classes=7
code 0
has out '^top-5     [0-9.]+ %, 95 %'

# ---- mistakes ----
run eval --threads 1 none.pth photos
code 1
silent
says "none.pth: cannot open: no such file or folder"
run eval --threads 1 "$model" nowhere
code 1
says "nowhere: cannot open: no such file or folder"
finish
