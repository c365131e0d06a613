#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# speeds_to_def.sh SPEEDS > lib/core/sparse/choice/speeds.def: a table of `prune bench --calibrate` as the one that is built in.
# Forms go by their identifiers in forms.def; those that are nowhere the fastest of their format are left out.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
sed '/\*\//q' "$root/lib/core/sparse/choice/speeds.def"
awk '
  FNR == 1 { file++ }
  file == 1 { if (match($0, /^PR_FORM\(.*\)/)) { gsub(/PR_FORM\(|\)|"|,/, " "); form[$2] = $1 } next }
  $1 != "speed" || !($3 in form) { next }
  { cell = $2 " " $4 " " $5 " " $6 " " $7 }
  file == 2 { if (!(cell in best) || $8 + 0 < best[cell]) { best[cell] = $8 + 0; first[cell] = $2 " " $3 } next }
  !ready { for (c in first) fastest[first[c]] = 1; ready = 1 }
  ($2 " " $3) in fastest {
    group = 0
    format = $2
    if (split($2, part, "/") == 2) { format = part[1]; group = part[2] }
    for (i = 6; i <= 9; i++) if ($i !~ /[.e]/) $i = $i ".0"
    printf "PR_SPEED(%s, %d, %s, %s, %s, %s, %s, %s, %s)\n", toupper(format), group, form[$3], toupper($4),
           toupper($5), $6, $7, $8, $9
  }' "$root/lib/core/sparse/forms/forms.def" "$1" "$1"
