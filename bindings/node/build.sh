#!/usr/bin/env bash
# Builds the addon: build/chroma.node, and libchroma beside it. Downloads nothing.
#
#   build.sh FOLDER    the folder that holds libchroma.so, such as .build/release
#
# CC, CFLAGS and NODE_INCLUDE (the folder of node_api.h) are taken from the environment.
set -euo pipefail

libraries=$(realpath "${1:?usage: build.sh FOLDER_OF_LIBCHROMA}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
headers=${NODE_INCLUDE:-/usr/include/node}
[ -f "$headers/node_api.h" ] || {
  echo "There is no node_api.h in $headers: install libnode-dev, or set NODE_INCLUDE." >&2
  exit 1
}

mkdir -p "$here/build"
cd "$here/build"
# Replaced, not overwritten: a running process may have the old ones mapped.
install -m 755 "$libraries/libchroma.so" libchroma.so.1
rm -f chroma.node
# shellcheck disable=SC2086  # A list of words.
"${CC:-cc}" -std=c11 -O2 -g1 -Wall -Wextra -Werror -fPIC -fvisibility=hidden ${CFLAGS:-} \
  -DNAPI_VERSION=8 -isystem "$headers" -I"$root/include" "$here"/src/*.c \
  -shared -L. -l:libchroma.so.1 -lpthread -Wl,-rpath,'$ORIGIN' -o chroma.node
