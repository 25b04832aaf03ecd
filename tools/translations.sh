#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Texts for translators: collects them from the sources and from the command's tables.
#   tools/translations.sh BUILD [check]
# Without `check` po/afina.pot is written and po/*.po get new texts, untranslated.  With
# it nothing is written: exit code 1 where a text is missing in po/afina.pot, and 77
# without the tools of gettext.
set -eu
build=$1
mode=${2:-update}
cd "$(dirname "$0")/.."
command -v xgettext >/dev/null || { echo "xgettext is missing: package gettext"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Places of texts would change with every edit, and change the file each time.
LC_ALL=C "$build/afina" help --texts >"$work/tables.c"
LC_ALL=C find src cli -name '*.c' | LC_ALL=C sort >"$work/files"
xgettext --language=C --from-code=UTF-8 --no-location --no-wrap --sort-output \
    --package-name=afina --copyright-holder='the authors of afina' \
    --keyword --keyword=afn_fail:2 --keyword=AFN_REQUIRE:3 --keyword=afn_context:2 \
    --keyword=afn_fail_errno:2 --keyword=afn_log:2 --keyword=afn_graph_fail:3 \
    --keyword=afn_translated:1 --keyword=afn_html_say:2 --keyword=cli_error:1 --keyword=cli_usage:2 \
    --keyword=cli_say:1 --keyword=cli_text:1 --keyword=table_text:1 --keyword=cli_plural:2,3 \
    --flag=afn_fail:2:c-format --flag=AFN_REQUIRE:3:c-format \
    --flag=afn_context:2:c-format --flag=afn_fail_errno:2:c-format \
    --flag=afn_log:2:c-format --flag=afn_graph_fail:3:c-format \
    --flag=afn_html_say:2:c-format --flag=cli_error:1:c-format --flag=cli_usage:2:c-format --flag=cli_say:1:c-format \
    --flag=table_text:1:no-c-format \
    --output="$work/all.pot" --files-from="$work/files" "$work/tables.c"
# Formats without a word in them are the same in every language.
python3 tools/po_words.py "$work/all.pot" >"$work/afina.pot"

if [ "$mode" = check ]; then
    python3 tools/po_words.py --missing po/afina.pot "$work/afina.pot"
    exit
fi
cp "$work/afina.pot" po/afina.pot
for po in po/*.po; do
    msgmerge --quiet --update --backup=none --no-fuzzy-matching --no-location --no-wrap \
        --sort-output "$po" po/afina.pot
    msgattrib --no-obsolete --no-location --no-wrap --sort-output -o "$po" "$po"
    echo "$po: $(msgfmt --statistics -o /dev/null "$po" 2>&1)"
done
