# SPDX-License-Identifier: Apache-2.0
"""The true daemon, in a directory of its own, on a clock that stands still until it is moved."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

import wire

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

BEGIN = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
SIMULATED = "--clock=simulated:2026-01-01T00:00:00Z"

# Only what the programs need: nothing of the caller's environment changes what a test sees. A
# sanitizer keeps freed memory aside to find its use; a little is enough, and lets the tests see
# what the daemon holds on to.
ENVIRONMENT = {
    name: os.environ[name]
    for name in ("PATH", "UBSAN_OPTIONS", "TSAN_OPTIONS")
    if name in os.environ
}
ENVIRONMENT["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
ENVIRONMENT["LC_ALL"] = "C.UTF-8"
ENVIRONMENT["TZ"] = "UTC"


def program(variable):
    path = os.environ.get(variable)
    if not path:
        raise RuntimeError(f"{variable} names no program; run the tests with make check")
    return path


def our_namespace():
    """Where the tests run in a user namespace, as in some containers, all peers are inside it."""
    ids = sum(int(line.split()[2]) for line in open("/proc/self/uid_map", encoding="ascii"))
    return "" if ids == 0xFFFFFFFF else "allow_user_namespace = yes\n"


def our_grant():
    """Who runs the tests is an administrator: root is one without being granted it."""
    if os.getuid() == 0:
        return ""
    return f"[grant tests]\nrole = admin\nusers = {os.getuid()}\n"


class NotStarted(Exception):
    """The daemon ended before it was ready."""

    def __init__(self, code, log):
        super().__init__(f"exit code {code}: {log}")
        self.code = code
        self.log = log


class Daemon:
    """A daemon and its directory. The store outlives the process: start, stop, kill9 at will."""

    def __init__(self, config="", options=(SIMULATED,)):
        # Other users must reach the socket: pytest's own directory is closed to them.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retentiond-"))
        self.directory.chmod(0o711)
        self.state = self.directory / "state"
        self.state.mkdir(0o700)
        self.socket = self.directory / "socket"
        self.config = self.directory / "retentiond.conf"
        self.config.write_text(
            "[retentiond]\nsocket_mode = 0666\n" + our_namespace() + config + our_grant()
        )
        self.log = self.directory / "log"
        self.log.touch()
        self.options = list(options)
        self.environment = dict(ENVIRONMENT)
        self.pass_fds = ()
        self.process = None
        self.notify = None

    def remove(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._close_notify()
        shutil.rmtree(self.directory)

    @property
    def pid(self):
        return self.process.pid

    def command(self):
        return [
            program("RETENTIOND"),
            *self.options,
            f"--config={self.config}",
            f"--state-directory={self.state}",
            f"--socket={self.socket}",
        ]

    def start(self):
        """Returns when the daemon has told its service manager, which we are, that it is ready."""
        assert self.process is None
        self._open_notify()
        environment = {**self.environment, "NOTIFY_SOCKET": str(self.directory / "notify")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.pass_fds,
            )
        self.await_notice("READY=1")
        return self

    def allow_tracer(self):
        """From the next start. Who looks for leaks traces too, and there can be one tracer only."""
        self.environment["ASAN_OPTIONS"] += ":detect_leaks=0"

    def run_to_end(self):
        """For a daemon that is not to start: its exit code and what it said."""
        ended = subprocess.run(
            self.command(),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=wire.DEADLINE,
            check=False,
        )
        return ended.returncode, ended.stdout.decode()

    def await_notice(self, wanted):
        """Waits until the daemon tells its service manager `wanted`, as sd_notify(3) has it."""
        ended = os.pidfd_open(self.pid)
        try:
            while True:
                ready, _, _ = select.select([self.notify, ended], [], [], wire.DEADLINE)
                assert ready, f"no {wanted} within {wire.DEADLINE} s: {self.log.read_text()}"
                if self.notify in ready:
                    if wanted in self.notify.recv(4096).decode().split("\n"):
                        return
                else:
                    code = self.process.wait()
                    self.process = None
                    raise NotStarted(code, self.log.read_text())
        finally:
            os.close(ended)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.await_notice("READY=1")

    def stop(self):
        """Asks the daemon to end, and requires that it ends well."""
        self.process.send_signal(signal.SIGTERM)
        self.await_end()

    def await_end(self):
        code = self.process.wait(wire.DEADLINE)
        self.process = None
        assert code == 0, self.log.read_text()

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def connect(self):
        return wire.connect(self.socket)

    def connect_as(self, uid, gid=None, groups=()):
        return wire.connect_as(self.socket, uid, uid if gid is None else gid, groups)

    def rss(self):
        """Bytes of memory that the daemon holds."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def files(self):
        """Every file of the state directory."""
        return sorted(path for path in self.state.rglob("*") if path.is_file())

    def _open_notify(self):
        self._close_notify()
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(path))

    def _close_notify(self):
        if self.notify is not None:
            self.notify.close()
            self.notify = None


@contextlib.contextmanager
def running(config="", options=(SIMULATED,)):
    """A daemon for the time of a with block. One that still runs at its end must end well."""
    daemon = Daemon(config, options)
    try:
        daemon.start()
        yield daemon
        if daemon.process is not None:
            daemon.stop()
    finally:
        daemon.remove()
