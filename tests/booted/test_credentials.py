# SPDX-License-Identifier: Apache-2.0
"""Keys that systemd gives to the daemon: one signs receipts, one wraps the vault."""

import pathlib
import re

import people

MANUAL = pathlib.Path(__file__).parents[2] / "packaging/man/retentiond.8.scd"

UNIT = "retentiond.service"

CREDSTORE = "/etc/credstore"

# RFC 8032, 7.1, test 1.
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

MASTER = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

CREDENTIAL = "[Service]\nLoadCredential={name}:{path}\n"


def give(machine, name, key):
    """A file that only root can read, as LoadCredential= takes it."""
    path = f"/root/{name}"
    machine.write(path, key + "\n", mode=0o400)
    return machine.drop_in(UNIT, CREDENTIAL.format(name=name, path=path), name=f"{name}.conf")


def test_without_a_credential_the_daemon_has_a_key_of_its_own(fresh):
    assert fresh.ctl("info")["public_key"] != PUBLIC
    assert fresh.show(UNIT, "Result") == "success"


def test_a_signing_key_of_systemd_s_is_the_one_that_is_told_and_signs(fresh):
    with give(fresh, "signing-key", SEED):
        assert fresh.ctl("info")["public_key"] == PUBLIC
        with fresh.connect() as client:
            people.set_org(client, **people.PRIVACY)
            people.take_in(client, people.guest("alex"))
            people.do(client, "leave", "alex")
            people.do(client, "purge", "alex")
            people.settle(client)
        receipt = fresh.output("retentionctl", "receipt", "contoso/alex")
        fresh.write("/root/receipt.txt", receipt + "\n")
        fresh.run("retentionctl", "receipt", "verify", "/root/receipt.txt", f"--key={PUBLIC}")


def test_a_key_in_systemd_s_own_store_of_credentials_is_found_without_a_drop_in(fresh):
    fresh.run("install", "-d", "-m", "700", CREDSTORE)
    fresh.write(f"{CREDSTORE}/retentiond.signing-key", SEED + "\n", mode=0o400)
    assert fresh.ctl("info")["public_key"] == PUBLIC


def test_with_a_master_key_the_vault_opens_nothing_without_it(fresh):
    with give(fresh, "master-key", MASTER):
        with fresh.connect() as client:
            people.set_org(client, **people.PRIVACY)
            people.take_in(client, people.guest("alex"))
            assert people.get(client, "alex")["mail"] == "alex@mail.example"
        fresh.systemctl("stop", "retentiond.socket", UNIT)
    assert fresh.systemctl("start", UNIT, status=None).returncode != 0
    assert fresh.show(UNIT, "ActiveState", "NRestarts") == ["failed", "0"]
    told = " ".join(fresh.messages(f"--unit={UNIT}"))
    assert "wrapped" in told and "master-key" in told
    with give(fresh, "master-key", MASTER):
        fresh.systemctl("reset-failed", UNIT)
        fresh.systemctl("start", "retentiond.socket", UNIT)
        assert fresh.ctl("show", "contoso/alex")["account"]["mail"] == "alex@mail.example"


def test_a_vault_is_wrapped_by_the_commands_of_the_manual_on_a_debian_that_has_nothing_else(fresh):
    blocks = re.findall(r"^```\n(.*?)^```$", MANUAL.read_text(), re.MULTILINE | re.DOTALL)
    [commands] = [block for block in blocks if "--wrap-vault" in block]
    with fresh.connect() as client:
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("alex"))
    fresh.run("sh", "-e", "-c", commands.replace("\\\\", "\\"))
    assert fresh.path(f"{CREDSTORE}/retentiond.master-key").stat().st_size == 32
    assert fresh.ctl("show", "contoso/alex")["account"]["mail"] == "alex@mail.example"
    fresh.path(f"{CREDSTORE}/retentiond.master-key").unlink()
    assert fresh.systemctl("restart", UNIT, status=None).returncode != 0


def test_a_credential_that_is_no_key_is_refused_and_named(fresh):
    with give(fresh, "signing-key", "this is no key"):
        assert fresh.systemctl("start", UNIT, status=None).returncode != 0
    assert any("signing-key" in text for text in fresh.messages(f"--unit={UNIT}"))
