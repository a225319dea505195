# SPDX-License-Identifier: Apache-2.0
"""A stock SPIRE server and agent (scripts/clients/spire.sh) in a node's
namespace: the control group of the foreign clients."""

import itertools
import json
import signal

from rig import clients, documents
from rig.network import OneNode

_DOMAIN = documents.TRUST_DOMAIN
_PORT = 8081
_NODE = documents.spiffe_id("node")
# SPIRE dates an SVID 10 s back and renews it at half of its life, give or take:
# this one some 5 s after it was signed. One of 10 s would be renewed at once.
SVID_SECONDS = 20

_SERVER = """
server {{
  trust_domain = "{domain}"
  bind_address = "127.0.0.1"
  bind_port = {port}
  socket_path = "{directory}/admin/server.sock"
  data_dir = "{directory}"
  experimental {{ cache_reload_interval = "1s" }}
}}
plugins {{
  DataStore "sql" {{
    plugin_data {{
      database_type = "sqlite3"
      connection_string = "{directory}/entries.sqlite3"
    }}
  }}
  KeyManager "memory" {{ plugin_data {{}} }}
  NodeAttestor "join_token" {{ plugin_data {{}} }}
}}
"""

# The keys are on disk, because a join token is good for one start only.
_AGENT = """
agent {{
  trust_domain = "{domain}"
  server_address = "127.0.0.1"
  server_port = {port}
  socket_path = "{directory}/public/api.sock"
  data_dir = "{directory}"
  insecure_bootstrap = true
  join_token = "{token}"
  experimental {{ sync_interval = "1s" }}
}}
plugins {{
  KeyManager "disk" {{ plugin_data {{ directory = "{directory}" }} }}
  NodeAttestor "join_token" {{ plugin_data {{}} }}
  WorkloadAttestor "unix" {{ plugin_data {{}} }}
}}
"""


class Spire:
    """Both ends; their programs end with the node at the latest."""

    def __init__(self, node, directory):
        self.node = node
        self._programs = clients.program("spire").parent
        self._server_directory = directory / "server"
        self._agent_directory = directory / "agent"
        self.socket = self._agent_directory / "public" / "api.sock"
        for path in (self._server_directory / "admin", self.socket.parent):
            path.mkdir(parents=True)
        self.server = None
        self.agent = None
        self._entries = itertools.count(1)
        self._entry_of = {}

    def start_server(self):
        self.server = self._launch("server", self._server_directory,
                                   _SERVER.format(
            domain=_DOMAIN, port=_PORT, directory=self._server_directory))
        self.server.await_line("Starting Server APIs", 40)

    def join(self):
        """Configures the agent, which start_agent() starts, also again."""
        token = self._order("token", "generate", "-spiffeID", _NODE)["value"]
        self._agent_config = _AGENT.format(
            domain=_DOMAIN, port=_PORT, directory=self._agent_directory,
            token=token)

    def start_agent(self):
        self.agent = self._launch("agent", self._agent_directory,
                                  self._agent_config)
        self.agent.await_line("Starting Workload and SDS APIs", 40)

    def stop_agent(self):
        self.agent.stop()

    def kill_agent(self):
        self.agent.stop(signal.SIGKILL)

    def add_entry(self, identity, seconds=SVID_SECONDS):
        number = f"entry-{next(self._entries)}"
        more = ["-federatesWith", f"spiffe://{clients.FOREIGN_DOMAIN}"] \
            if identity.federates else []
        self._order("entry", "create", "-entryID", number, "-parentID", _NODE,
                    "-spiffeID", documents.spiffe_id(identity.workload_id),
                    "-selector", f"unix:gid:{identity.gid}",
                    "-x509SVIDTTL", seconds, *more)
        self._entry_of[identity] = number

    def delete_entry(self, identity):
        self._order("entry", "delete", "-entryID",
                    self._entry_of.pop(identity))

    def set_bundle(self, trust_domain, path):
        self._order("bundle", "set", "-id", f"spiffe://{trust_domain}",
                    "-path", path, "-format", "spiffe")

    def describe(self):
        return "\n".join(
            f"--- log of {program.name} (status {program.returncode})\n" +
            "\n".join(list(program.lines)[-40:])
            for program in (self.server, self.agent) if program)

    def _launch(self, which, directory, config):
        path = directory / "config"
        path.write_text(config)
        return self.node.spawn(
            [self._programs / f"spire-{which}", "run", "-config", path],
            managed=False, name=f"spire-{which}")

    def _order(self, *arguments):
        """Returns what the server answers to an operator's command."""
        output = self.node.run(
            [self._programs / "spire-server", *arguments[:2], "-output",
             "json", "-socketPath",
             self._server_directory / "admin" / "server.sock", *arguments[2:]],
            managed=False)
        return json.loads(output)


class SpireNode(OneNode):
    """One namespace with SPIRE in the place of kith."""

    spire = None

    def start_agents(self, documents, **settings):
        """`documents` are the identities, `settings` the files of other trust
        domains' bundles."""
        self.spire = Spire(self.client, self.directory)
        self.spire.start_server()
        for trust_domain, path in settings.items():
            self.spire.set_bundle(trust_domain, path)
        self.spire.join()
        for identity in documents:
            self.spire.add_entry(identity)
        self.spire.start_agent()
