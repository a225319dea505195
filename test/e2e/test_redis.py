# SPDX-License-Identifier: Apache-2.0
"""Redis: small requests, thousands of them under way at once."""

from rig import deadline, documents
from rig.case import Case, on
from rig.network import OneNode, TwoNodes

_CLIENT = documents.spiffe_id("cache/client")
_SERVER = documents.spiffe_id("cache/redis")
_PORT = 6399
_KEYS = deadline.amount(20_000)


@on(OneNode, TwoNodes)
class Redis(Case):
    """redis-cli and redis-benchmark against redis-server."""

    documents = [
        documents.identity("cache/client",
                           {"process:binary:path": "/usr/bin/redis-cli"},
                           {"process:binary:path": "/usr/bin/redis-benchmark"},
                           outbound=[_SERVER]),
        documents.identity("cache/redis", {"process:name": "redis-server"},
                           inbound=[_CLIENT]),
    ]

    @classmethod
    def start_workloads(cls):
        redis = cls.server.spawn(
            ["redis-server", "--port", _PORT, "--bind", cls.network.address,
             "--protected-mode", "no", "--save", "", "--appendonly", "no",
             "--dir", cls.directory], group="redis")
        redis.await_listening(_PORT)

    def _cli(self, *arguments, **options):
        return self.client.run(
            ["redis-cli", "-h", self.network.address, "-p", _PORT, *arguments],
            group="cli", **options)

    def test_pipelining(self):
        commands = self.directory / "commands"
        commands.write_text("".join(
            f"SET key{number} {self.marker}:{number}\r\n"
            for number in range(_KEYS)))
        with self.encrypted():
            said = self.client.run(
                ["sh", "-c", 'exec redis-cli -h "$0" -p "$1" --pipe < "$2"',
                 self.network.address, _PORT, commands], group="cli")
            self.assertIn(f"errors: 0, replies: {_KEYS}", said)
            last = self._cli("GET", f"key{_KEYS - 1}")
        self.assertEqual(last, f"{self.marker}:{_KEYS - 1}")
        self.assert_mtls(_CLIENT, _SERVER)

    def test_many_clients_pipelining(self):
        with self.encrypted("key:__rand_int__"):
            said = self.client.run(
                ["redis-benchmark", "-h", self.network.address, "-p", _PORT,
                 "-c", 20, "-P", 16, "-n", 2 * _KEYS, "-t", "set,get", "-q"],
                group="benchmark")
        self.assertIn("GET:", said)
        self.assertNotIn("rror", said)
        self.assert_mtls(_CLIENT, _SERVER)
