# SPDX-License-Identifier: Apache-2.0
"""An application behind kith and openssl, which talk in turns."""

import hashlib

from rig import datapath, deadline, openssl
from rig.conversation import CLIENT, SERVER, Connecting, Listening

# What openssl says in each turn (no letter, which might be a command of its),
# and how much the application answers: many records.
_LINE = "0123456789" * 500 + "\n"
_ANSWER = 200_000
TURN = [f"recv:{len(_LINE)}", f"send:{_ANSWER}", "go"]


class PlainPair:
    """`role` is that of openssl. `case` has a forge and openssl's svid."""

    def __init__(self, case, role, steps, *options):
        self.role = role
        self._case = case
        output = case.directory / "received"
        options = ["-tls1_3", *openssl.TELL, *options]
        if role == "s_client":
            self.application = Listening(case, steps)
            self.openssl = openssl.client(
                case, self.application.port, case.forge, case.svid, *options,
                output=output)
            self.agent = case.network.server_agent
            self._facts = {"direction": "inbound", "local__spiffeId": SERVER}
        else:
            self.openssl, port = openssl.server(
                case, case.forge, case.svid, *options, output=output)
            self.application = Connecting(case, port, steps)
            self.agent = case.network.client_agent
            self._facts = {"direction": "outbound", "local__spiffeId": CLIENT}

    def turn(self, number):
        """Openssl sends its line, and the application answers; then it waits
        for proceed(). Returns the flow."""
        self.openssl.program.write(_LINE)
        self.application.facts("waiting", count=number)
        return self.agent.await_open(state="open", **self._facts,
                                     **datapath.wanted())

    def talk(self, updates):
        """Has a turn, and one more after each KeyUpdate of openssl's, of which
        `updates` says whether it requests one of kith. Returns the flow."""
        flow = self.turn(1)
        for number, request in enumerate(updates, start=2):
            self.openssl.update_key(request)
            self.proceed()
            self.turn(number)
        return flow

    def proceed(self):
        self.application.program.write("go\n")

    def quit(self, turns):
        """Openssl ends the connection in order, after all answers."""
        self.await_answers(turns)
        self.openssl.program.write("Q\n")

    def await_closed(self, flow, reason):
        return self.agent.await_closed(1, id=flow["id"], reason=reason)[0]

    def check_heard(self, done, turns):
        """Every byte of openssl's turns has reached the application."""
        said = (_LINE * turns).encode()
        self._case.assertEqual(
            (done["received"], done["receivedChecksum"]),
            (len(said), hashlib.sha256(said).hexdigest()))

    def check_whole(self, flow, updates, deaths=0):
        """The flow of talk(updates) has ended in order, nothing was lost, and
        each request for a KeyUpdate was followed; once again, maybe, by the next
        agent after each death of one."""
        turns = len(updates) + 1
        done = self.application.facts("done")
        self.openssl.program.wait()
        self._case.assertIsNone(done["error"])
        self.check_heard(done, turns)
        self.check_answers(done, turns)
        closed = self.await_closed(flow, "closed")
        self._case.assertEqual(closed["bytesSent"], done["sent"])
        followed = self.openssl.count_messages("<<<", "KeyUpdate")
        self._case.assertIn(followed - sum(updates), range(deaths + 1))

    def await_answers(self, turns):
        """Waits until that many bytes have reached openssl."""
        deadline.await_true(
            lambda: len(self.openssl.received(self._case.marker)) >=
            turns * _ANSWER, "the answers arrived")

    def check_answers(self, done, turns):
        """The application's answers have reached openssl, and nothing else."""
        received = self.openssl.received(self._case.marker)
        self._case.assertEqual(done["sent"], turns * _ANSWER)
        self._case.assertEqual(
            hashlib.sha256(received[:done["sent"]]).hexdigest(),
            done["sentChecksum"])
        self._case.assertNotIn(self._case.marker.encode(),
                               received[done["sent"]:])
