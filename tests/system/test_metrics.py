# SPDX-License-Identifier: Apache-2.0
"""retentionctl metrics, and what packaging/monitoring makes of it."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

import exposition
import keepers
import people
from daemon import BEGIN, DAY, ENVIRONMENT, HOUR, running
from test_client import OK, USAGE, Ctl

MONITORING = pathlib.Path(__file__).parents[2] / "packaging" / "monitoring"
STRANGER = 4321
NARROW = 4322

GRANT = f"[grant narrow]\nrole = reader\nusers = {NARROW}\norganizations = contoso\n"


@pytest.fixture
def busy():
    """A daemon to which everything has happened that a metric tells of."""
    with running(keepers.grant("crm") + GRANT) as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            keepers.set_keeper(client, "crm")
            keepers.set_keeper(client, "mail")
            people.take_in(client, *(people.guest(f"g{i}") for i in range(6)))
            for id in ("g0", "g1"):
                people.do(client, "remove", id)
                people.do(client, "purge", id)
            client.call("request.file", accounts=[people.name("g2")])
            client.call("clock.advance", by_us=31 * DAY)
            people.settle(client)
            with keepers.Keeper(daemon, "crm") as crm:
                crm.fail(crm.claim(max=1))
            client.call("clock.advance", by_us=HOUR)
            people.do(client, "remove", "g3")
        yield daemon


def scrape(daemon, *arguments, as_uid=None):
    return exposition.parse(Ctl(daemon.socket, as_uid)("metrics", *arguments).stdout)


def test_the_output_says_what_has_happened(busy):
    metrics = scrape(busy)

    def value(name, **labels):
        return exposition.value(metrics, f"retentiond_{name}", **labels)

    with busy.connect() as client:
        stats = client.call("stats.get")
        info = client.call("retention.info")
    assert value("up") == 1
    assert value("build_info", version=info["version"], store=info["instance"]) == 1
    assert value("start_time_seconds") == BEGIN / 1e6
    assert value("clock_trusted") == 1
    for state in ("active", "soft-deleted", "removing", "removed"):
        told = stats["accounts"][state.replace("-", "_")]
        assert value("accounts", state=state) == told, state
    assert value("accounts", state="removing") == 2
    assert value("removals_overdue") == 2
    assert value("removals_oldest_overdue_seconds") == DAY / 1e6 + HOUR / 1e6
    assert value("removal_requests_overdue") == 1
    assert value("removal_requests_oldest_overdue_seconds") == DAY / 1e6 + HOUR / 1e6
    assert value("keeper_owed", keeper="crm") == 2
    assert value("keeper_overdue", keeper="mail") == 1
    assert value("keeper_failing", keeper="crm") == 1
    assert value("keeper_failing", keeper="mail") == 0
    assert value("keeper_silence_seconds", keeper="crm") == HOUR / 1e6
    assert value("keeper_silence_seconds", keeper="mail") == (31 * DAY + HOUR) / 1e6, "never heard"
    assert value("keeper_time_left_seconds", keeper="crm") == -(DAY + HOUR) / 1e6
    assert value("next_due_timestamp_seconds") == (BEGIN + 61 * DAY + HOUR) / 1e6
    assert value("sweep_lag_seconds") == 0
    assert value("last_backup_timestamp_seconds") == 0
    assert value("ledger_entries_total") == stats["ledger"]["seq"]
    assert value("commit_duration_seconds_count") > 0
    assert value("request_duration_seconds_count") > 0


def test_every_request_but_the_one_that_asks_has_been_timed(busy):
    metrics = scrape(busy)
    asked = exposition.value(metrics, "retentiond_requests_total")
    assert exposition.value(metrics, "retentiond_request_duration_seconds_count") == asked - 1


def test_commits_turns_and_events_are_counted_as_they_happen(daemon, client, contoso):
    before = client.call("stats.get")
    with daemon.connect() as subscriber:
        subscriber.call("events.subscribe")
        people.take_in(client, people.guest("alex"))
        people.do(client, "remove", "alex")
        for _ in range(2):
            subscriber.read_message()
        after = client.call("stats.get")
    commits = after["commits"] - before["commits"]
    assert commits == 2
    assert after["commit_times"]["count"] == after["commits"]
    assert sum(bucket["n"] for bucket in after["commit_times"]["buckets"]) == after["commits"]
    assert after["events"] - before["events"] == 2
    assert after["subscribers"] == 1
    assert after["turns"]["count"] - before["turns"]["count"] >= 3
    assert after["turns"]["longest_us"] >= after["commit_times"]["longest_us"] > 0
    assert after["accepted"] - before["accepted"] == 1


def test_counters_never_fall_and_nothing_appears_or_goes(busy):
    before = scrape(busy)
    with busy.connect() as client:
        people.do(client, "remove", "g4")
        with pytest.raises(Exception, match="unknown-method"):
            client.call("no.such")
        assert client.call("sweep.pause")["paused"]
    after = scrape(busy)
    assert list(before) == list(after)
    for name, metric in before.items():
        if metric.type != "gauge":
            assert metric.samples.keys() == after[name].samples.keys()
            for sample, value in metric.samples.items():
                assert after[name].samples[sample] >= value, sample
    assert exposition.value(after, "retentiond_sweep_paused") == 1
    wrong = [
        exposition.value(told, "retentiond_request_errors_total", kind="wrong")
        for told in (before, after)
    ]
    assert wrong[1] == wrong[0] + 1


def test_no_personal_data_and_no_organization_is_told(busy):
    canaries = ("g0", "g3", "contoso", "fabrikam", "Guest", "group-", "permission-", "case-9")
    with busy.connect() as client:
        client.items("hold.add", [people.name("g4")], hold="case-9", reason="Guest g4")
    for arguments in ((), ("-j",)):
        told = Ctl(busy.socket)("metrics", *arguments).stdout
        assert "crm" in told
        for canary in canaries:
            assert canary not in told, canary


def test_a_reader_sees_everything_an_administrator_sees(busy):
    reader = 4323
    with busy.config.open("a") as config:
        config.write(f"[grant metrics]\nrole = reader\nusers = {reader}\n")
    busy.reload()
    assert scrape(busy, as_uid=reader).keys() == scrape(busy).keys()


@pytest.mark.parametrize("uid", [STRANGER, NARROW])
def test_what_the_role_may_not_see_is_left_out(busy, uid):
    told = Ctl(busy.socket, as_uid=uid)("metrics")
    metrics = exposition.parse(told.stdout)
    assert list(metrics) == ["retentiond_up", "retentiond_build_info", "retentiond_clock_trusted"]
    assert "reader" in told.stderr
    assert Ctl(busy.socket, as_uid=uid)("metrics", "-q").stderr == ""


def test_json_says_the_same(busy):
    metrics = {row["name"]: row for row in Ctl(busy.socket).json("metrics")["metrics"]}
    text = scrape(busy)
    assert list(metrics) == list(text)
    for name, row in metrics.items():
        assert (row["type"], row["help"]) == (text[name].type, text[name].help)
    assert metrics["retentiond_up"]["samples"] == [{"labels": {}, "value": 1}]
    histogram = metrics["retentiond_commit_duration_seconds"]["samples"][0]
    assert histogram["buckets"][0].keys() == {"le", "count"}
    assert histogram["count"] >= histogram["buckets"][-1]["count"]


def test_a_daemon_that_is_away_is_told_as_down(daemon):
    ctl = Ctl(daemon.socket)
    daemon.stop()
    told = ctl("metrics", code=OK)
    metrics = exposition.parse(told.stdout)
    assert list(metrics) == ["retentiond_up"]
    assert exposition.value(metrics, "retentiond_up") == 0
    assert "systemctl start retentiond" in told.stderr
    away = json.loads(ctl("-j", "metrics").stdout)["metrics"]
    assert [row["name"] for row in away] == ["retentiond_up"]


def test_it_takes_no_operand(daemon):
    assert "metrics does not take" in Ctl(daemon.socket)("metrics", "crm", code=USAGE).stderr


# Files for monitoring


def rules():
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard():
    return json.loads((MONITORING / "dashboard.json").read_text())


def expressions():
    yield from (rule["expr"] for rule in rules())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def names_in(text):
    return set(re.findall(r"\bretentiond_[a-z_]+", text))


def test_rules_and_dashboard_know_no_metric_that_is_not_told(busy):
    real = set()
    for metric in scrape(busy).values():
        real |= metric.sample_names()
    # Of a real clock alone, and this one is simulated.
    real |= {"retentiond_clock_wall_ahead_seconds", "retentiond_clock_wall_steps_total"}
    for expression in expressions():
        assert names_in(expression) <= real, expression


def test_every_metric_is_on_the_dashboard_and_in_the_table(busy):
    shown = set()
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            shown |= names_in(target["expr"])
    table = (MONITORING / "README.md").read_text()
    for name, metric in scrape(busy).items():
        assert shown & metric.sample_names(), name
        assert re.search(
            rf"^\| `{name}` \| {metric.type} \| [a-z, ]*\| {re.escape(metric.help)} \|$", table, re.M
        ), name


def test_every_alert_says_what_is_wrong_where_and_what_to_run():
    told = rules()
    assert len({rule["alert"] for rule in told}) == len(told)
    for rule in told:
        name, annotations = rule["alert"], rule["annotations"]
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert "$labels.instance" in annotations["summary"] or "absent(" in rule["expr"], name
        assert re.search(
            r"(retention|system|journal|timedate)ctl ", annotations["description"]
        ), name


def test_what_an_alert_says_to_run_exists(daemon):
    help = Ctl(daemon.socket)("--help").stdout
    for rule in rules():
        text = rule["annotations"]["description"]
        for verb in re.findall(r"retentionctl ([a-z-]+)", text):
            assert re.search(rf"^  {verb} ", help, re.M), (rule["alert"], verb)


def test_the_dashboard_is_whole():
    board = dashboard()
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert board["panels"][0]["title"] == "Promises"
    variables = [variable["name"] for variable in board["templating"]["list"]]
    assert variables == ["datasource", "instance"]
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
            assert "$instance" in target["expr"], panel["title"]


def promtool(*arguments, stdin=None):
    tool = shutil.which("promtool")
    if not tool:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    ended = subprocess.run(
        [tool, *map(str, arguments)],
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended


def test_promtool_finds_nothing_wrong_with_the_output(busy):
    promtool("check", "metrics", stdin=Ctl(busy.socket)("metrics").stdout)


def test_promtool_finds_nothing_wrong_with_the_rules():
    promtool("check", "rules", MONITORING / "alerts.yml")
    promtool("test", "rules", MONITORING / "alerts_test.yml")


def test_promtool_understands_every_expression_of_the_dashboard(tmp_path):
    rules = [
        {
            "record": f"panel:expression:{n}",
            "expr": expression.replace("$__rate_interval", "5m").replace("$instance", ".*"),
        }
        for n, expression in enumerate(expressions())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", file)
