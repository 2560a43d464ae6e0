#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the build, the demonstration and the checks need and this machine lacks.
#
#     dependencies.sh SET...      SETs: build, man, demo, check, bench, clang, deb, systemd
#
# What is there is found by use (a .pc file, a header, a program), so libraries that did not come
# from a package count as well. Silent when nothing is missing. Made for Debian 12; elsewhere it
# names what is missing and leaves the rest to you.
set -eu
export LC_ALL=C

# 2.1.12-stable-8+deb12u1 mended eight CVEs under the same upstream version, so pkg-config cannot
# tell it from its predecessor.
libevent_floor=2.1.12-stable-8+deb12u1

has_command() { command -v "$1" >/dev/null 2>&1; }
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]; }

has_package()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Debian's own interpreter: one found in $PATH may not see Debian's modules.
has_python_module()
{
	/usr/bin/python3 -c "import importlib.util as u; u.find_spec('$1') or exit(1)" 2>/dev/null
}

# Prints "PACKAGE VERSION" of the installed libevent packages older than the floor.
old_libevent()
{
	has_command dpkg-query || return 0
	dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' \
		libevent-dev 'libevent-core-2.1-7*' 2>/dev/null |
		while read -r status package version; do
			[ "$status" = installed ] || continue
			dpkg --compare-versions "$version" ge "$libevent_floor" || echo "$package $version"
		done
}

# need PACKAGE TEST...: prints PACKAGE if the test fails.
need()
{
	package=$1
	shift
	"$@" || echo "$package"
}

needs_of_build()
{
	need gcc has_command gcc
	need libc6-dev has_header stdlib.h
	need make has_command make
	need pkg-config has_command pkg-config
	need libevent-dev has_library libevent_core
	need libinih-dev has_library inih
	need libjansson-dev has_library jansson
	need liblmdb-dev has_library lmdb
	has_library msgpack-c || need libmsgpack-dev has_library msgpack
	need libsmartcols-dev has_library smartcols
	need libsodium-dev has_library libsodium
	need libsystemd-dev has_library libsystemd
	old_libevent | cut -d ' ' -f 1
}

needs_of_man()
{
	need scdoc has_command scdoc
}

needs_of_demo()
{
	: # bash, awk, grep and sed are everywhere
}

needs_of_check()
{
	need binutils has_command nm
	need clang-format-14 has_command clang-format-14
	need fish has_command fish
	need groff-base has_command groff
	need libcriterion-dev has_library criterion
	need man-db has_command man
	need mandoc has_command mandoc
	need python3 has_command /usr/bin/python3
	need python3-msgpack has_python_module msgpack
	need python3-pytest has_python_module pytest
	need python3-yaml has_python_module yaml
	need strace has_command strace
	need zsh has_command zsh
}

needs_of_systemd()
{
	need mmdebstrap has_command mmdebstrap
	need mount has_command mount
	need python3 has_command /usr/bin/python3
	need python3-msgpack has_python_module msgpack
	need python3-pytest has_python_module pytest
	need systemd-container has_command systemd-nspawn
}

# Debian's packages of the two servers also start one of each, which the benchmark does not use.
needs_of_bench()
{
	need libhiredis-dev has_library hiredis
	need libpq-dev has_library libpq
	need postgresql-15 test -x "${POSTGRES_PROGRAMS:-/usr/lib/postgresql/15/bin}/postgres"
	need redis-server has_command redis-server
}

needs_of_clang()
{
	need clang has_command clang
	need libclang-rt-dev clang_has_runtime
}

# What dpkg-buildpackage asks for beyond the build.
needs_of_deb()
{
	need build-essential has_package build-essential
	need debhelper has_command dh
	need libcriterion-dev has_library criterion
	need lintian has_command lintian
	need scdoc has_command scdoc
}

clang_has_runtime()
{
	[ -e "$(clang -print-libgcc-file-name --rtlib=compiler-rt 2>/dev/null)" ]
}

missing_of()
{
	for set in "$@"; do
		"needs_of_$set"
	done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

install()
{
	# A source of packages that cannot be reached is no reason to stop: the installation
	# tells whether it was needed.
	as_root apt-get -q update || true
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

for set in "$@"; do
	case $set in
	build | man | demo | check | bench | clang | deb | systemd) ;;
	*)
		echo "usage: $0 build|man|demo|check|bench|clang|deb|systemd ..." >&2
		exit 2
		;;
	esac
done

missing=$(missing_of "$@")
if [ -z "$missing" ]; then
	exit 0
fi

if ! has_command apt-get; then
	echo "Missing here, by their names in Debian 12: $missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ] && ! has_command sudo; then
	echo "Packages are missing, and installing them takes root. As root, run:" >&2
	echo "    apt-get update && apt-get install -y --no-install-recommends $missing" >&2
	exit 1
fi

echo "Installing packages that are missing or too old here: $missing"
# shellcheck disable=SC2086 # a list of names
install $missing

missing=$(missing_of "$@")
if [ -n "$missing" ]; then
	echo "Still missing or too old after the installation: $missing" >&2
fi
old=$(old_libevent)
if [ -n "$old" ]; then
	echo "$old" | sed "s/\$/ is older than $libevent_floor, which mended eight CVEs/" >&2
	echo "Debian 12 has it in bookworm-security: is that among the sources of apt?" >&2
fi
[ -z "$missing" ]
