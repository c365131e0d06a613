#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# speeds_to_def.sh SPEEDS > lib/core/sparse/speeds.def: a table of `prune bench --calibrate` as the one that is built in.
# Forms go by their identifiers in forms.def.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
sed '/\*\//q' "$root/lib/core/sparse/speeds.def"
awk '
  FNR == NR { if (match($0, /^PR_FORM\(.*\)/)) { gsub(/PR_FORM\(|\)|"|,/, " "); form[$2] = $1 } next }
  $1 == "speed" && $3 in form {
    group = 0
    format = $2
    if (split($2, part, "/") == 2) { format = part[1]; group = part[2] }
    for (i = 6; i <= 9; i++) if ($i !~ /[.e]/) $i = $i ".0"
    printf "PR_SPEED(%s, %d, %s, %s, %s, %s, %s, %s, %s)\n", toupper(format), group, form[$3], toupper($4),
           toupper($5), $6, $7, $8, $9
  }' "$root/lib/core/sparse/forms.def" "$1"
