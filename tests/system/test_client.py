# SPDX-License-Identifier: Apache-2.0
"""retentionctl as people and scripts run it."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess

import msgpack
import pytest

import people
from daemon import BEGIN, DAY, ENVIRONMENT, program, running
from wire import RESPONSE, Client, RpcError

OK, FAILURE, USAGE, PERMISSION, UNREACHABLE = 0, 1, 2, 4, 7
NOT_FOUND, REFUSED, PARTIAL, TIMEOUT, VERIFICATION = 10, 11, 12, 13, 14
CONFIRMATION, INTERRUPTED = 20, 130


def reachable(directory):
    """A copy of the client that every user can run: a checkout may be in a home that is closed."""
    copy = directory / "retentionctl"
    if not copy.exists():
        shutil.copy(program("RETENTIONCTL"), copy)
        copy.chmod(0o755)
    return str(copy)


def terminal():
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"there are no pseudo-terminals here: {error}")


class Ctl:
    def __init__(self, socket_path, as_uid=None):
        self.environment = {**ENVIRONMENT, "RETENTIOND_SOCKET": str(socket_path)}
        self.as_uid = as_uid
        self.program = program("RETENTIONCTL") if as_uid is None else reachable(socket_path.parent)

    def __call__(self, *arguments, code=OK, stdin=""):
        ended = subprocess.run(
            [self.program, *map(str, arguments)],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            user=self.as_uid,
            check=False,
        )
        assert ended.returncode == code, (arguments, ended)
        return ended

    def json(self, *arguments, **more):
        return json.loads(self("-j", *arguments, **more).stdout)


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def three(client, contoso):
    """Three guests: alex is active, kim has left, dan is disabled."""
    people.take_in(
        client, people.guest("alex"), people.guest("kim"), people.guest("dan", enabled=False)
    )
    people.do(client, "leave", "kim")


# Import


CSV = """org,id,kind,upn,mail,name,enabled,groups,permissions,deleted_at
contoso,alex,b2b-collaboration,alex@contoso.example,alex@mail.example,"Alex ""A"" Ä, MD",yes,a;b,p,
contoso,kim,b2b-direct-connect,kim@contoso.example,,,no,,,
contoso,gone,b2b-collaboration,gone@contoso.example,,,,,,2025-12-22T00:00:00Z
"""


def test_a_csv_file_is_imported(ctl, client, contoso, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    told = ctl.json("import", file)
    assert told["counts"] == {
        "rows": 3, "answered": 3, "created": 3, "updated": 0, "unchanged": 0, "outcomes": {"ok": 3}
    }
    alex = people.get(client, "alex")
    assert alex["name"] == 'Alex "A" Ä, MD'
    assert (alex["groups"], alex["permissions"]) == (["a", "b"], ["p"])
    assert people.get(client, "kim")["enabled"] is False
    assert people.get(client, "gone")["deleted_at_us"] == BEGIN - 10 * DAY
    assert ctl.json("import", file)["counts"]["unchanged"] == 3


def test_json_lines_are_imported_from_standard_input(ctl, client, contoso):
    lines = [json.dumps(people.guest(f"g{i}")) for i in range(2500)]
    told = ctl.json("import", "-", stdin="\n".join(lines))
    assert told["counts"]["created"] == 2500
    assert people.get(client, "g2499")["groups"] == people.guest("g2499")["groups"]


# Each fault: what the file holds, the line that is told, and the field, or a word of the fault.
MALFORMED = {
    "empty": ("", 1, "the file is empty"),
    "blank": ("\n \n", 1, "the file is empty"),
    "csv-unknown-column": (CSV.replace("mail,", "e-mail,", 1), 1, "e-mail"),
    "csv-column-twice": (CSV.replace("mail,", "upn,", 1), 1, "upn"),
    "csv-too-few-fields": (CSV + "contoso,x\n", 5, "fields"),
    "csv-too-many-fields": (CSV + "contoso,x,member,x@y,,,,,,,,\n", 5, "fields"),
    "csv-no-end-of-quote": (CSV + 'contoso,"x,member,x@y,,,,,,\n', 5, "quoted"),
    "csv-text-behind-quote": (CSV + 'contoso,"x"y,member,x@y,,,,,,\n', 5, "quote"),
    "csv-bad-org": (CSV + "con toso,x,member,x@y,,,,,,\n", 5, "org"),
    "csv-bad-id": (CSV + "contoso,x y,member,x@y,,,,,,\n", 5, "id"),
    "csv-missing-id": (CSV + "contoso,,member,x@y,,,,,,\n", 5, "id"),
    "csv-missing-upn": (CSV + "contoso,x,member,,,,,,,\n", 5, "upn"),
    "csv-bad-kind": (CSV + "contoso,x,guest,x@y,,,,,,\n", 5, "kind"),
    "csv-bad-upn": (CSV + "contoso,x,member,nobody,,,,,,\n", 5, "upn"),
    "csv-bad-enabled": (CSV + "contoso,x,member,x@y,,,maybe,,,\n", 5, "enabled"),
    "csv-bad-date": (CSV + "contoso,x,member,x@y,,,,,,yesterday\n", 5, "deleted_at_us"),
    "csv-relative-date": (CSV + "contoso,x,member,x@y,,,,,,-3d\n", 5, "deleted_at_us"),
    "csv-same-account-twice": (CSV + "CONTOSO,alex,member,x@y,,,,,,\n", 5, "id"),
    "csv-line-counted-over-line-breaks": (CSV + 'contoso,x,member,x@y,,"a\n', 5, "quoted"),
    "jsonl-no-json": (json.dumps(people.guest("a")) + "\n{nonsense\n", 2, "JSON"),
    "jsonl-no-object": (json.dumps(people.guest("a")) + "\n[1]\n", 2, "object"),
    "jsonl-unknown-field": (json.dumps({**people.guest("a"), "surname": "x"}) + "\n", 1, "surname"),
    "jsonl-field-twice": (json.dumps(people.guest("a")) + '\n{"id": "x", "id": "y"}\n', 2, "id"),
    "jsonl-wrong-type": (
        json.dumps(people.guest("a")) + "\n" + json.dumps(people.guest("b", upn=7)) + "\n", 2, "upn"
    ),
    "jsonl-bad-group": (json.dumps(people.guest("a", groups=["x", 1])) + "\n", 1, "groups"),
    "jsonl-nul": (json.dumps(people.guest("a", name="x\0")) + "\n", 1, "JSON"),
    "graph-no-id": ('{"value": [\n{"userPrincipalName": "a@b", "userType": "Guest"}\n]}', 2, "id"),
    "graph-bad-type": (
        '{"value": [\n{"id": "x", "userPrincipalName": "a@b", "userType": "Alien"}\n]}',
        2,
        "userType",
    ),
    "graph-bad-date": (
        '{"value": [{"id": "y", "userPrincipalName": "y@b", "userType": "Guest"},\n'
        '{"id": "x", "userPrincipalName": "a@b", "userType": "Guest", "deletedDateTime": "soon"}]}',
        2,
        "deletedDateTime",
    ),
    "graph-cut": (
        '{"value": [\n{"id": "y", "userPrincipalName": "y@b", "userType": "Guest"},\n', 3, "JSON"
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_told_by_line_and_field_and_changes_nothing(
    ctl, client, contoso, tmp_path, name
):
    text, line, field = MALFORMED[name]
    file = tmp_path / "people"
    file.write_text(text)
    good = tmp_path / "good.jsonl"
    good.write_text(json.dumps(people.guest("good")) + "\n")
    before = people.head(client)
    ended = ctl("import", "--org=contoso", good, file, code=FAILURE)
    first = ended.stderr.splitlines()[0]
    assert first.startswith(f"{file}:{line}: ") and field in first
    assert people.head(client) == before


def test_every_malformed_row_is_told_at_once(ctl, contoso, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(
        "org,id,kind,upn\n" + "contoso,x y,member,a@b\n" * 5 + "contoso,x,guest,nobody\n"
    )
    told = ctl("import", file, code=FAILURE).stderr
    for line in range(2, 8):
        assert f"{file}:{line}: " in told
    assert f"{file}:7: kind" in told and f"{file}:7: upn" in told


GUID = "8f14e45f-ceea-467f-a8d1-1b2c3d4e5f60"

GRAPH_USERS = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
    "value": [
        {
            "id": GUID,
            "userPrincipalName": "ada_fabrikam.com#EXT#@contoso.onmicrosoft.com",
            "mail": "ada@fabrikam.com",
            "displayName": "Ada Lovelace",
            "userType": "Guest",
            "accountEnabled": True,
            "businessPhones": [],
            "givenName": "Ada",
            "memberOf": [
                {"@odata.type": "#microsoft.graph.group", "id": "1", "displayName": "Engine"}
            ],
        },
        {
            "id": "1d665f0c-44cb-4d55-8df8-b1f5d2a1c0de",
            "userPrincipalName": "grace@contoso.com",
            "mail": None,
            "displayName": "Grace Hopper",
            "userType": "Member",
            "accountEnabled": False,
        },
    ],
}

GRAPH_DELETED = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#directoryObjects",
    "value": [
        {
            "@odata.type": "#microsoft.graph.user",
            "id": "5c0fd1cf-7a4d-4f0b-9f55-3b8a3e0c9d11",
            "userPrincipalName": "5c0fd1cf7a4d4f0b9f553b8a3e0c9d11"
            "alan_fabrikam.com#EXT#@contoso.onmicrosoft.com",
            "mail": "alan@fabrikam.com",
            "displayName": "Alan Turing",
            "userType": "Guest",
            "accountEnabled": True,
            "deletedDateTime": "2025-12-12T08:30:00Z",
        }
    ],
}


def test_what_graph_answers_for_users_and_deleted_items_is_imported(ctl, client, contoso, tmp_path):
    users, deleted = tmp_path / "users.json", tmp_path / "deleted.json"
    users.write_text(json.dumps(GRAPH_USERS, indent=2))
    deleted.write_text(json.dumps(GRAPH_DELETED))
    assert ctl.json("import", "--org=contoso", users, deleted)["counts"]["created"] == 3
    ada = people.get(client, GUID)
    grace = people.get(client, "1d665f0c-44cb-4d55-8df8-b1f5d2a1c0de")
    alan = people.get(client, "5c0fd1cf-7a4d-4f0b-9f55-3b8a3e0c9d11")
    assert (ada["kind"], ada["person"], ada["groups"]) == (
        people.GUEST, "ada@fabrikam.com", ["Engine"]
    )
    assert (grace["kind"], grace["enabled"], grace["state"]) == (people.MEMBER, False, "active")
    assert alan["upn"] == "alan_fabrikam.com#EXT#@contoso.onmicrosoft.com"
    assert (alan["state"], alan["deleted_at_us"]) == (
        "soft-deleted", BEGIN - 20 * DAY + (8 * 60 + 30) * 60_000_000
    )


def test_an_export_that_has_more_pages_is_told_to_be_incomplete(ctl, contoso, tmp_path):
    file = tmp_path / "users.json"
    file.write_text(
        json.dumps({**GRAPH_USERS, "@odata.nextLink": "https://graph.microsoft.com/next"})
    )
    assert "not complete" in ctl("import", "--org=contoso", file).stderr


def test_an_import_tells_where_each_refused_row_stands(ctl, client, three, tmp_path):
    file = tmp_path / "people.jsonl"
    file.write_text("\n".join(json.dumps(people.guest(id)) for id in ("alex", "kim", "new")))
    told = ctl.json("import", file, code=PARTIAL)
    assert told["counts"]["outcomes"] == {"ok": 2, "soft-deleted-exists": 1}
    refused = [(item["id"], item["line"], item["file"]) for item in told["items"]]
    assert refused == [("kim", 2, str(file))]
    assert ctl.json("import", "--new-incarnation", file)["counts"]["created"] == 1


def test_a_dry_run_of_an_import_changes_nothing(ctl, client, contoso, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    before = people.head(client)
    assert ctl.json("import", "--dry-run", file)["counts"]["created"] == 3
    assert "dry run" in ctl("import", "--dry-run", file).stdout
    assert people.head(client) == before


# What it tells


def test_every_verb_that_only_looks_answers_json(ctl, client, three):
    for arguments in (
        ["status"],
        [],
        ["info"],
        ["api"],
        ["org", "contoso"],
        ["orgs"],
        ["show", "contoso/alex"],
        ["show", "uid:1"],
        ["show", f"contoso/{people.person('alex')}"],
        ["explain", "contoso/kim"],
        ["list"],
        ["list", "--state=soft-deleted", "--due-before=+31d"],
        ["organizations", people.person("alex")],
        ["due"],
        ["due", "--within=90d", "--by=week"],
        ["sweep-status"],
        ["sweep"],
        ["log"],
        ["log", "contoso/kim"],
        ["head"],
        ["verify"],
        ["stats"],
        ["call", "account.get", '{"uid": 1}'],
    ):
        assert isinstance(ctl.json(*arguments), (dict, list)), arguments
        assert ctl(*arguments).stdout, arguments


def test_json_of_a_list_has_every_account(ctl, client, contoso):
    people.take_in(client, *[people.guest(f"g{i}") for i in range(2500)])
    assert len(ctl.json("list")) == 2500
    assert len(ctl.json("list", "--org=contoso", "--limit=7")) == 7
    assert ctl.json("list", "--state=removed") == []
    assert "2500 rows" in ctl("list").stdout


def test_show_tells_an_account_as_the_daemon_does(ctl, client, three):
    told = ctl.json("show", "contoso/kim")
    assert told["account"] == people.get(client, "kim")
    text = ctl("show", "contoso/kim", "--utc").stdout
    assert "soft-deleted" in text and "2026-01-31" in text


def test_an_explanation_says_what_comes_next_and_why(ctl, three):
    text = ctl("explain", "contoso/kim", "--utc").stdout
    assert "soft-deleted" in text and "2026-01-31" in text


def test_a_refused_leave_says_every_reason_and_whom_to_ask(ctl, client, three):
    people.set_org(client, allow_leave=False)
    text = ctl("leave", "contoso/dan", code=REFUSED).stdout
    assert "does not let its guests leave" in text and "disabled" in text
    assert people.PRIVACY["privacy_contact"] in text


def test_a_refused_leave_names_the_way_that_is_left(ctl, client, three):
    people.set_org(client, allow_leave=False)
    text = ctl("leave", "contoso/dan", code=REFUSED).stdout
    assert "a removal request can be filed: retentionctl file contoso/dan\n" in text
    text = ctl("file", "contoso/dan", "--utc").stdout
    assert "contoso/dan: request 1 filed; it is to be decided by 2026-" in text
    assert "it is request 1\n" in ctl("file", "contoso/dan", code=REFUSED).stdout
    assert "1 removal request waits for a decision" in ctl("status").stdout


def test_quiet_says_nothing_of_a_change_that_went_well(ctl, three):
    assert ctl("-q", "set-org", "contoso", "--name=Contoso").stdout == ""
    assert ctl("-q", "set-keeper", "crm").stdout == ""
    assert ctl("-q", "pause").stdout == ""
    assert "Contoso" in ctl("-q", "org", "contoso").stdout


def test_quiet_says_nothing_of_a_sweep_that_went_well(ctl, client, three):
    assert ctl("sweep").stdout == "0 removals started, 0 completed, 0 failed\n"
    assert ctl("-q", "sweep").stdout == ""
    assert ctl.json("-q", "sweep")["failed"] == 0


def test_a_sweep_that_was_never_answered_has_no_totals(ctl, daemon):
    daemon.stop()
    assert ctl("sweep", code=UNREACHABLE).stdout == ""
    assert ctl("-j", "sweep", code=UNREACHABLE).stdout == ""


def test_a_part_of_the_ledger_is_not_said_to_be_all_of_it(ctl, client, three):
    last = people.head(client)
    assert "chain whole" in ctl("verify").stdout
    assert "chain whole" in ctl("verify", f"--limit={last}").stdout
    assert ctl("verify", "--limit=2").stdout == "entries 1 to 2 hold; go on with --from=3\n"
    assert ctl("verify", "--from=2").stdout == f"entries 2 to {last} hold\n"


def test_a_dry_run_of_a_setting_says_that_nothing_was_changed(ctl, client, three):
    before = people.head(client)
    for arguments in (
        ["pause"], ["resume"], ["set-org", "contoso", "--name=C"], ["set-keeper", "crm"]
    ):
        told = ctl(*arguments, "--dry-run").stdout
        assert told.startswith("dry run, nothing was changed:\n"), arguments
        assert isinstance(ctl.json(*arguments, "--dry-run"), dict)
    assert people.head(client) == before


def test_a_fault_names_the_option_as_it_was_written(ctl, three):
    assert "--within: must " in ctl("due", "--within=9999d", "--by=hour", code=USAGE).stderr
    told = ctl("set-org", "contoso", "--window=181d", code=USAGE).stderr
    assert told == "retentionctl: --window=181d must be 1d to 180d\n"


def test_a_watch_goes_on_after_a_restart_before_which_nothing_happened(ctl, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(60)
        with subprocess.Popen(
            [program("RETENTIONCTL"), f"--socket={path}", "watch", "--from=7"],
            env=ctl.environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            for _ in range(2):
                with Client(listening.accept()[0]) as connected:
                    _, msgid, method, params = connected.read_message()
                    assert (method, params) == ("events.subscribe", [{"from": 7}])
                    connected.send(msgpack.packb([RESPONSE, msgid, None, {"from": 7}]))
                assert "waiting to go on from 7" in process.stderr.readline()
            process.terminate()


def test_an_explanation_says_where_each_keeper_stands(ctl, three):
    ctl("set-keeper", "crm")
    ctl("purge", "--yes", "contoso/kim")
    assert "Waits for: crm (never claimed)." in ctl("explain", "contoso/kim").stdout
    assert ctl.json("explain", "contoso/kim")["tasks"] == [{"keeper": "crm", "attempts": 0}]
    text = ctl("waive", "crm", "contoso/kim", "--yes", "--reason=gone").stdout
    assert "nobody owes anything any more; the removal completes with the next sweep" in text
    assert "KEEPER" in ctl("log").stdout and "RESULT" in ctl("log").stdout


def test_a_receipt_is_not_found_by_a_name_and_says_by_what(ctl):
    text = ctl("receipt", "contoso/nobody@fabrikam.example", code=NOT_FOUND).stdout
    assert "look it up by ORG/ID or uid:N" in text
    assert "ORG/ID or uid:N: the person's name is no" in ctl("receipt", "--help").stdout


def test_every_verb_has_help(ctl):
    overview = ctl("--help").stdout
    for verb in ("leave", "restore", "purge", "import", "list", "advance", "status", "call"):
        assert verb in overview
        assert "Usage: " in ctl(verb, "--help").stdout
        assert ctl("help", verb).stdout == ctl(verb, "--help").stdout
    assert ctl("--version").stdout.startswith("retentionctl ")


# Bulk


def test_accounts_come_from_files_and_standard_input(ctl, client, contoso, tmp_path):
    people.take_in(client, *[people.guest(f"g{i}") for i in range(2500)])
    file = tmp_path / "accounts"
    lines = [f"contoso/g{i}  # ticket\n" for i in range(2500)]
    file.write_text("# who left in May\n\n" + "".join(lines))
    assert set(people.outcomes(ctl.json("leave", f"@{file}"))) == {"ok"}
    assert "2500 ok" in ctl("restore", f"@{file}").stdout
    items = ctl.json("leave", "contoso/g0", "-", "uid:3", stdin="contoso/g1\n")
    assert [item.get("id", item.get("uid")) for item in items] == ["g0", "g1", 3]
    assert client.call("stats.get")["accounts"]["soft_deleted"] == 3


def test_a_wrong_line_of_a_file_is_told_and_nothing_is_done(ctl, client, three, tmp_path):
    file = tmp_path / "accounts"
    file.write_text("contoso/alex\nnonsense\ncontoso/\n")
    before = people.head(client)
    told = ctl("remove", f"@{file}", code=USAGE).stderr
    assert f"{file}:2: " in told and "1 more" in told
    assert people.head(client) == before


def test_a_dry_run_says_what_would_happen_and_never_asks(ctl, client, three):
    before = people.head(client)
    assert people.outcomes(ctl.json("purge", "--dry-run", "contoso/kim")["items"]) == ["ok"]
    assert people.outcomes(ctl.json("leave", "--dry-run", "contoso/alex")["items"]) == ["ok"]
    assert "dry run" in ctl("remove", "--dry-run", "contoso/alex").stdout
    assert people.head(client) == before


def test_a_reason_and_a_ticket_go_with_a_command(ctl, client, three):
    ctl("remove", "contoso/alex", "--reason=contract ended", "--ref=T-1", "--request-id=r1")
    ctl("remove", "contoso/alex", "--reason=contract ended", "--ref=T-1", "--request-id=r1")
    entry = client.call("account.explain", **people.name("alex"))["history"][-1]
    assert (entry["event"], entry["reason"], entry["ref"]) == ("deleted", "contract ended", "T-1")


# Exit codes


def test_0_when_done(ctl, client, three):
    for arguments in (
        ["set-org", "adatum", "--name=Adatum", "--window=10d", "--allow-leave=yes"],
        ["leave", "contoso/alex"],
        ["restore", "contoso/alex", "contoso/kim"],
        ["disable", "contoso/alex"],
        ["enable", "contoso/alex"],
        ["remove", "contoso/alex"],
        ["purge", "--yes", "contoso/alex"],
        ["pause"],
        ["resume"],
        ["sweep"],
        ["advance", "30d"],
        ["verify"],
    ):
        ctl(*arguments)
    assert client.call("org.get", org="adatum")["org"]["window_us"] == 10 * DAY


@pytest.mark.parametrize(
    "arguments",
    [
        ["advance", "2026-03-01T00:00:00Z"],
        ["advance", "--to=2026-03-01"],
        ["list", "--due-before=2026-03-01T00:00:00Z"],
    ],
)
def test_an_instant_may_be_written_out(ctl, three, arguments):
    ctl(*arguments)


def test_the_log_of_an_account_that_there_is_not_exits_10(ctl, three):
    assert "row" not in ctl("log", "contoso/ghost", code=NOT_FOUND).stdout


def test_1_when_the_daemon_cannot_do_it(ctl, tmp_path):
    ctl("import", tmp_path / "not-there.csv", code=FAILURE)
    ctl("receipt", "verify", tmp_path / "not-there", code=FAILURE)
    ctl("leave", f"@{tmp_path}/not-there", code=FAILURE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-verb"],
        ["leev", "contoso/alex"],
        ["leave"],
        ["leave", "alex"],
        ["leave", "contoso/"],
        ["leave", "uid:0"],
        ["leave", "uid:-1"],
        ["show", "contoso/alex", "contoso/kim"],
        ["show", "-"],
        ["list", "--state=deleted"],
        ["list", "--limit=0"],
        ["list", "--no-such-option"],
        ["list", "operand"],
        ["due", "--within=1month"],
        ["set-org", "con/toso"],
        ["set-org", "contoso", "--window=1y"],
        ["set-org", "contoso", "--window=181d"],
        ["restore", "--new-upn=nobody", "contoso/kim"],
        ["advance", "1month"],
        ["call", "retention.info", "nonsense"],
        ["call", "no.such.method"],
        ["--timeout=0s", "info"],
    ],
)
def test_2_when_the_command_line_is_wrong(ctl, client, three, arguments):
    before = people.head(client)
    ended = ctl(*arguments, code=USAGE)
    assert ended.stdout == "" and ended.stderr.startswith("retentionctl: ")
    assert json.loads(ctl("-j", *arguments, code=USAGE).stderr)["error"]
    assert people.head(client) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_4_without_permission(tmp_path):
    with running("[grant some]\nrole = admin\nusers = 4001\norganizations = contoso\n") as daemon:
        nobody, some = Ctl(daemon.socket, 4002), Ctl(daemon.socket, 4001)
        nobody("list", code=PERMISSION)
        assert "no role" in nobody("status").stdout
        some("remove", "adatum/alex", code=PERMISSION)
        some("verify", code=PERMISSION)
        daemon.socket.chmod(0o600)
        nobody("info", code=PERMISSION)


def test_7_when_the_daemon_is_not_there(ctl, daemon):
    daemon.stop()
    for verb in (["info"], ["status"], ["leave", "contoso/alex"]):
        assert "not reachable" in ctl(*verb, code=UNREACHABLE).stderr
    ctl("--help")


def test_10_when_there_is_no_such_account(ctl, three):
    for arguments in (
        ["show", "contoso/ghost"],
        ["explain", "uid:99"],
        ["leave", "contoso/ghost"],
        ["org", "ghost"],
        ["deny", "99", "--reason=none"],
    ):
        ctl(*arguments, code=NOT_FOUND)


def test_11_when_refused(ctl, three):
    for arguments in (
        ["leave", "contoso/kim"],
        ["restore", "contoso/alex"],
        ["set-org", "adatum", "--allow-leave=no"],
    ):
        ctl(*arguments, code=REFUSED)
    ctl("leave", "contoso/kim", "contoso/dan", code=REFUSED)


def test_12_when_some_were_done_and_some_were_not(ctl, three):
    items = ctl.json("leave", "contoso/alex", "contoso/kim", "contoso/ghost", code=PARTIAL)
    assert people.outcomes(items) == ["ok", "already-left", "not-found"]


def test_13_when_nothing_answers_in_time(tmp_path):
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        assert "within" in Ctl(path)("--timeout=50ms", "info", code=TIMEOUT).stderr


def test_14_when_the_ledger_is_not_what_was_written(ctl, daemon, client, contoso):
    people.take_in(client, *[people.guest(f"g{i}") for i in range(1500)])
    wanted = bytes.fromhex(
        client.call("ledger.read", limit=1, **{"from": 50})["entries"][0]["hash"]
    )
    daemon.stop()
    store = daemon.state / "store" / "data.mdb"
    store.write_bytes(store.read_bytes().replace(wanted, bytes(len(wanted))))
    daemon.start()
    assert "failed at entry 51" in ctl("verify", code=VERIFICATION).stdout
    assert ctl.json("verify", code=VERIFICATION)["fault"]["seq"] == 51


def test_20_when_a_purge_is_not_confirmed(ctl, client, three):
    before = people.head(client)
    assert "--yes" in ctl("purge", "contoso/kim", code=CONFIRMATION).stderr
    ctl("purge", "contoso/kim", stdin="1\n", code=CONFIRMATION)
    ctl("purge", "-", stdin="contoso/kim\n", code=CONFIRMATION)
    ctl("purge", "--yes", "-", stdin="contoso/kim\n", code=USAGE)  # nobody has seen whom
    assert people.head(client) == before


@pytest.mark.parametrize(
    "typed, code",
    [("2\n", OK), ("yes\n", CONFIRMATION), ("\n", CONFIRMATION), ("\x04", CONFIRMATION)],
)
def test_a_purge_on_a_terminal_is_confirmed_by_typing_how_many(ctl, client, three, typed, code):
    people.do(client, "leave", "alex")
    ours, theirs = terminal()
    os.write(ours, typed.encode())
    with subprocess.Popen(
        [program("RETENTIONCTL"), "purge", "contoso/alex", "contoso/kim"],
        env=ctl.environment,
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        assert process.wait(60) == code
    told = os.read(ours, 4096).decode()
    os.close(ours)
    os.close(theirs)
    assert "2 accounts" in told
    state = people.get(client, "kim")["state"]
    assert state in ("removing", "removed") if code == OK else state == "soft-deleted"


def test_130_when_interrupted_between_two_parts_of_a_bulk_command(ctl, tmp_path):
    """The part that is under way is heard out, the next one is not begun."""
    accounts = tmp_path / "accounts"
    accounts.write_text("".join(f"contoso/g{i}\n" for i in range(1001)))
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(60)
        process = subprocess.Popen(
            [program("RETENTIONCTL"), f"--socket={path}", "leave", "--yes", f"@{accounts}"],
            env=ctl.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with Client(listening.accept()[0]) as connected:
            _, msgid, method, params = connected.read_message()
            process.send_signal(signal.SIGINT)  # it is pending before the answer is there
            items = [{**account, "outcome": "ok"} for account in params[0]["accounts"]]
            connected.send(msgpack.packb([RESPONSE, msgid, None, {"items": items}]))
            _, told = process.communicate(timeout=60)
            assert connected.is_closed()
    assert (method, len(items)) == ("account.leave", 1000)
    assert process.returncode == INTERRUPTED
    assert "1000 of 1001" in told


def test_what_is_printed_does_not_steer_the_terminal(ctl, client, contoso):
    for name in ("bidi \u202e override", "c1 \x9b31m", "zero \u200b width"):
        try:
            people.take_in(client, people.guest("alex", name=name))
        except RpcError:
            continue  # refused by the daemon already
        assert not set("\u202e\x9b\x1b") & set(ctl("show", "contoso/alex").stdout)


def test_times_that_were_taken_are_shown_as_spans(ctl, client):
    told = ctl("stats").stdout + ctl("sweep-status").stdout
    assert "1970" not in told
    assert "answer times buckets" in told and "commit times buckets" in told


def test_who_disables_and_enables_is_told_so(ctl, client):
    people.set_org(client)
    people.take_in(client, people.guest("alex"))
    assert ctl("disable", "contoso/alex").stdout == "contoso/alex: disabled\n"
    assert ctl("enable", "contoso/alex").stdout == "contoso/alex: enabled\n"
