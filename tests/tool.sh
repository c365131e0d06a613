# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the scripts of tests/cli share: the tool, a small data set, and the questions "how did it end, what did it say".
. tests/report.sh
tool=$PWD/$B/prune
# With a sanitizer, memory that cannot be had is NULL as it is without.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1"
unset NO_COLOR OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ ! -x "$tool" ]; then
  skip "the tool" "$tool was not built"
  exit 0
fi
out=$scratch/out err=$scratch/err

# Runs the tool; its exit code goes to $code, what it says to the files $out and $err.
prune() {
  code=0
  "$tool" "$@" > "$out" 2> "$err" < /dev/null || code=$?
}

# NAME CODE: the last run ended so; a success says nothing on stderr.
ended() {
  if [ "$code" -ne "$2" ]; then
    fail "$1" "exit code $code instead of $2: $(cat "$err")"
  elif [ "$2" -eq 0 ] && [ -s "$err" ]; then
    fail "$1" "said on stderr: $(cat "$err")"
  else
    ok "$1"
  fi
}

# NAME CODE WORD: it failed so, with one sentence on stderr that holds WORD, and nothing on stdout.
refused() {
  if [ "$code" -ne "$2" ]; then
    fail "$1" "exit code $code instead of $2: $(cat "$err")"
  elif [ "$(wc -l < "$err")" -ne 1 ] || ! grep -q '^prune: ' "$err"; then
    fail "$1" "not one sentence: $(cat "$err")"
  elif ! grep -qF -e "$3" "$err"; then
    fail "$1" "no \"$3\" in: $(cat "$err")"
  elif [ -s "$out" ]; then
    fail "$1" "said on stdout: $(cat "$out")"
  else
    ok "$1"
  fi
}

# NAME WORD: stdout holds WORD.
says() {
  if grep -qF -e "$2" "$out"; then ok "$1"; else fail "$1" "no \"$2\" in: $(tail -n 5 "$out")"; fi
}

# NAME WHAT EXPECTED: two texts are equal.
equal() {
  if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "\"$2\" instead of \"$3\""; fi
}

# json FILE KEY...: the text, number or size of what stands there.
make_json() {
  cat > "$scratch/json.c" << 'END'
#include <jansson.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    json_t *j = json_load_file(argv[1], JSON_REJECT_DUPLICATES, NULL);
    for (int i = 2; j && i < argc; i++)
        j = json_is_array(j) ? json_array_get(j, (size_t)atoi(argv[i])) : json_object_get(j, argv[i]);
    if (!j)
        return 1;
    if (json_is_string(j))
        puts(json_string_value(j));
    else if (json_is_integer(j))
        printf("%lld\n", (long long)json_integer_value(j));
    else if (json_is_real(j))
        printf("%.9g\n", json_real_value(j));
    else
        printf("%zu\n", json_is_array(j) ? json_array_size(j) : json_object_size(j));
    return 0;
}
END
  # shellcheck disable=SC2046
  $CC -o "$scratch/json" "$scratch/json.c" $(pkg-config --cflags --libs jansson)
}
json() { "$scratch/json" "$@"; }

# A data set of square images in three classes: an image of class k is bright in every third column from the k-th.
big_endian() { printf '\\000\\000\\%03o\\%03o' $(($1 / 256)) $(($1 % 256)); }
# FOLDER SPLIT COUNT SIDE
write_split() {
  images=$(awk -v count="$3" -v side="$4" 'BEGIN {
    for (i = 0; i < count; i++)
      for (p = 0; p < side * side; p++)
        printf "\\%03o", p % side % 3 == i % 3 ? 160 + (i * 7 + p * 5) % 90 : (i * 13 + p * 11) % 60 }')
  labels=$(awk -v count="$3" 'BEGIN { for (i = 0; i < count; i++) printf "\\%03o", i % 3 }')
  extent=$(big_endian "$4") count=$(big_endian "$3")
  # shellcheck disable=SC2059
  printf "\\000\\000\\010\\003$count$extent$extent$images" > "$1/$2-images-idx3-ubyte"
  # shellcheck disable=SC2059
  printf "\\000\\000\\010\\001$count$labels" > "$1/$2-labels-idx1-ubyte"
}
# FOLDER [SIDE]
make_data() {
  mkdir -p "$1"
  write_split "$1" train 60 "${2:-4}"
  write_split "$1" t10k 30 "${2:-4}"
}

# npy FILE DESCR SHAPE BYTES: an array, its numbers as \ooo.
npy() {
  head="{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
  room=$(((${#head} + 11 + 63) / 64 * 64 - 10))
  # shellcheck disable=SC2059
  printf '\223NUMPY\001\000'"\\$(printf %03o $room)\\000%-$((room - 1))s\\n" "$head" > "$1"
  # shellcheck disable=SC2059
  printf "$4" >> "$1"
}
# Whole numbers 0 to 9 as little-endian float32, and nan.
floats() {
  for number in "$@"; do
    case $number in
      0) printf '\\000\\000\\000\\000' ;;
      1) printf '\\000\\000\\200\\077' ;;
      2) printf '\\000\\000\\000\\100' ;;
      3) printf '\\000\\000\\100\\100' ;;
      4) printf '\\000\\000\\200\\100' ;;
      5) printf '\\000\\000\\240\\100' ;;
      6) printf '\\000\\000\\300\\100' ;;
      7) printf '\\000\\000\\340\\100' ;;
      8) printf '\\000\\000\\000\\101' ;;
      9) printf '\\000\\000\\020\\101' ;;
      nan) printf '\\000\\000\\300\\177' ;;
    esac
  done
}
# The last N bytes of a file, one digit group each.
tail_bytes() { tail -c "$2" "$1" | od -An -v -tu1 | tr -s ' \n' '  ' | sed 's/^ //; s/ $//'; }
