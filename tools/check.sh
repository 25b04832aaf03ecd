#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run the tests of a build folder and close with their count.
#   tools/check.sh BUILD [meson test arguments...]
set -eu
build=$1
shift
status=0
meson test -C "$build" --print-errorlogs "$@" || status=$?

# The last line, for people and for machines.
python3 - "$build/meson-logs/testlog.json" <<'EOF'
import json, sys
count = {'OK': 0, 'FAIL': 0, 'SKIP': 0}
for line in open(sys.argv[1]):
    result = json.loads(line)['result']
    count[{'OK': 'OK', 'EXPECTEDFAIL': 'OK', 'SKIP': 'SKIP'}.get(result, 'FAIL')] += 1
print(f"{count['OK']} passed, {count['FAIL']} failed, {count['SKIP']} skipped")
EOF
exit $status
