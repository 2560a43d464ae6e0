# SPDX-License-Identifier: Apache-2.0
"""A machine that has booted: Debian with systemd as its first process, in a container of
systemd-nspawn, without a network. What it writes goes to a layer in memory and ends with it.

`run` has put us into namespaces of our own, for mounts and for processes: however we end, the
kernel ends every machine and undoes every mount.
"""

import contextlib
import json
import os
import pathlib
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import wire

BOOT_DEADLINE = 60.0  # seconds; it takes less than one
DEADLINE = 60.0

NAME = "retentiond-tests"

SOCKET = "/run/retentiond/retentiond.sock"

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

# systemd keeps its books in these; in those that only count or limit it can do without its own.
CGROUPS = re.compile(r"^\d+:(name=systemd|):(.*)$", re.MULTILINE)


running = []  # machines, for the report of what fails


class Ended(Exception):
    """A command inside ended with another status than was expected."""


class Machine:
    def __init__(self, root):
        self.root = root
        self.name = f"{NAME}-{secrets.token_hex(4)}"
        self.directory = None
        self.cgroups = []
        self.process = None
        self.leader = None

    # Its life

    def boot(self):
        """Returns when systemd says that it has started what it was to start."""
        if self.directory is None:
            self.directory = pathlib.Path(tempfile.mkdtemp())
            self._mount()
        self.cgroups = make_cgroups(self.name)
        with contextlib.ExitStack() as stack:
            notices = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            path = self.directory / "notify"
            notices.bind(str(path))
            stack.callback(path.unlink)
            self._start()
            self._await_ready(notices)
        return self

    def reboot(self):
        """Boots again after an end as the power ends: what is written stays, nobody is told."""
        self._end()
        return self.boot()

    def remove(self):
        self._end()
        if self.directory is not None:
            subprocess.run(["umount", "--recursive", self.directory], check=False)
            shutil.rmtree(self.directory)

    def _mount(self):
        call("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.directory)
        for name in ("upper", "work", "root"):
            (self.directory / name).mkdir()
        layers = (
            f"lowerdir={self.root},"
            f"upperdir={self.directory / 'upper'},workdir={self.directory / 'work'}"
        )
        call("mount", "-t", "overlay", "-o", layers, "overlay", self.directory / "root")

    def _start(self):
        # A container is refused some of what a machine may do; the daemon locks keys into memory.
        # Nothing is registered anywhere, so that it works wherever root may mount: whether
        # systemd, something smaller or nothing at all manages the machine we are on.
        command = [
            "systemd-nspawn",
            f"--directory={self.directory / 'root'}",
            f"--machine={self.name}",
            "--system-call-filter=@memlock",
            "--boot", "--register=no", "--keep-unit", "--private-network", "--notify-ready=yes",
            "--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
        ]
        with (self.directory / "console").open("wb") as console:
            self.process = subprocess.Popen(
                command,
                env={**ENVIRONMENT, "NOTIFY_SOCKET": str(self.directory / "notify")},
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                start_new_session=True, preexec_fn=self._enter_cgroups,
            )

    def _enter_cgroups(self):
        for cgroup in self.cgroups:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))

    def _await_ready(self, notices):
        ended = os.pidfd_open(self.process.pid)
        try:
            deadline = time.monotonic() + BOOT_DEADLINE
            while True:
                left = max(0.0, deadline - time.monotonic())
                ready, _, _ = select.select([notices, ended], [], [], left)
                if notices not in ready:
                    raise RuntimeError(f"the machine does not boot:\n{self.console()}")
                notice = notices.recv(4096).decode().split("\n")
                for line in notice:
                    if line.startswith("X_NSPAWN_LEADER_PID="):
                        self.leader = int(line.partition("=")[2])
                if "READY=1" in notice:
                    return
        finally:
            os.close(ended)

    def _end(self):
        """There is nothing to save, so nobody is asked."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader or self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
        self.process = self.leader = None
        for cgroup in self.cgroups:
            remove_cgroup(cgroup)
        self.cgroups = []

    def console(self):
        return (self.directory / "console").read_text(errors="replace")

    # What can be done in it

    def path(self, inside):
        """How a path of the machine is reached from outside."""
        return pathlib.Path(f"/proc/{self.leader}/root") / str(inside).lstrip("/")

    def run(self, *command, user="root", status=0, deadline=DEADLINE, **options):
        """Runs a command inside. `status` is the only one that will do; None: any."""
        become = [] if user == "root" else become_user(user)
        ended = subprocess.run(
            ["nsenter", f"--target={self.leader}", "--all", *become, *map(str, command)],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=deadline, check=False,
            **({} if "input" in options else {"stdin": subprocess.DEVNULL}), **options,
        )
        if status is not None and ended.returncode != status:
            raise Ended(
                f"{' '.join(map(str, command))} as {user} ended with {ended.returncode}, "
                f"not with {status}\n{ended.stdout}{ended.stderr}"
            )
        return ended

    def output(self, *command, **options):
        return self.run(*command, **options).stdout.strip()

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    # systemd

    def systemctl(self, *arguments, **options):
        return self.run("systemctl", *arguments, **options)

    def show(self, unit, *properties):
        """A property of a unit, or a list of them."""
        told = self.output("systemctl", "show", unit, *(f"--property={p}" for p in properties))
        values = dict(line.split("=", 1) for line in told.splitlines())
        found = [values[name] for name in properties]
        return found[0] if len(found) == 1 else found

    def journal(self, *matches):
        """The entries of the journal that match, each a dict of its fields."""
        self.run("journalctl", "--sync")
        told = self.run("journalctl", "--output=json", "--all", *matches, status=None).stdout
        return [json.loads(line) for line in told.splitlines() if line.startswith("{")]

    def messages(self, *matches):
        return [entry["MESSAGE"] for entry in self.journal(*matches)]

    def journal_end(self):
        """The last lines of the journal, or of the console if there is none to ask."""
        if self.leader is None:
            return self.console()
        told = self.run("journalctl", "--lines=60", "--no-hostname", status=None)
        return told.stdout or self.console()

    @contextlib.contextmanager
    def drop_in(self, unit, text, name="50-test.conf"):
        """A drop-in of a unit, for the time of a with block. The unit is not restarted."""
        path = f"/etc/systemd/system/{unit}.d/{name}"
        self.write(path, text)
        self.systemctl("daemon-reload")
        try:
            yield
        finally:
            self.path(path).unlink()
            self.systemctl("daemon-reload")

    # retentiond

    def ctl(self, *arguments, **options):
        """What retentionctl answers, from its JSON."""
        told = self.run("retentionctl", "--json", *arguments, **options).stdout
        return json.loads(told) if told else None

    def ctl_as(self, user, *arguments, **options):
        """How retentionctl ends for a user: whatever the status."""
        return self.run("retentionctl", *arguments, user=user, status=None, **options)

    def connect(self):
        """A connection as root; the socket is reached from outside the machine."""
        return wire.connect(self.path(SOCKET))

    def main_pid(self, unit="retentiond.service"):
        """The process of a service as it is called inside."""
        return int(self.show(unit, "MainPID"))


def become_user(user):
    """A login, but for the session that logind would keep books of."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]


