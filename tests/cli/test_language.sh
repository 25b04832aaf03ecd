# SPDX-License-Identifier: Apache-2.0
# Spanish under a Spanish locale, from an installation that was moved; numbers keep their
# points.  Skipped where no such locale can be made or gettext's msgfmt is missing.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

catalogue=$AFN_BUILD_DIR/po/es/LC_MESSAGES/afina.mo
[ -f "$catalogue" ] || { echo "no catalogue: msgfmt is missing"; exit 77; }
mkdir -p moved/bin moved/share/locale/es/LC_MESSAGES locales
cp "$afina" moved/bin/afina
cp "$catalogue" moved/share/locale/es/LC_MESSAGES
afina=$work/moved/bin/afina
if localedef -i es_ES -f UTF-8 locales/es_ES.UTF-8 2>/dev/null; then
    export LOCPATH="$work/locales" LC_ALL=es_ES.UTF-8
else
    export LC_ALL=C.UTF-8 LANGUAGE=es
    "$afina" help | grep -q '^uso:' || { echo "no Spanish locale"; exit 77; }
fi

run help
code 0
has out '^uso: afina ORDEN'
run help train
code 0
has out '^uso: afina train DATOS \[OPCIÓN\]\.\.\.$'
has out '^  -h, --help +muestra este texto$'
has out ' \(por omisión 32\)$'
LC_ALL=C awk '{ gsub(/[\200-\277]/, ""); if (length > 80) bad = 1 } END { exit bad }' .out ||
    fail "a line over 80 columns"

run help bench
has out '^ejemplos:$'

# ---- messages of the command and of the library ----
run trian
code 2
says "orden desconocida 'trian', ¿quisiste decir 'train'? (prueba 'afina help')"
run inspect none.pth
code 1
says "none.pth: no se puede abrir: no existe ese archivo o carpeta"
run bench --model resnet17
code 1
says "resnet17: no existe ese modelo, ¿quisiste decir resnet18?"

# ---- a run; files are the same as in any other language ----
train_tiny tiny
code 0
has out '^datos    fake:size=8,classes=2,height=32,width=32: 6 imágenes para entrenar, 2 para validar$'
[ "$(head -n 1 tiny/metrics.csv | tr -d 'a-z0-9_,\r')" = "" ] ||
    fail "metrics.csv: $(head -n 1 tiny/metrics.csv)"
run eval --threads 1 tiny/model.safetensors fake:size=8,classes=2,height=32,width=32 --json
has out '^\{"images":8,.*"accuracy":[01]\.[0-9]+,'

# ---- the page of a run ----
run report --threads 1 tiny
code 0
for text in '<html lang="es">' '<h2>Resumen</h2>' '<h2>Entrenamiento</h2>' \
    'pérdida de validación' '<h2>Clases</h2>' 'title">Fiabilidad</title>' ' (conservada)' \
    '<h2>Ajustes y entorno</h2>' 'Hecho por afina'; do
    grep -q -- "$text" tiny/report.html || fail "the page lacks $text"
done
cp tiny/report.html es.html

# ---- the same commands in English ----
LC_ALL=C
unset LANGUAGE
run report --threads 1 tiny
code 0
grep -q '<html lang="en">' tiny/report.html || fail "the page is not in English"
for page in es.html tiny/report.html; do # when it was made differs
    sed '/ UTC</d' "$page" | tr -cd '0-9.\n' >"$page.numbers"
done
cmp es.html.numbers tiny/report.html.numbers || fail "the numbers of the pages differ"
run trian
says "unknown command 'trian', did you mean 'train'? (try 'afina help')"
finish
