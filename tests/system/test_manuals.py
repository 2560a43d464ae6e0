# SPDX-License-Identifier: Apache-2.0
"""The manual says what is there, all of it and nothing else; and what it shows works as written."""

import functools
import os
import pathlib
import re
import subprocess

import msgpack
import pytest

import keepers
import people
from daemon import BEGIN, ENVIRONMENT, SIMULATED, Daemon, program, running
from wire import DEADLINE, connect

TOP = pathlib.Path(__file__).parents[2]
MANUALS = TOP / "build/man"
PAGES = [
    "retentiond.8",
    "retentionctl.1",
    "retentiond.conf.5",
    "retention-protocol.7",
    "retention-keeper.7",
]

# So wide that no line is broken: what belongs together is one line.
WIDE = {**ENVIRONMENT, "MANWIDTH": "6000", "MAN_KEEP_FORMATTING": ""}

SECTION, SUBSECTION, TERM, INSIDE = 0, 3, 7, 11  # columns in which lines begin


def run(*command, **more):
    return subprocess.run(
        list(map(str, command)),
        env={**ENVIRONMENT, **more.pop("environment", {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        **more,
    )


@functools.cache
def lines_of(page):
    """The page as people read it, a pair of column and text for each line."""
    shown = subprocess.run(
        ["man", "--local-file", MANUALS / page],
        env=WIDE, capture_output=True, text=True, timeout=DEADLINE, check=True,
    )
    assert shown.stderr == ""
    return [(len(line) - len(line.lstrip()), line.strip()) for line in shown.stdout.splitlines()]


def section(page, *headings):
    """The lines of a section, or of a subsection of it."""
    lines = lines_of(page)
    for level, heading in zip((SECTION, SUBSECTION), headings):
        begin = lines.index((level, heading)) + 1
        end = begin
        while end < len(lines) and (lines[end][1] == "" or lines[end][0] > level):
            end += 1
        lines = lines[begin:end]
    return lines


def terms(lines, column=TERM):
    """The lines that have more deeply indented ones behind them."""
    return [
        text
        for (at, text), (next_at, next_text) in zip(lines, lines[1:])
        if at == column and text and next_text and next_at > column
    ]


def entries(lines, column=TERM):
    """Each term with the lines under it."""
    found, current = {}, None
    wanted = set(terms(lines, column))
    for at, text in lines:
        if text and at <= column:
            current = text if at == column and text in wanted else None
            if current is not None:
                assert current not in found, current
                found[current] = []
        elif current is not None:
            found[current].append((at, text))
    return found


def block(page, first, nth=0):
    """An example, by its first line."""
    lines = lines_of(page)
    begin = [i for i, (_, text) in enumerate(lines) if text == first][nth]
    column = lines[begin][0]
    taken = []
    for at, text in lines[begin:]:
        if text and at < column:
            break
        taken.append(" " * (at - column) + text if text else "")
    return "\n".join(taken).rstrip() + "\n"


# Form


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_without_fault(page):
    for command in (
        ["mandoc", "-Tlint", "-Wwarning"],
        ["groff", "-k", "-man", "-Tutf8", "-ww", "-z"],
    ):
        said = run(*command, MANUALS / page)
        assert (said.stdout, said.stderr) == ("", ""), command


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_read_and_found(page):
    name, section_number = page.rsplit(".", 1)
    lines = lines_of(page)
    assert lines[0][1].startswith(f"{name}({section_number})")
    assert section(page, "NAME")[0][1].startswith(f"{name} - ")
    version = run(program("RETENTIONCTL"), "--version").stdout.split()[-1]
    assert lines[-1][1].startswith(f"retentiond {version} ")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_refers_to_pages_that_are_there(page):
    text = " ".join(text for _, text in lines_of(page))
    ours = set(re.findall(r"\b(retention[a-z.-]*)\((\d)\)", text))
    assert {f"{name}.{number}" for name, number in ours} <= set(PAGES)
    others = {other for other in PAGES if other != page}
    see_also = " ".join(text for _, text in section(page, "SEE ALSO"))
    seen = {f"{name}.{number}" for name, number in re.findall(r"([\w.-]+)\((\d)\)", see_also)}
    assert others - seen == set()


# retentionctl(1)


def told_by_help(*arguments):
    ended = run(program("RETENTIONCTL"), *arguments)
    assert ended.returncode == 0, ended
    return ended.stdout


def verbs_of_help():
    overview = told_by_help("--help").split("\nOptions of every verb\n")[0]
    return set(re.findall(r"^  ([a-z-]+)(?: |$)", overview, re.MULTILINE))


def verbs_of_page():
    return {term.split()[0]: lines for term, lines in entries(section(PAGES[1], "VERBS")).items()}


def options(text):
    return set(re.findall(r"^ *(?:-\w, +)?--([a-z-]+)", text, re.MULTILINE))


def options_of_terms(lines, column):
    return options("\n".join(terms(lines, column)))


def test_every_verb_is_in_the_manual_and_no_other():
    assert set(verbs_of_page()) == verbs_of_help()


def test_every_option_of_a_verb_is_in_the_manual_and_no_other():
    of_every = options_of_terms(section("retentionctl.1", "OPTIONS OF EVERY VERB"), TERM)
    of_changes = options_of_terms(section("retentionctl.1", "OPTIONS OF CHANGES"), TERM)
    assert of_every and of_changes == {"dry-run", "reason", "ref", "request-id"}
    overview = told_by_help("--help").split("\nOptions of every verb\n")[1]
    assert of_every == options(overview.split("\nExit codes\n")[0])
    for verb, lines in verbs_of_page().items():
        if verb in ("status", "help"):
            continue  # their --help is the overview
        listed = options_of_terms(lines, INSIDE) | of_every
        if any("Takes the options of changes" in text for _, text in lines):
            listed |= of_changes
        about, _, told = told_by_help(verb, "--help").partition("\nOptions of ")
        assert listed == options(told), verb


def test_the_words_about_an_option_are_those_of_help():
    overview = told_by_help("set-org", "--help")
    told = dict(re.findall(r"^ +--(?:[a-z-]+)(\S*)(?: +|\n +)(.*)$", overview, re.MULTILINE))
    assert told
    page = {text.rstrip(".") for _, text in verbs_of_page()["set-org"]}
    page |= {text.rstrip(".") for _, text in section("retentionctl.1", "OPTIONS OF CHANGES")}
    page |= {text.rstrip(".") for _, text in section("retentionctl.1", "OPTIONS OF EVERY VERB")}
    assert {words.rstrip(".") for words in told.values()} <= page


def test_a_verb_that_needs_a_reason_says_so():
    verbs = verbs_of_page()
    needy = {v for v in verbs if any("It needs --reason." in text for _, text in verbs[v])}
    assert {"waive", "deny"} <= needy and "remove" not in needy


def test_every_exit_code_of_the_client_is_in_the_manual_and_no_other():
    told = told_by_help("--help").split("\nExit codes\n")[1]
    codes = dict(re.findall(r"^ +(\d+)  ([a-z-]+)", told, re.MULTILINE))
    listed = dict(
        re.fullmatch(r"(\d+) \(([a-z-]+)\)", term).groups()
        for term in terms(section("retentionctl.1", "EXIT STATUS"))
    )
    assert codes and listed == codes


@pytest.fixture
def place(tmp_path):
    """A directory to work in, and a $PATH that finds our programs."""
    (tmp_path / "bin").mkdir()
    for variable, name in (("RETENTIOND", "retentiond"), ("RETENTIONCTL", "retentionctl")):
        (tmp_path / "bin" / name).symlink_to(os.path.abspath(program(variable)))
    return tmp_path


def shell(place, script, socket=None):
    environment = {"PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    if socket is not None:
        environment["RETENTIOND_SOCKET"] = str(socket)
    ended = run("sh", "-euc", script, environment=environment, cwd=place)
    assert ended.returncode == 0, (script, ended)
    return ended.stdout


def blocks_of(page, heading):
    """Every example of a section, in order."""
    found, current = [], None
    for at, text in section(page, heading):
        if at >= INSIDE and text:
            current = [] if current is None else current
            current.append(" " * (at - INSIDE) + text)
        elif current is not None:
            found.append("\n".join(current))
            current = None
    return found


def test_the_examples_of_the_client_run_one_after_the_other(daemon, place):
    (place / "users.csv").write_text(
        "id,kind,upn,person\n"
        "1,b2b-collaboration,jane_fabrikam@contoso.example,jane@fabrikam.example\n"
        "2,b2b-collaboration,kim_fabrikam@contoso.example,kim@fabrikam.example\n"
    )
    (place / "leavers.txt").write_text("contoso/kim@fabrikam.example\n")
    examples = blocks_of("retentionctl.1", "EXAMPLES")
    assert len(examples) == 8
    for example in examples:
        shell(place, example, daemon.socket)
    with daemon.connect() as client:
        assert people.get(client, "1")["state"] == "active"
        assert people.get(client, "2")["state"] == "soft-deleted"


# retention-protocol(7)

PROTOCOL = "retention-protocol.7"


@pytest.fixture
def api(client):
    return client.call("retention.api")


def test_every_method_is_in_the_manual_and_no_other(api):
    methods = entries(section(PROTOCOL, "METHODS"))
    assert set(methods) == {method["method"] for method in api["methods"]}
    for method in api["methods"]:
        text = "\n".join(text for _, text in methods[method["method"]])
        (listed,) = re.findall(r"^Arguments: (.*)\.$", text, re.MULTILINE)
        arguments = [
            argument["name"] + (" (required)" if argument["required"] else "")
            for argument in method["arguments"]
        ]
        assert listed == (", ".join(arguments) or "none"), method["method"]
        assert method["summary"] in text
        assert f"Since level {method['since']}." in text
        assert ("Changes something." in text) == method["changes"]
        role = "Needs no role." if method["role"] == "any" else f"Role {method['role']}"
        assert role in text
        if method["role"] not in ("any", "keeper"):
            assert ("over all organizations" in text) == (method["scope"] == "all")
        assert f"Result: {method['result']}" in text


def test_every_argument_is_explained_and_no_other(api):
    arguments = terms(section(PROTOCOL, "ARGUMENTS"))
    named = {term.split()[0] for term in arguments}
    told = {a["name"]: a for method in api["methods"] for a in method["arguments"]}
    assert named == set(told)
    text = "\n".join(text for _, text in section(PROTOCOL, "ARGUMENTS"))
    for argument in told.values():
        assert argument["help"] in text
        assert f"({argument['type']}: " in text


def test_every_field_of_an_item_is_explained_and_no_other(api):
    headings = {
        "account_fields": "Items of an array of accounts",
        "import_fields": "Items of an array of accounts to import",
        "confirmation_fields": "Items of an array of tasks confirmed",
        "failure_fields": "Items of an array of tasks failed",
        "lease_fields": "Items of an array of tasks",
        "request_fields": "Items of an array of removal requests",
    }
    assert set(headings) == {key for key in api if key.endswith("_fields")}
    for key, heading in headings.items():
        listed = [
            (term.split()[0], term.endswith(", required"))
            for term in terms(section(PROTOCOL, "ITEMS", heading))
        ]
        assert listed == [(field["name"], field["required"]) for field in api[key]]


def test_every_outcome_is_in_the_manual_and_no_other(api):
    listed = entries(section(PROTOCOL, "OUTCOMES"))
    assert list(listed) == [outcome["code"] for outcome in api["outcomes"]]
    for outcome in api["outcomes"]:
        assert listed[outcome["code"]][0][1].rstrip(".") == outcome["text"].rstrip(".")


def test_every_error_is_in_the_manual_and_no_other(api):
    listed = entries(section(PROTOCOL, "ERRORS"))
    assert list(listed) == [error["code"] for error in api["errors"]]
    for error in api["errors"]:
        assert listed[error["code"]][0][1].rstrip(".") == error["text"].rstrip(".")


def test_every_event_is_in_the_manual_and_no_other():
    source = (TOP / "daemon/store/rows_entry.c").read_text()
    events = re.findall(r'\[EVENT_\w+\] = "([a-z-]+)"', source)
    listed = ", ".join(terms(section(PROTOCOL, "EVENTS"))).split(", ")
    assert events and sorted(listed) == sorted(events)


def test_the_limits_are_those_that_a_peer_meets(daemon, client):
    limits = {term: lines[0][1] for term, lines in entries(section(PROTOCOL, "LIMITS")).items()}
    api = {method["method"]: method for method in client.call("retention.api")["methods"]}
    assert limits["any other request"] == f"{api['org.get']['frame_max']} bytes"
    large = limits["a request with a list of accounts, tasks or requests"]
    assert large == f"{api['account.leave']['frame_max']} bytes"
    assert limits["items in a request, rows in a page"] == "1000"


def dump(first, nth=0):
    """The bytes of an example: pairs of hexadecimal digits, and two blanks before the words."""
    data = b""
    for line in block(PROTOCOL, first, nth).splitlines():
        data += bytes.fromhex(re.match(r"\s*((?:[0-9a-f]{2} ?)+)(?:  |$)", line + "  ")[1])
    return data


@pytest.fixture
def leaver(client):
    """The account of the examples: the daemon's first."""
    people.set_org(client, "contoso")
    people.take_in(client, people.guest("8f14e", person="ada@fabrikam.example"))


REQUEST = "94                                          array of 4"
ANSWER = "dc 00 04                                    array of 4"
EVENT = "dc 00 03                                    array of 3"


def exchange(daemon, data, n):
    """Sends bytes, and reads as many as are expected."""
    with daemon.connect() as connected:
        connected.send(data)
        got = b""
        while len(got) < n:
            more = connected.socket.recv(n - len(got))
            assert more, got
            got += more
        return got


def test_the_bytes_of_the_examples_are_those_on_the_wire(daemon, leaver):
    with daemon.connect() as subscriber:
        subscriber.call("events.subscribe")
        for nth in (0, 1):
            request, answer = dump(REQUEST, nth), dump(ANSWER, nth)
            assert exchange(daemon, request, len(answer)) == answer
        told, shown = subscriber.read_message(), msgpack.unpackb(dump(EVENT))
    assert len(told[2][0].pop("hash")) == len(shown[2][0].pop("hash"))
    assert told == shown or os.getuid() != 0
    assert list(told[2][0]) == list(shown[2][0])


def test_the_words_beside_the_bytes_are_what_they_mean(leaver):
    request, answer, event = dump(REQUEST), dump(ANSWER), dump(EVENT)
    accounts = [{"org": "contoso", "id": "8f14e"}]
    assert msgpack.unpackb(request) == [0, 1, "account.leave", [{"accounts": accounts}]]
    assert msgpack.unpackb(answer)[3]["items"][0]["deleted_at_us"] == BEGIN
    for data, first, nth in ((request, REQUEST, 0), (answer, ANSWER, 0), (event, EVENT, 0)):
        quoted = re.findall(r'  "([^"]{1,24})"$', block(PROTOCOL, first, nth), re.MULTILINE)
        assert quoted
        for word in quoted:
            assert word.encode() in data


def python(script, *arguments, **environment):
    return subprocess.Popen(
        ["/usr/bin/python3", "-c", script, *map(str, arguments)],
        env={**ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_client_in_python_works_as_written(daemon, leaver):
    script = block(PROTOCOL, "import socket")
    assert "/run/retentiond/retentiond.sock" in script
    ended = python(script.replace("/run/retentiond/retentiond.sock", str(daemon.socket)))
    assert ended.communicate(timeout=DEADLINE) == ("contoso ok\n", "")
    assert ended.returncode == 0


def test_the_client_in_a_shell_works_as_written(daemon, leaver, place):
    told = shell(place, blocks_of(PROTOCOL, "EXAMPLES")[-1], daemon.socket)
    assert '"8f14e"' in told and '"ok"' in told


# retention-keeper(7)

KEEPER = "retention-keeper.7"


@pytest.fixture
def crm():
    """A daemon, contoso in it, and the keeper crm, which who runs the tests may be."""
    with running(keepers.grant("crm")) as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso")
            keepers.set_keeper(client, "crm")
        yield daemon


def removing(client, *ids):
    people.take_in(client, *(people.direct(id) for id in ids))
    items = client.items("account.remove", people.names(ids))
    assert people.outcomes(items) == ["ok"] * len(ids)
    return [item["uid"] for item in items]


def await_removed(subscriber, uids):
    """Reads events until the removal of all of these is complete."""
    left = set(uids)
    while left:
        (event,) = subscriber.read_message()[2]
        if event["event"] == "task-confirmed":
            yield event["uid"], event["result"]
        if event["state"] == "removed":
            left.discard(event["uid"])


def test_the_keeper_in_python_works_as_written(crm, tmp_path):
    script = block(KEEPER, "#!/usr/bin/python3")
    for id in ("Ada", "bo", "eve"):
        (tmp_path / people.person(id).lower()).write_text("personal")
    with crm.connect() as client, crm.connect() as subscriber:
        subscriber.call("events.subscribe")
        before = removing(client, "Ada", "none")
        keeper = python(script, tmp_path, RETENTIOND_SOCKET=str(crm.socket))
        try:
            told = dict(await_removed(subscriber, before))
            assert [told[uid] for uid in before] == ["erased", "nothing-found"]
            # Now it waits: it is told of what comes.
            (later,) = removing(client, "bo")
            assert dict(await_removed(subscriber, [later])) == {later: "erased"}
            assert [path.name for path in tmp_path.iterdir()] == [people.person("eve")]
        finally:
            keeper.kill()
            out, err = keeper.communicate()
    assert (out, err) == ("", "")


def test_the_keeper_in_python_tells_what_it_could_not_do(crm, tmp_path):
    script = block(KEEPER, "#!/usr/bin/python3")
    with crm.connect() as client:
        (uid,) = removing(client, "ada")
        keeper = python(script, tmp_path / "missing", RETENTIOND_SOCKET=str(crm.socket))
        try:
            tasks = [{}]
            while "error" not in tasks[0]:
                assert keeper.poll() is None, keeper.stderr.read()
                tasks = client.call("account.explain", uid=uid)["tasks"]
        finally:
            keeper.kill()
            keeper.communicate()
    assert "No such file or directory" in tasks[0]["error"]


def test_the_keeper_in_a_shell_works_as_written(crm, place):
    files = place / "crm"
    files.mkdir()
    (files / people.person("ada")).write_text("personal")
    command = place / "erase-from-crm"
    script = block(KEEPER, "#!/bin/sh")
    assert "/srv/crm" in script
    command.write_text(script.replace("/srv/crm", str(files)))
    command.chmod(0o755)
    with crm.connect() as client:
        uids = removing(client, "ada", "none")
        shell(place, f"retentionctl work crm --once -- {command}", crm.socket)
        results = [client.call("receipt.get", uid=uid)["receipt"] for uid in uids]
    assert "erased" in results[0] and "nothing-found" in results[1]
    assert list(files.iterdir()) == []
    assert script.splitlines() == block_of_readme()


def block_of_readme():
    """The README shows the same keeper."""
    return re.search(r"```sh\n(#!/bin/sh\n.*?)```", (TOP / "README.md").read_text(), re.DOTALL)[
        1
    ].splitlines()


def test_a_keeper_is_tested_as_written(crm, place):
    (script,) = blocks_of(KEEPER, "TESTING A KEEPER")
    command = place / "crm"
    command.write_text("#!/bin/sh\nexit 0\n")
    command.chmod(0o755)
    # root is no keeper: it is the service that works, as a user of its own.
    service = "systemctl start retention-keeper@crm"
    assert service in script and "retentionctl work" not in script
    work = f"retentionctl work crm --once -- {command}"
    told = shell(place, script.replace(service, work), crm.socket)
    assert "erased" in told


def test_a_keeper_is_registered_and_retired_as_written(crm, place):
    _, _, register = blocks_of(KEEPER, "REGISTERING A KEEPER")
    disable, waive = blocks_of(KEEPER, "RETIRING A KEEPER")
    with crm.connect() as client:
        people.set_org(client, "fabrikam")
        shell(place, register, crm.socket)
        assert keepers.listed(client, "crm")["orgs"] == ["contoso", "fabrikam"]
        shell(place, disable, crm.socket)
        assert keepers.listed(client, "crm")["enabled"] is False
        keepers.set_keeper(client, "crm", enabled=True)
        (uid,) = removing(client, "ada")
        (place / "left.txt").write_text("contoso/ada\n")
        shell(place, waive.replace("waive", "waive --yes"), crm.socket)
        assert people.get(client, uid=uid)["state"] == "removed"


def test_a_task_holds_what_the_manual_says(crm):
    with crm.connect() as client, keepers.Keeper(crm, "crm") as keeper:
        removing(client, "ada")
        (task,) = keeper.claim(lease_us=0)
        (again,) = keeper.claim()
        keeper.fail([again], retry_after_us=0)
        (failed,) = keeper.claim()
    listed = ", ".join(terms(section(KEEPER, "WHAT A TASK SAYS"))).split(", ")
    assert set(task) | set(failed) == set(listed)


def test_the_environment_of_a_command_is_in_the_manual(crm, place):
    command = place / "keeper"
    command.write_text("#!/bin/sh\nenv >env\n")
    command.chmod(0o755)
    with crm.connect() as client:
        removing(client, "ada")
        shell(place, f"retentionctl work crm --once -- {command}", crm.socket)
    given = set(re.findall(r"^(RETENTION_\w+)=", (place / "env").read_text(), re.MULTILINE))
    text = "\n".join(text for _, text in section(KEEPER, "THE EASY WAY"))
    assert given == set(re.findall(r"\b(RETENTION_[A-Z]+)\b(?!\")", text))


# retentiond(8)


def test_every_option_of_the_daemon_is_in_the_manual_and_no_other():
    told = run(program("RETENTIOND"), "--help").stdout
    listed = options("\n".join(terms(section("retentiond.8", "OPTIONS"))))
    assert listed == options(told)


def test_the_exit_codes_of_the_daemon_are_those_of_its_help():
    told = run(program("RETENTIOND"), "--help").stdout.split("\nExits with ")[1]
    listed = terms(section("retentiond.8", "EXIT STATUS"))
    assert listed == re.findall(r"\b\d\b", told)


def test_a_daemon_to_try_things_out_with_starts_as_written(place):
    start, use = blocks_of("retentiond.8", "EXAMPLES")
    make, start = start.split("\n")

    class Tried(Daemon):
        def command(self):
            return ["sh", "-euc", f"cd {place}; exec bin/{start}"]

    shell(place, make)
    daemon = Tried()
    try:
        daemon.start()
        shell(place, use)
        with connect(place / "socket") as client:
            assert client.call("retention.info")["clock"]["now_us"] > BEGIN
            assert client.call("org.get", org="contoso")["outcome"] == "ok"
        daemon.stop()
    finally:
        daemon.remove()


# retentiond.conf(5)

CONF = "retentiond.conf.5"


def keys_of_page(heading):
    return {
        term.split(" = ")[0]: " ".join(text for _, text in lines).strip()
        for term, lines in entries(section(CONF, heading)).items()
        if " = " in term
    }


def keys_that_are_known(directory, section_name):
    """What the daemon says it has when it is asked for what it has not."""
    file = directory / "wrong.conf"
    file.write_text(f"[{section_name}]\nthere_is_no_such_key = 1\n")
    told = run(program("RETENTIOND"), f"--config={file}", "--check-config")
    (listed,) = re.findall(r"has no key there_is_no_such_key; it has (.*)", told.stderr)
    return set(re.split(r", | and ", listed))


@pytest.mark.parametrize("name", ["retentiond", "grant NAME"])
def test_every_key_is_in_the_manual_and_no_other(tmp_path, name):
    assert set(keys_of_page(f"SECTION [{name}]")) == keys_that_are_known(tmp_path, name)


def test_the_defaults_are_those_of_the_file_that_is_installed():
    shipped = (TOP / "packaging/retentiond.conf").read_text().split("[grant")[0]
    defaults = dict(re.findall(r"^#([a-z_]+) = (\S+)$", shipped, re.MULTILINE))
    page = keys_of_page("SECTION [retentiond]")
    assert "map_size" in defaults
    for key, value in defaults.items():
        if key != "vault_backup_directory":  # made from another's name
            assert page[key].endswith(f"Default: {value}"), key


def test_what_takes_a_restart_is_what_the_daemon_says(tmp_path):
    page = keys_of_page("SECTION [retentiond]")
    restart = {key for key, text in page.items() if "Takes a restart." in text}
    assert set(page) - restart == {"log_level"}
    values = {
        "register": tmp_path, "backup_directory": tmp_path, "vault_backup_directory": tmp_path,
        "socket_mode": "0600", "socket_group": 4711, "map_size": "2G", "tombstones": "100d",
        "allow_user_namespace": "yes",
    }
    with running(options=[SIMULATED]) as daemon:
        text = daemon.config.read_text().replace("socket_mode = 0666\n", "")
        changed = "".join(f"{key} = {values[key]}\n" for key in restart if key in values)
        daemon.config.write_text(text.replace("[retentiond]\n", f"[retentiond]\n{changed}"))
        daemon.reload()
        said = set(re.findall(r"the new (\w+) takes effect with a restart", daemon.log.read_text()))
    assert said == restart - {"state_directory", "socket"}  # which the command line says here


def test_the_example_of_a_configuration_is_without_fault(tmp_path):
    file = tmp_path / "example.conf"
    file.write_text(block(CONF, "[retentiond]"))
    told = run(program("RETENTIOND"), f"--config={file}", "--check-config")
    assert (told.returncode, told.stdout) == (0, "configuration ok\n"), told