def call(*command):
    subprocess.run([str(part) for part in command], check=True)


def until(condition, what, deadline=DEADLINE):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {deadline} s: {what}"


# Cgroups: each machine has its own below ours, or two systemd would keep their books in one place.


def cgroup_mounts():
    """Where systemd's hierarchies are mounted, by their names in /proc/self/cgroup."""
    mounts = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, kind = line.partition(" - ")
        filesystem, _, options = kind.split(" ", 2)
        if filesystem == "cgroup2":
            mounts[""] = place.split()[4]
        elif filesystem == "cgroup" and "name=systemd" in options.split(","):
            mounts["name=systemd"] = place.split()[4]
    return mounts


def make_cgroups(name):
    """Those of runs that were killed are taken away first; in one that is at work they stay."""
    mounts = cgroup_mounts()
    made = []
    for hierarchy, ours in CGROUPS.findall(pathlib.Path("/proc/self/cgroup").read_text()):
        if hierarchy in mounts:
            parent = pathlib.Path(mounts[hierarchy]) / ours.lstrip("/")
            for left in parent.glob(f"{NAME}-*"):
                if not is_populated(left):
                    remove_cgroup(left)
            (parent / name).mkdir()
            made.append(parent / name)
    return made


def is_populated(top):
    return any(path.read_text() for path in top.rglob("cgroup.procs"))


def remove_cgroup(top):
    for directory, _, _ in os.walk(top, topdown=False):
        os.rmdir(directory)


@contextlib.contextmanager
def booted(root):
    machine = Machine(root)
    running.append(machine)
    try:
        yield machine.boot()
    except Exception:
        print(machine.journal_end())
        raise
    finally:
        running.remove(machine)
        machine.remove()
