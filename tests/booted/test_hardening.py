# SPDX-License-Identifier: Apache-2.0
"""What the daemon may do, asked of the kernel and not of the unit file."""

import re

import pytest

UNIT = "retentiond.service"

# What the best locked services of Debian reach; the scale goes to 10, which is "unsafe".
EXPOSURE_MAX = 1.0

# A directory that is anybody's to write to, but for the unit.
OPEN = "/var/lib/open"

SERVICES = [UNIT, "retention-keeper@crm.service", "retention-backup.service",
            "retention-metrics.service"]


def status_of(machine, unit=UNIT):
    """/proc/PID/status of the daemon, by key."""
    text = machine.path(f"/proc/{machine.main_pid(unit)}/status").read_text()
    return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.MULTILINE))


# Settings of the unit that say what is run and when, not what it may do.
NO_LIMITS = re.compile(
    r"(Type|NotifyAccess|Exec\w+|Restart\w*|Timeout\w+|WatchdogSec|Environment\w*|LoadCredential|"
    r"NoExecPaths|ExecPaths)="
)


def within(machine, *command):
    """Runs a command under everything that the unit does to the daemon, but that it may run."""
    service = machine.output("systemctl", "cat", UNIT).partition("[Service]")[2]
    lines = re.findall(r"^\w+=.*$", service.partition("\n[")[0], re.MULTILINE)
    limits = [f"--property={line}" for line in lines if not NO_LIMITS.match(line)]
    return machine.run(
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect", *limits, *command, status=None
    )


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_finds_little_exposed(machine, unit):
    told = machine.run("systemd-analyze", "security", "--threshold=10", "--no-pager", unit)
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", told.stdout)
    assert float(exposure[1]) <= EXPOSURE_MAX, told.stdout


def test_the_daemon_is_nobody_in_particular(machine):
    status = status_of(machine)
    uid = machine.output("id", "--user", "retentiond")
    gid = machine.output("id", "--group", "retentiond")
    assert status["Uid"].split() == [uid] * 4
    assert status["Gid"].split() == [gid] * 4
    assert status["Groups"].split() == [gid]


def test_the_daemon_has_no_capability_and_can_get_none(machine):
    status = status_of(machine)
    for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[which], 16) == 0, which
    assert status["NoNewPrivs"] == "1"


def test_system_calls_are_filtered(machine):
    status = status_of(machine)
    assert status["Seccomp"] == "2"
    assert int(status["Seccomp_filters"]) > 0


def test_no_core_file_is_written(machine):
    limits = machine.path(f"/proc/{machine.main_pid()}/limits").read_text()
    soft, hard = re.search(r"^Max core file size\s+(\S+)\s+(\S+)", limits, re.MULTILINE).groups()
    assert (soft, hard) == ("0", "0")


def test_keys_are_locked_into_memory(machine):
    assert int(status_of(machine)["VmLck"].split()[0]) > 0


def test_the_daemon_has_a_network_of_its_own_with_nothing_in_it(machine):
    pid = machine.main_pid()
    networks = {machine.output("readlink", f"/proc/{of}/ns/net") for of in (1, pid)}
    assert len(networks) == 2
    interfaces = machine.path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


def test_the_daemon_has_no_socket_but_unix_ones(machine):
    pid = machine.main_pid()
    for family in ("tcp", "tcp6", "udp", "udp6", "raw"):
        table = machine.path(f"/proc/{pid}/net/{family}")
        assert not table.exists() or len(table.read_text().splitlines()) == 1, family


def test_an_internet_socket_cannot_be_made(machine):
    made = within(machine, "perl", "-MSocket", "-e",
                  "socket(my $s, PF_INET, SOCK_STREAM, 0) and exit 0; print $!; exit 9")
    assert made.returncode == 9, made
    assert "not supported by protocol" in made.stdout
    assert within(machine, "perl", "-MSocket", "-e",
                  "socket(my $s, PF_UNIX, SOCK_STREAM, 0) or exit 9").returncode == 0


@pytest.mark.parametrize(
    "directory",
    ["/", "/etc/retentiond", "/usr", "/var", "/var/lib", "/run", "/run/retentiond", "/dev",
     "/dev/shm", OPEN],
)
def test_nothing_can_be_written_outside_the_daemon_s_directories(machine, directory):
    machine.run("install", "-d", "-m", "777", OPEN)
    written = within(machine, "sh", "-c", f": >{directory}/x")
    assert written.returncode != 0, written
    assert re.search("Read-only file system|Permission denied", written.stderr), written


@pytest.mark.parametrize(
    "directory",
    ["/var/lib/retentiond", "/var/lib/retentiond-register", "/var/backups/retentiond",
     "/var/backups/retentiond-vault"],
)
def test_its_own_directories_can_be_written(machine, directory):
    written = within(machine, "sh", "-c", f": >{directory}/x && rm {directory}/x")
    assert written.returncode == 0, written
