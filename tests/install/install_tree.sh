#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_tree CMAKE BUILD TREE: installs into TREE for the tests beside this one.  Into another folder first, which is
# then moved: nothing in the tree may know where it was.
set -eu
cmake=$1 build=$2 tree=$3
rm -rf "$tree" "$tree.first"
"$cmake" --install "$build" --prefix "$tree.first" >"$tree.log" 2>&1 || {
    cat "$tree.log" >&2
    exit 1
}
mv "$tree.first" "$tree"
rm -f "$tree.log"
if grep -rIl -e "$tree.first" -e "$build" "$tree" | grep -v '\.a$'; then
    echo "the files above name a folder of the build" >&2
    exit 1
fi
