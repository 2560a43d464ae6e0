# SPDX-License-Identifier: Apache-2.0
"""The root filesystem that the machines are booted from: Debian as it comes, with systemd and with
what the package depends on, so that the package itself installs without a network.

It is made once, by mmdebstrap, and kept: another one is made when the packages, the sources of apt
or this file are others. Nobody writes to it: a machine has its own layer above it.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "retentiond-tests"

# What makes it a machine. All else must come from what the package says it depends on.
BASE = ["dbus", "systemd-sysv"]

# How apt reaches its sources here, and whether it may trust their dates, holds there too.
APT_OPTIONS = re.compile(r"^Acquire::(https?::Proxy|Check-(Valid-Until|Date)) ")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def codename():
    release = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\S+)", release, re.MULTILINE)[1]


def sources(suite):
    """Debian's own sources of this machine's apt, as lines of a sources.list."""
    ours = {suite, f"{suite}-updates", f"{suite}-security"}
    told = output_of(
        "apt-get", "indextargets", "--no-release-info",
        "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages",
    )
    lines = set()
    for line in told.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in ours and fields[2] == "main":
            lines.add(f"deb {line}")
    if not lines:
        raise RuntimeError(f"apt has no source of Debian {suite} here; see /etc/apt/sources.list.d")
    return sorted(lines)


def apt_options():
    lines = output_of("apt-config", "dump").splitlines()
    return [line for line in lines if APT_OPTIONS.match(line)]


def dependencies(package):
    """The names that a package depends on; of alternatives the first."""
    names = []
    for field in ("Pre-Depends", "Depends"):
        for clause in output_of("dpkg-deb", "--field", package, field).split(","):
            name = re.match(r"\s*([a-z0-9.+-]+)", clause)
            names += [name[1]] if name else []
    return names


def command_for(package):
    """What makes the root filesystem, but for its last argument, the directory."""
    suite = codename()
    include = ",".join(sorted({*BASE, *dependencies(package)}))
    return [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={include}", *(f"--aptopt={option}" for option in apt_options()), suite,
    ], sources(suite)


def key_of(command, lines):
    recipe = [pathlib.Path(__file__).read_text(), *command, *lines]
    return hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]


def make(command, lines, root):
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run([*command, str(partial), *lines], check=True, stdin=subprocess.DEVNULL)
    partial.rename(root)


def drop_others(root):
    """Removes what was made of something else, unless somebody is at work with it."""
    for lock in CACHE.glob("*.lock"):
        other = lock.with_suffix("")
        if other == root:
            continue
        with lock.open("a") as held, contextlib.suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(other, ignore_errors=True)
            shutil.rmtree(other.with_suffix(".partial"), ignore_errors=True)


@contextlib.contextmanager
def root_for(package):
    """The root filesystem for a package. While the with block lasts, nobody removes it."""
    command, lines = command_for(package)
    root = CACHE / key_of(command, lines)
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("a") as lock:
        # Several runs may be at work with it at a time: alone is only who makes it.
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not root.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not root.exists():
                make(command, lines, root)
            fcntl.flock(lock, fcntl.LOCK_SH)
        drop_others(root)
        yield root
