#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The Debian package is the same, byte for byte, when it is built in another place, at another time,
# under another umask and locale; and lintian has nothing to say about it.
set -eu
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/one" "$scratch/two/deeper"

packaging/make-deb "$scratch/one"
(umask 077 && sleep 1 && TZ=Asia/Kolkata LANG=C.UTF-8 DEB_BUILD_OPTIONS=nocheck \
	packaging/make-deb "$scratch/two/deeper")

sums() { (cd "$1" && sha256sum -- *.deb *.dsc *.tar.xz); }

sums "$scratch/one" | tee "$scratch/sums"
(cd "$scratch/two/deeper" && sha256sum --check --quiet "$scratch/sums")
lintian --allow-root --fail-on warning --display-info --pedantic "$scratch"/one/*.changes
