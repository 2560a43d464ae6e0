# SPDX-License-Identifier: Apache-2.0
"""Interactive shells at a terminal of their own, as a person has them."""

import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import termios
import time

import pytest

import wire
from daemon import ENVIRONMENT, program

SCRIPTS = pathlib.Path(__file__).parents[2] / "packaging" / "completion"

TAB, HOME, KILL, ENTER = "\t", "\x01", "\x15", "\r"
SHOW = "\x18p"  # Ctrl-X p: bound in each shell to telling what the command line holds
SHOWN = re.compile("line=<(.*?)>=end", re.DOTALL)
PROMPT = "at your service: "


class Shell:
    """A shell that knows how to complete retentionctl. What it does is awaited, with a deadline."""

    name = None
    options = ()
    setup = ()

    def __init__(self, directory, environment=None):
        if shutil.which(self.name) is None:
            pytest.skip(f"there is no {self.name} here")
        try:
            self.ours, theirs = pty.openpty()
        except OSError as error:
            pytest.skip(f"there are no pseudo-terminals here: {error}")
        self.directory = directory
        programs = directory / "programs"
        programs.mkdir()
        (programs / "retentionctl").symlink_to(pathlib.Path(program("RETENTIONCTL")).resolve())
        termios.tcsetwinsize(theirs, (60, 120))
        self.process = subprocess.Popen(
            [self.name, *self.options],
            env={
                **ENVIRONMENT,
                **(environment or {}),
                "PATH": f"{programs}:{os.environ['PATH']}",
                "HOME": str(directory),
                "TERM": "vt100",
                "INPUTRC": "/dev/null",
                "PS1": PROMPT,
            },
            cwd=directory,
            preexec_fn=lambda: os.login_tty(theirs),
        )
        os.close(theirs)
        self.output = ""

    def __enter__(self):
        # It says so when it has taken in all that it is to know; what is typed says it otherwise.
        self.type("; ".join(self.lines()) + "; echo all''set" + ENTER)
        self.wait_for("allset")
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def lines(self):
        """What a person has in a startup file."""
        raise NotImplementedError

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def wait_for(self, wanted):
        """What was on the terminal until then; what follows is kept for the next time."""
        pattern = wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(wanted))
        deadline = time.monotonic() + wire.DEADLINE
        while not (found := pattern.search(self.output)):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.ours], [], [], max(0, left))
            assert ready, f"no {wanted!r} in {self.output!r}"
            self.output += os.read(self.ours, 65536).decode(errors="replace")
        self.output = self.output[found.end() :]
        return found

    def line(self):
        """What the command line holds now."""
        self.type(SHOW)
        return self.wait_for(SHOWN)[1]

    def complete(self, text):
        """What a new line becomes by one TAB."""
        self.type(KILL + text + TAB)
        return self.line()

    def arguments(self, text):
        """What a program would get of a line that was completed by one TAB."""
        self.type(KILL + text + TAB + "last" + HOME + "printf '<%s>' " + ENTER)
        return self.wait_for(re.compile("<retentionctl>([^\r\n]*)<last>"))[1]


class Bash(Shell):
    name = "bash"
    options = ("--norc", "--noprofile", "-i")

    def lines(self):
        return (
            f"source {shlex.quote(str(SCRIPTS / 'retentionctl.bash'))}",
            r"""bind -x '"\C-xp": printf "line=<%s>=end" "$READLINE_LINE"'""",
        )


class Zsh(Shell):
    """Finds the completion as an installed one, by its name in $fpath."""

    name = "zsh"
    options = ("-f", "-i")

    def lines(self):
        functions = self.directory / "functions"
        functions.mkdir()
        (functions / "_retentionctl").symlink_to(SCRIPTS / "retentionctl.zsh")
        return (
            "bindkey -e",
            f"fpath=({shlex.quote(str(functions))} $fpath)",
            "autoload -Uz compinit",
            "compinit -u -D",
            'shown() { print -rn -- "line=<$BUFFER>=end" }',
            "zle -N shown",
            "bindkey '^Xp' shown",
        )


class Fish(Shell):
    name = "fish"
    options = ("--no-config", "--interactive")

    def lines(self):
        return (
            f"source {shlex.quote(str(SCRIPTS / 'retentionctl.fish'))}",
            """bind \\cxp 'printf "line=<%s>=end" (commandline)'""",
        )


SHELLS = {shell.name: shell for shell in (Bash, Zsh, Fish)}
