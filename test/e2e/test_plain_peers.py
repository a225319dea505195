# SPDX-License-Identifier: Apache-2.0
"""Plain TLS 1.3 peers on open flows, whose keys the kernel may have: what comes
after the handshake (RFC 8446 section 4.6), and how it ends (section 6.1)."""

import pathlib
import signal

from rig import datapath, documents, openssl
from rig.case import needs_agent, on
from rig.conversation import Listening, PeerCase, identities
from rig.forge import Forge
from rig.network import TwoNodes
from rig.plain_pair import TURN, PlainPair

_STRANGER = documents.spiffe_id("foreign/openssl")
_TLS_CUT = pathlib.Path(__file__).resolve().parent / "peer" / "tls_cut.py"
_ROLES = ("s_client", "s_server")
# Besides AES-256-GCM, which openssl prefers.
_OTHER_CIPHERS = ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
# KeyUpdates that openssl sends, one after each of its turns but the last:
# whether it requests one of kith, too.
_UNREQUESTING = (False, False)
_REQUESTING = (True, False, True)


@needs_agent
@on(TwoNodes)
class PlainPeers(PeerCase):
    """openssl in both roles, and a program that breaks off."""

    documents = identities(inbound=[_STRANGER], outbound=[_STRANGER])
    seconds = 120

    @classmethod
    def start_workloads(cls):
        agent = cls.network.client_agent
        cls.forge = Forge(cls.directory / "forge", agent.ca_directory)
        cls.svid = cls.forge.svid("foreign/openssl")

    def _in_both_roles(self, test):
        for role in _ROLES:
            with self.subTest(role), self.encrypted():
                test(role)

    def _check_tickets(self, pair):
        """A server sends its tickets when the kernel may have the keys; plain
        peers are given none."""
        self.assertEqual(
            [pair.openssl.count_messages(direction, "NewSessionTicket")
             for direction in (">>>", "<<<")],
            [2 if pair.role == "s_server" else 0, 0])

    def _peer_updates(self, role, *options):
        """The application ends the flow, and openssl is told so."""
        steps = TURN * (len(_UNREQUESTING) + 1)
        pair = PlainPair(self, role, [*steps, "close"], *options)
        flow = pair.talk(_UNREQUESTING)
        pair.proceed()
        pair.openssl.await_message("<<<", "close_notify")
        pair.check_whole(flow, _UNREQUESTING)
        self._check_tickets(pair)

    def test_peer_updates_its_key(self):
        self._in_both_roles(self._peer_updates)

    def test_padded_records(self):
        """The kernel is told to expect none (RFC 8446 section 5.4)."""
        with self.encrypted():
            self._peer_updates("s_client", "-record_padding", "3000")

    def _peer_requests(self, role, *options):
        """s_client ends the flow, and the application is told so. (s_server
        has no command that sends a close_notify.)"""
        if not self._can_rekey():
            self._peer_requests_in_vain(role, *options)
            return
        is_client = role == "s_client"
        steps = TURN * (len(_REQUESTING) + 1)
        pair = PlainPair(self, role, [
            *steps, "recv-all" if is_client else "close"], *options)
        flow = pair.talk(_REQUESTING)
        pair.proceed()
        if is_client:
            pair.quit(len(_REQUESTING) + 1)
            self.assertEqual(pair.application.facts("done")["ended"], "eof")
        pair.check_whole(flow, _REQUESTING)

    def _can_rekey(self):
        """What the kernel's version says, and what the agents have found."""
        told = self.network.client_agent.ask("status")
        by_version = datapath.can_rekey(told["path"])
        self.assertEqual("cannot change keys" not in told["pathReason"],
                         by_version)
        return by_version

    def _peer_requests_in_vain(self, role, *options):
        """This kernel cannot change the key: the flow ends, and all know why."""
        pair = PlainPair(self, role, [*TURN, "recv-all"], *options)
        flow = pair.turn(1)
        pair.await_answers(1)
        pair.openssl.update_key(True)
        self.assertEqual(pair.openssl.await_alert(), openssl.INTERNAL_ERROR)
        pair.proceed()
        done = pair.application.facts("done")
        self.assertEqual(done["ended"], "reset")
        pair.check_heard(done, 1)
        pair.check_answers(done, 1)
        self.assertIn("wants another key",
                      pair.await_closed(flow, "rekey_unsupported")["detail"])

    def test_peer_requests_a_key_update(self):
        self._in_both_roles(self._peer_requests)

    def test_key_updates_with_other_ciphers(self):
        for cipher in _OTHER_CIPHERS:
            with self.subTest(cipher), self.encrypted():
                self._peer_requests("s_client", "-ciphersuites", cipher)

    def _killed_peer(self, role):
        """A FIN between records, but no close_notify."""
        pair = PlainPair(self, role, [*TURN, "recv-all"])
        flow = pair.turn(1)
        pair.await_answers(1)
        pair.openssl.program.send_signal(signal.SIGKILL)
        pair.await_closed(flow, "truncated")
        pair.proceed()
        done = pair.application.facts("done")
        self.assertEqual(done["ended"], "reset")
        pair.check_heard(done, 1)

    def test_killed_peer(self):
        self._in_both_roles(self._killed_peer)

    def test_fin_inside_a_record(self):
        """The kernel calls it the end of the stream. (The sniffer of
        encrypted() would not like it, either.)"""
        server = Listening(self, ["recv:10000", "send:10", "go", "recv-all"])
        peer = self.client.spawn(
            ["/usr/bin/python3", _TLS_CUT, self.network.address, server.port,
             self.forge.bundle, *self.svid.paths, 10000], managed=False)
        server.facts("waiting")
        agent = self.network.server_agent
        flow = agent.await_open(state="open", peer__spiffeId=_STRANGER,
                                **datapath.wanted())
        peer.write("cut\n")
        agent.await_closed(1, id=flow["id"], reason="truncated")
        peer.check()
        server.program.write("go\n")
        done = server.facts("done")
        self.assertEqual((done["received"], done["ended"]), (10000, "reset"))
