# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and psql: a server that forks for every client."""

import pwd
import pathlib
import shutil
import subprocess

from rig import deadline, documents
from rig.case import Case, on
from rig.network import DIRECT, OneNode, TwoNodes

_PSQL = documents.spiffe_id("db/psql")
_POSTGRES = documents.spiffe_id("db/postgres")
_PORT = 5499
_ROWS = deadline.amount(50_000)


def _binary(name):
    """Returns the newest installed PostgreSQL's program."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1]


@on(OneNode, TwoNodes)
class PostgreSql(Case):
    """The server runs as Debian's unprivileged user of that name."""

    documents = [
        documents.identity("db/psql", {"process:binary:path":
                                       str(_binary("psql"))},
                           outbound=[_POSTGRES]),
        documents.identity(
            "db/postgres",
            {"process:name": "postgres",
             "process:uid": str(pwd.getpwnam("postgres").pw_uid)},
            inbound=[_PSQL]),
    ]

    @classmethod
    def start_workloads(cls):
        data = cls.directory / "postgres"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        subprocess.run(
            ["setpriv", "--reuid=postgres", "--regid=postgres",
             "--init-groups", _binary("initdb"), "-D", data, "-A", "trust",
             "--no-sync", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd=data)
        with open(data / "pg_hba.conf", "a", encoding="ascii") as rules:
            rules.write("host all all all trust\n")
        server = cls.server.spawn(
            [_binary("postgres"), "-D", data, "-p", _PORT,
             "-h", cls.network.address, "-k", "", "-F"],
            group="postgres", user="postgres", cwd=data)
        server.await_line("ready to accept connections")

    def _psql(self, *commands):
        return self.client.run(
            [_binary("psql"), "-X", "-h", self.network.address, "-p", _PORT,
             "-U", "postgres", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             *(word for command in commands for word in ("-c", command))],
            group="psql")

    def test_queries(self):
        table = f"t{self.network_class.__name__}"
        with self.encrypted():
            said = self._psql(
                f"CREATE TABLE {table} AS SELECT n, '{self.marker}' || n AS v"
                f" FROM generate_series(1, {_ROWS}) AS n",
                f"SELECT count(*), max(v) FROM {table}",
                f"COPY {table} TO STDOUT")
        lines = said.splitlines()
        self.assertEqual(lines[0], f"SELECT {_ROWS}")
        self.assertTrue(lines[1].startswith(f"{_ROWS}|{self.marker}"))
        self.assertEqual(len(lines), 2 + _ROWS)
        outbound, inbound = self.assert_mtls(_PSQL, _POSTGRES)
        if outbound:
            self.assertEqual(outbound["process"]["name"], "psql")
            self.assertEqual(inbound["process"]["name"], "postgres")

    def test_server_sees_the_client(self):
        client = "127.0.0.1" if self.client is self.server else "10.83.0.1"
        self.assertEqual(
            self._psql("SELECT host(inet_client_addr())"), client)

    def test_error_is_told(self):
        """An error of the protocol reaches the client, whole."""
        program = self.client.spawn(
            [_binary("psql"), "-X", "-h", self.network.address, "-p", _PORT,
             "-U", "nobody", "postgres"], group="psql")
        self.assertEqual(program.wait(), 2)
        self.assertIn('role "nobody" does not exist', program.output)
        if not DIRECT:
            self.assert_mtls(_PSQL, _POSTGRES)
