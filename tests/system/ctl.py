# SPDX-License-Identifier: Apache-2.0
"""retentionctl as people and scripts run it: to its end, beside a test, or on a terminal."""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess

import pytest

from daemon import ENVIRONMENT, program
from wire import DEADLINE

OK, FAILURE, USAGE, PERMISSION, CONFIGURATION, UNREACHABLE = 0, 1, 2, 4, 6, 7
NOT_FOUND, REFUSED, PARTIAL, TIMEOUT, VERIFICATION, GUARD = 10, 11, 12, 13, 14, 15
CONFIRMATION, INTERRUPTED = 20, 130


class Running:
    """A retentionctl that has not ended yet, its three streams pipes."""

    def __init__(self, process):
        self.process = process
        self.told = b""

    def await_told(self, words):
        """Until it has said the words on standard error."""
        while words.encode() not in self.told:
            ready, _, _ = select.select([self.process.stderr], [], [], DEADLINE)
            assert ready, (words, self.told)
            told = os.read(self.process.stderr.fileno(), 4096)
            assert told, (words, self.told)
            self.told += told

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, code=OK):
        """What it printed, when it has ended by itself."""
        out, told = self.process.communicate(timeout=DEADLINE)
        self.told += told
        assert self.process.returncode == code, (out, self.told)
        return out.decode()


class Terminal:
    """A retentionctl on a terminal of its own."""

    def __init__(self, process, ours):
        self.process = process
        self.ours = ours
        self.shown = b""

    def type(self, text):
        os.write(self.ours, text.encode())

    def _read(self):
        ready, _, _ = select.select([self.ours], [], [], DEADLINE)
        assert ready, self.shown
        try:
            shown = os.read(self.ours, 4096)
        except OSError:  # the other side is closed
            shown = b""
        self.shown += shown
        return shown

    def await_shown(self, words):
        while words.encode() not in self.shown:
            assert self._read(), (words, self.shown)

    def end(self, code=OK):
        """Everything that was shown, when it has ended by itself."""
        while self._read():
            pass
        assert self.process.wait(DEADLINE) == code, self.shown
        return self.shown.decode().replace("\r\n", "\n")


class Ctl:
    def __init__(self, socket_path, **environment):
        self.environment = {
            **ENVIRONMENT, "RETENTIOND_SOCKET": str(socket_path), **environment
        }
        self.program = program("RETENTIONCTL")
        self.directory = socket_path.parent
        self.uid = None

    def become(self, uid):
        """Who runs it. Every user must reach the program: a checkout may be in a closed home."""
        copy = self.directory / "retentionctl"
        if not copy.exists():
            shutil.copy(self.program, copy)
            copy.chmod(0o755)
        self.program = str(copy)
        self.uid = uid
        return self

    def command(self, arguments):
        return [self.program, *map(str, arguments)]

    def __call__(self, *arguments, code=OK, stdin=""):
        ended = subprocess.run(
            self.command(arguments),
            env=self.environment,
            user=self.uid,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert ended.returncode == code, (arguments, ended)
        return ended

    def json(self, *arguments, **more):
        return json.loads(self("-j", *arguments, **more).stdout)

    def error(self, *arguments, code):
        """The error that a run ends with: with --json it has one shape, and is all there is."""
        error = json.loads(self("-j", *arguments, code=code).stderr)
        assert set(error) == {"error"} and set(error["error"]) == {"code", "text", "exit"}, error
        assert error["error"]["exit"] == code and error["error"]["text"]
        return error["error"]

    @contextlib.contextmanager
    def running(self, *arguments):
        with subprocess.Popen(
            self.command(arguments),
            env=self.environment,
            user=self.uid,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                yield Running(process)
            finally:
                if process.poll() is None:
                    process.kill()

    @contextlib.contextmanager
    def terminal(self, *arguments, **environment):
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            pytest.skip(f"there are no pseudo-terminals here: {error}")
        with subprocess.Popen(
            self.command(arguments),
            env={**self.environment, "TERM": "xterm", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(process, ours)
            finally:
                if process.poll() is None:
                    process.kill()
                os.close(ours)
