#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Which room may lean on which: reads the #include lines. lib/README.md draws the same picture.
. tests/report.sh

# ROOM : the rooms it leans on. An arrow includes what that room leans on itself. A room may lean only on rooms above it.
arrows='
base:
tensor: base
kernels: base
linalg: tensor kernels
mask: tensor kernels
granularity: mask
observe: linalg
criterion: observe granularity
select: granularity
regularize: granularity
recover: observe select criterion
quantize: tensor kernels
sparse: mask quantize granularity
kinds.c: criterion select sparse recover regularize
network: base
graph: base
ops: graph
io: graph network
train: ops network
pruning: ops
channels: ops
cost: ops network
search: train channels cost
accel: cost io
report: search io accel
'
# HEADER : the room whose public header it is. What stands in none of libprune's rooms is libprune-model's.
public='version:base status:base context:base kinds:base tensor:tensor mask:mask granularity:granularity check:granularity
observe:observe curvature:observe criterion:criterion select:select order:select recover:recover correct:recover
regularize:regularize sparse:sparse packed:sparse products:sparse convolution:sparse depthwise:sparse advice:sparse'

check_rooms() {
  # shellcheck disable=SC2046 # file names have no spaces
  grep -nH '^[[:space:]]*#[[:space:]]*include' $(files 'lib/*.[ch]' 'lib/*.def') | awk -F: -v arrows="$arrows" -v public="$public" '
    function room_of(path, parts) {
      split(path, parts, "/")
      if (parts[1] == "base") return "base"
      return parts[2]
    }
    BEGIN {
      lines = split(arrows, line, "\n")
      for (i = 1; i <= lines; i++) {
        if (split(line[i], side, ":") < 2) continue
        room = side[1]; known[room] = 1; may[room, room] = 1
        targets = split(side[2], target, " ")
        for (j = 1; j <= targets; j++)
          for (other in known) if (may[target[j], other]) may[room, other] = 1
        model[room] = seen_model = seen_model || room == "network"
      }
      pairs = split(public, pair, /[ \n]+/)
      for (i = 1; i <= pairs; i++) { split(pair[i], side, ":"); home[side[1]] = side[2] }
    }
    {
      from = room_of(substr($1, 5))
      if (!(from in known)) { print $1 ": no room of that name in the table;"; next }
      if (!match($3, /[<"][^>"]*[>"]/)) next
      path = substr($3, RSTART + 1, RLENGTH - 2)
      if (path ~ /^(cblas|lapack|openblas)/) { if (!model[from] && from != "linalg") print $1 ":" $2 ": " path ": only linalg and lib/model know BLAS;"; next }
      if (path ~ /^(jansson|zlib|protobuf-c)/) { if (!model[from]) print $1 ":" $2 ": " path ": libprune needs nothing but libc;"; next }
      if (path ~ /^prune\//) {
        name = substr(path, 7); sub(/\.h$/, "", name)
        if (name == "prune" && model[from]) next
        to = name in home ? home[name] : "model"
        if (to == "model" ? !model[from] : !model[from] && !may[from, to])
          print $1 ":" $2 ": " from " may not include " path ";"
        next
      }
      if (path !~ /\//) next # the standard library, or the same folder
      if (path !~ /^(base|core|model)\//) next
      to = room_of(path)
      if (path ~ /^core\// && model[from]) { print $1 ":" $2 ": lib/model sees libprune through its public headers only;"; next }
      if (to in known && to != "base" && model[from] != (path ~ /^model\//)) { print $1 ":" $2 ": " path " is on the other side;"; next }
      if (!may[from, to]) print $1 ":" $2 ": " from " may not include " path ";"
    }'
}
expect_empty "rooms include only what the table allows" "$(check_rooms)"

# A public header needs nothing but the fixed-width integers and other public headers; libprune's do not know the model's.
expect_empty "public headers include only <stdint.h> and prune/" \
  "$(grep -nH '^#include' include/prune/*.h | grep -v -e '<stdint.h>' -e '"prune/[a-z]*\.h"')"
# shellcheck disable=SC2046,SC2086
expect_empty "libprune's headers do not include libprune-model's" \
  "$(grep -nHE "^#include \"prune/($(echo $model_headers | tr ' ' '|'))\.h\"" $(headers_of core))"

# The tool, the examples and tests/api see what a user sees.
# shellcheck disable=SC2046
outside() { grep -nHE '^#include ["<](base|core|model|lib)/' $(files "$@") /dev/null; }
expect_empty "the tool uses public headers only" "$(outside 'src/*.[ch]')"
expect_empty "examples and tests/api use public headers only" "$(outside 'examples/*.[ch]' 'tests/api/*')"
finish
