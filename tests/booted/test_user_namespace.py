# SPDX-License-Identifier: Apache-2.0
"""A daemon that cannot tell its callers apart does not start, and says what to do."""

from machine import until

UNIT = "retentiond.service"

HIDING = "[Service]\nPrivateUsers=yes\n"


def test_a_start_in_a_user_namespace_is_refused_with_what_to_do_and_comes_to_an_end(machine):
    machine.systemctl("stop", "retentiond.socket", UNIT)
    with machine.drop_in(UNIT, HIDING):
        assert machine.systemctl("start", UNIT, status=None).returncode != 0
        until(lambda: machine.show(UNIT, "ActiveState") == "failed", "the end of the attempts")
        assert machine.show(UNIT, "ExecMainStatus", "NRestarts") == ["6", "0"]
        told = [text for text in machine.messages(f"--unit={UNIT}") if "PrivateUsers=" in text]
        assert len(told) == 1, "said once, and not again for ever"
        assert "user namespace" in told[0]
        assert "PrivateUsers=" in machine.systemctl("status", UNIT, status=None).stdout
    machine.systemctl("reset-failed", UNIT)
    machine.systemctl("start", "retentiond.socket", UNIT)
    assert machine.ctl("info")["you"]["uid"] == 0
