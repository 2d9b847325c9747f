#!/usr/bin/env bash
# Tests libchroma as its users meet it: from C, by its header alone.
#
#   run.sh FOLDER    the folder that holds libchroma.so, such as .build/release
set -euo pipefail

libraries=$(realpath "${1:?usage: run.sh FOLDER_OF_LIBCHROMA}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$libraries/libchroma.so" "$work/libchroma.so.1"
library=$work/libchroma.so.1

warnings=(-Wall -Wextra -Wpedantic -Werror)
for compiler in gcc clang; do
  command -v "$compiler" > "$work/which" || { echo "skipped: no $compiler here"; continue; }
  "$compiler" -std=c99 "${warnings[@]}" -fsyntax-only -x c "$root/include/chroma.h"
done
g++ -std=c++11 "${warnings[@]}" -I"$root/include" "$here/header_test.cpp" -o "$work/header_test"
"$work/header_test"
echo "header: C99 and C++11 accept it"

# What the header declares is what the library exports, no more and no less.
grep -oE '^CHROMA_API [^(]*\(' "$root/include/chroma.h" | grep -oE 'chroma_[a-z_]+\(' | tr -d '(' \
  | sort -u > "$work/declared"
nm -D --defined-only "$library" | awk '$2 ~ /[A-Z]/ && $2 != "A" {print $3}' | sed 's/@.*//' | sort -u \
  > "$work/exported"
diff "$work/declared" "$work/exported"
echo "exports: $(wc -l < "$work/exported") functions, as declared"

# Into a file: who stops reading a pipe early ends the writer with an error.
objdump -p "$library" > "$work/headers"
grep -q 'SONAME *libchroma.so.1' "$work/headers"
needed=$(awk '$1 == "NEEDED" {print $2}' "$work/headers" | sort | tr '\n' ' ')
for name in $needed; do
  case $name in
    libc.so.6 | libm.so.6 | ld-linux-*.so.* | libstdc++.so.6) ;;
    *) echo "libchroma needs $name, which no machine without Swift has" && exit 1 ;;
  esac
done
echo "needs: $needed"

gcc -std=c99 "${warnings[@]}" "$here/load_test.c" -ldl -o "$work/load_test"
env -i "$work/load_test" "$library"
echo "load: without Swift in the environment"

# Built as a user builds: against an installed library, with the flags of pkg-config.
"$root/scripts/install-libchroma" "$libraries" "$work/usr" "$work/usr"
flags=$(PKG_CONFIG_PATH=$work/usr/lib/pkgconfig pkg-config --cflags --libs chroma)
# shellcheck disable=SC2086  # A list of words.
gcc -std=gnu99 "${warnings[@]}" "$here/abi_test.c" "$here/maintenance_test.c" "$here/index_test.c" \
  "$here/order_test.c" "$here/insertion_test.c" $flags -lpthread -lm -Wl,-rpath,"$work/usr/lib" -o "$work/abi_test"
"$work/abi_test" "$work/database"
