# SPDX-License-Identifier: Apache-2.0
"""make install puts everything into its place, and make uninstall leaves only what is not its own."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from daemon import program

TREE = pathlib.Path(__file__).parents[2]

UNITS = {
    "retentiond.service",
    "retentiond.socket",
    "retention-keeper@.service",
    "retention-backup.service",
    "retention-backup.timer",
    "retention-metrics.service",
    "retention-metrics.timer",
}

CONFIGURATION = {
    "etc/retentiond/retentiond.conf",
    "etc/retentiond/retentiond.conf.d/50-roles.conf",
}

# By prefix=/usr. Manual pages, completions and monitoring come on top when they are there.
INSTALLED = CONFIGURATION | {
    "usr/sbin/retentiond",
    "usr/bin/retentionctl",
    *(f"usr/lib/systemd/system/{unit}" for unit in UNITS),
    "usr/lib/sysusers.d/retentiond.conf",
    "usr/lib/tmpfiles.d/retentiond.conf",
    "usr/lib/systemd/catalog/retentiond.catalog",
    "usr/share/doc/retentiond/README.md",
    "usr/share/doc/retentiond/restore.md",
    *(
        f"usr/share/doc/retentiond/examples/sqlite-keeper/{name}"
        for name in ("README.md", "sqlite-keeper", "sqlite-keeper.ini", "sqlite-keeper.service")
    ),
}

OPTIONAL = re.compile(
    r"usr/share/(man/man[1-9]/retention[^/]*\.[1-9]"
    r"|bash-completion/completions/retentionctl"
    r"|zsh/vendor-completions/_retentionctl"
    r"|fish/vendor_completions\.d/retentionctl\.fish"
    r"|doc/retentiond/monitoring/(alerts\.yml|dashboard\.json|README\.md))"
)

EXECUTABLE = {
    "usr/sbin/retentiond",
    "usr/bin/retentionctl",
    "usr/share/doc/retentiond/examples/sqlite-keeper/sqlite-keeper",
}

# On systemd's scale to 10, in tenths of a point.
EXPOSURE_MAX = 10

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


def make(target, *variables):
    """The programs under test are taken as they are: nothing is built."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")
    }
    subprocess.run(
        [
            "make",
            f"--directory={TREE}",
            "--old-file=all",
            f"RETENTIOND={os.path.abspath(program('RETENTIOND'))}",
            f"RETENTIONCTL={os.path.abspath(program('RETENTIONCTL'))}",
            target,
            *variables,
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def files(directory):
    return {
        str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()
    }


@pytest.fixture(name="staged", scope="module")
def fixture_staged(tmp_path_factory):
    """What a package is made of."""
    directory = tmp_path_factory.mktemp("staged")
    make("install", f"DESTDIR={directory}", "prefix=/usr")
    return directory


@pytest.fixture(name="local", scope="module")
def fixture_local(tmp_path_factory):
    """An installation at a place of its own, where units find the programs."""
    directory = tmp_path_factory.mktemp("local")
    make("install", f"prefix={directory}", f"sysconfdir={directory}/etc")
    return directory


def unit(directory, name):
    return directory / "lib/systemd/system" / name


def test_everything_is_in_its_place(staged):
    found = files(staged)
    assert found >= INSTALLED
    assert {path for path in found - INSTALLED if not OPTIONAL.fullmatch(path)} == set()
    assert (staged / "etc/retentiond/keepers").is_dir()


def test_everybody_can_read_it_and_nobody_but_its_owner_write(staged):
    for path in files(staged):
        mode = (staged / path).stat().st_mode & 0o7777
        assert mode == (0o755 if path in EXECUTABLE else 0o644), path


def test_no_place_is_left_open(staged):
    for path in files(staged) - EXECUTABLE:
        assert not re.search(r"@[a-z]+@", (staged / path).read_text()), path


def test_units_say_where_things_are(local):
    told = unit(local, "retentiond.service").read_text()
    assert (
        f"\nExecStart={local}/sbin/retentiond --config={local}/etc/retentiond/retentiond.conf "
        in told
    )
    told = unit(local, "retention-keeper@.service").read_text()
    assert f"\nExecStart={local}/bin/retentionctl work " in told
    assert f" {local}/etc/retentiond/keepers/%i\n" in told


def test_other_places_than_last_time_are_written_anew(local, tmp_path):
    make("install", f"DESTDIR={tmp_path}", "prefix=/opt/x")
    told = unit(tmp_path / "opt/x", "retentiond.service").read_text()
    assert "\nExecStart=/opt/x/sbin/retentiond " in told
    assert str(local) not in told


def test_the_configuration_of_an_administrator_is_not_touched(tmp_path):
    make("install", f"DESTDIR={tmp_path}")
    changed = tmp_path / "etc/retentiond/retentiond.conf"
    changed.write_text("[retentiond]\n")
    make("install", f"DESTDIR={tmp_path}")
    assert changed.read_text() == "[retentiond]\n"


def test_an_uninstallation_leaves_the_configuration_and_what_others_put_there(tmp_path):
    other = tmp_path / "usr/lib/systemd/system/other.service"
    other.parent.mkdir(parents=True)
    other.touch()
    make("install", f"DESTDIR={tmp_path}", "prefix=/usr")
    make("uninstall", f"DESTDIR={tmp_path}", "prefix=/usr")
    assert files(tmp_path) == CONFIGURATION | {"usr/lib/systemd/system/other.service"}
    assert not (tmp_path / "usr/share/doc/retentiond").exists()


@needs_systemd
def test_systemd_finds_no_fault_in_the_units(local):
    verifying = subprocess.run(
        ["systemd-analyze", "verify", "--man=no"]
        + [str(unit(local, name).with_name(name.replace("@.", "@crm."))) for name in sorted(UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    # What a unit runs may be missing on the machine that builds.
    faults = [
        line
        for line in verifying.stderr.splitlines()
        if "retention" in line and not re.search(r"Command (setfacl|kill) is not executable", line)
    ]
    assert faults == []


@needs_systemd
@pytest.mark.parametrize("name", sorted(name for name in UNITS if name.endswith(".service")))
def test_services_are_hardly_exposed(local, name):
    security = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            f"--threshold={EXPOSURE_MAX}",
            "--no-pager",
            str(unit(local, name)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert security.returncode == 0, security.stdout + security.stderr


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="there is no systemd-sysusers")
def test_every_user_and_group_that_is_named_is_made(staged, tmp_path):
    (tmp_path / "etc").mkdir()
    subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", staged / "usr/lib/sysusers.d/retentiond.conf"],
        capture_output=True,
        check=True,
    )
    users, groups = (
        {line.split(":")[0] for line in (tmp_path / "etc" / name).read_text().splitlines()}
        for name in ("passwd", "group")
    )
    roles = (staged / "etc/retentiond/retentiond.conf.d/50-roles.conf").read_text()
    units = "".join(path.read_text() for path in (staged / "usr/lib/systemd/system").iterdir())
    assert set(re.findall(r"^users = (\S+)$", roles, re.M)) <= users
    assert set(re.findall(r"^groups = (\S+)$", roles, re.M)) <= groups
    assert set(re.findall(r"^User=((?!.*%i|root).+)$", units, re.M)) <= users
    assert set(re.findall(r"^(?:Socket|Supplementary)?Groups?=((?!root).+)$", units, re.M)) <= groups
    assert set(re.findall(r"\bg:([a-z-]+):rw", units)) <= groups
