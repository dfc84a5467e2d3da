#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs a build into a folder and builds a consumer against it by pkg-config alone: shared, static,
# C++17, and as a meson subproject. Usage: install.sh SOURCE_DIR BUILD_DIR
set -eu
src=$1
build=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
prefix=$(meson introspect "$build" --buildoptions |
    python3 -c 'import json,sys; print([o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"][0])')
DESTDIR=$tmp/root meson install -C "$build" --no-rebuild >/dev/null
pc=$(dirname "$(find "$tmp/root" -name libl2tpvoip.pc)")
PKG_CONFIG_PATH=$pc
PKG_CONFIG_SYSROOT_DIR=$tmp/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
libdir=$(dirname "$pc")
consumer=$src/tests/embed/consumer.c

# shellcheck disable=SC2046
gcc -Wall -Wextra -Werror "$consumer" $(pkg-config --cflags --libs libl2tpvoip) -o "$tmp/shared"
LD_LIBRARY_PATH=$libdir "$tmp/shared"
# shellcheck disable=SC2046
gcc "$consumer" $(pkg-config --cflags libl2tpvoip) "$libdir/libl2tpvoip.a" -lcrypto -lm -lpthread -o "$tmp/static"
"$tmp/static"
# shellcheck disable=SC2046
g++ -std=c++17 -Wall -Wextra -Werror -x c++ "$consumer" $(pkg-config --cflags --libs libl2tpvoip) -o "$tmp/cpp"
LD_LIBRARY_PATH=$libdir "$tmp/cpp"

mkdir -p "$tmp/app/subprojects"
ln -s "$src" "$tmp/app/subprojects/libl2tpvoip"
cp "$consumer" "$tmp/app/"
cat >"$tmp/app/meson.build" <<'MESON'
project('app', 'c')
sub = subproject('libl2tpvoip', default_options: ['tests=false', 'cli=disabled', 'uv=disabled', 'config=disabled'])
executable('app', 'consumer.c', dependencies: sub.get_variable('l2tpvoip_dep'))
MESON
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
meson setup "$tmp/app/build" "$tmp/app" >/dev/null
ninja -C "$tmp/app/build" app >/dev/null
"$tmp/app/build/app"
echo "installed under $prefix: shared, static, C++17, subproject"
