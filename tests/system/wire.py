# SPDX-License-Identifier: Apache-2.0
"""A MessagePack-RPC client as any other program would write one: it shares no code with the daemon.

Two layers: bytes (send, read_message) for tests of the wire itself, and call() for all others.
"""

import array
import os
import socket
import time

import msgpack

DEADLINE = 60.0  # seconds; only a daemon that hangs lets one pass

REQUEST, RESPONSE, NOTIFICATION = 0, 1, 2
FAILED, WRONG = 0, 1

ANSWER_BYTES_MAX = 1 << 20


def until(condition, what):
    """Asks until the answer is true, and returns it: for what no event tells."""
    end = time.monotonic() + DEADLINE
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {DEADLINE} s: {what}"
    return answer


class RpcError(Exception):
    """The daemon answered with an error: [kind, "code: text"]."""

    def __init__(self, kind, sentence):
        super().__init__(sentence)
        self.kind = kind
        self.code, _, self.text = sentence.partition(": ")


class Closed(Exception):
    """The daemon closed the connection."""


def request(msgid, method, arguments=None):
    """The bytes of a request; without arguments its params are an empty array."""
    params = [] if arguments is None else [arguments]
    return msgpack.packb([REQUEST, msgid, method, params])


def notification(method, arguments=None):
    params = [] if arguments is None else [arguments]
    return msgpack.packb([NOTIFICATION, method, params])


class Client:
    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(DEADLINE)
        self.unpacker = msgpack.Unpacker(max_buffer_size=8 * ANSWER_BYTES_MAX, strict_map_key=False)
        self.msgid = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    # Bytes

    def send(self, data):
        self.socket.sendall(data)

    def read_message(self):
        """The next message of the daemon; Closed when it ended the connection."""
        while True:
            for message in self.unpacker:
                return message
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed
            self.unpacker.feed(data)

    def is_closed(self):
        """Waits for the end; messages that come before it are dropped."""
        try:
            while True:
                self.read_message()
        except Closed:
            return True

    # Calls

    def post(self, method, arguments=None):
        """Sends a request without waiting for its answer; returns its msgid."""
        self.msgid += 1
        self.send(request(self.msgid, method, arguments))
        return self.msgid

    def take(self, msgid):
        """The result of the request sent longest ago, which must be msgid."""
        message = self.read_message()
        assert len(message) == 4, message
        kind, answered, error, result = message
        assert (kind, answered) == (RESPONSE, msgid)
        if error is not None:
            assert result is None
            raise RpcError(*error)
        return result

    def call(self, method, **arguments):
        return self.take(self.post(method, arguments))

    def items(self, method, accounts, **arguments):
        """What became of each account, in their order."""
        items = self.call(method, accounts=accounts, **arguments)["items"]
        assert len(items) == len(accounts)
        return items

    def pages(self, method, key, **arguments):
        """Every row of a list, page by page."""
        cursor = {}
        while True:
            page = self.call(method, **arguments, **cursor)
            yield from page[key]
            if "cursor" not in page:
                return
            cursor = {"cursor": page["cursor"]}


def connect(path):
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(DEADLINE)
    connected.connect(str(path))
    return Client(connected)


def connect_as(path, uid, gid, groups=()):
    """A connection that the kernel says is of somebody else. Only root can make one.

    A child becomes that user, connects, and hands the socket back: credentials are those of the
    moment of connect().
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups(list(groups))
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connected.connect(str(path))
            rights = array.array("i", [connected.fileno()])
            theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            status = 0
        finally:
            os._exit(status)
    theirs.close()
    with ours:
        descriptors = array.array("i")
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_LEN(descriptors.itemsize))
        _, status = os.waitpid(child, 0)
    assert status == 0 and ancillary, f"uid {uid} cannot connect to {path}"
    descriptors.frombytes(ancillary[0][2][: descriptors.itemsize])
    return Client(socket.socket(fileno=descriptors[0]))
