# SPDX-License-Identifier: Apache-2.0
"""Keepers to test with, as any program would be one: raw MessagePack-RPC."""

import os


def grant(*names, uid=None):
    """The configuration that lets a user, or who runs the tests, speak as these keepers."""
    user = os.getuid() if uid is None else uid
    return "".join(
        f"[grant keeper-{name}-{user}]\nrole = keeper {name}\nusers = {user}\n" for name in names
    )


class Keeper:
    """A keeper on a connection of its own."""

    def __init__(self, daemon, name):
        self.daemon = daemon
        self.name = name
        self.connection = daemon.connect()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.connection.close()

    def reconnect(self):
        self.connection.close()
        self.connection = self.daemon.connect()

    def call(self, method, **arguments):
        return self.connection.call(f"keeper.{method}", keeper=self.name, **arguments)

    def claim(self, **arguments):
        return self.call("claim", **arguments)["tasks"]

    def claim_all(self, **arguments):
        """Every task that is to be had now."""
        tasks = []
        while True:
            page = self.call("claim", max=1000, **arguments)
            tasks += page["tasks"]
            if not page["more"]:
                return tasks

    def _of_tasks(self, method, tasks, fields, **arguments):
        items = []
        for at in range(0, len(tasks), 1000):
            some = tasks[at : at + 1000]
            sent = [{"token": token_of(task), **fields(task)} for task in some]
            told = self.call(method, tasks=sent, **arguments)["items"]
            assert [item["token"] for item in told] == [item["token"] for item in sent]
            items += told
        return items

    def confirm(self, tasks, result="erased", **fields):
        return self._of_tasks("confirm", tasks, lambda task: {"result": result, **fields})

    def fail(self, tasks, error="the disk is full", **fields):
        return self._of_tasks("fail", tasks, lambda task: {"error": error, **fields})

    def extend(self, tasks, **arguments):
        return self._of_tasks("extend", tasks, lambda task: {}, **arguments)

    def confirm_one(self, task, result="erased", **fields):
        return self.confirm([task], result, **fields)[0]


def token_of(task):
    return task if isinstance(task, str) else task["token"]


def set_keeper(client, name, **settings):
    result = client.call("keeper.set", keeper=name, **settings)
    assert result["outcome"] == "ok", result
    return result["keeper"]


def listed(client, name):
    """One keeper as keeper.list tells it."""
    return {row["keeper"]: row for row in client.call("keeper.list")["keepers"]}[name]
