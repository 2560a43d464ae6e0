# SPDX-License-Identifier: Apache-2.0
"""strace at a daemon that runs: it counts its system calls from here on, and lets them fail."""

import subprocess

import pytest

import wire


class Traced:
    """For the time of a with block, which must outlive the daemon."""

    def __init__(self, daemon, *options):
        self.trace = daemon.directory / "trace"
        self.process = subprocess.Popen(
            ["strace", "-f", "-o", self.trace, "-p", str(daemon.pid), *options],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = self.process.stderr.readline()

    def __enter__(self):
        if "attached" not in self.said:
            self.process.wait()
            pytest.skip(f"strace cannot attach here: {self.said}")
        return self

    def __exit__(self, *exception):
        """It ends with the daemon."""
        self.process.communicate(timeout=wire.DEADLINE)
