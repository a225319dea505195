# SPDX-License-Identifier: Apache-2.0
"""TCP segments out of IP packets."""

import collections
import ipaddress
import struct

ETH_P_IP = 0x0800
ETH_P_IPV6 = 0x86DD
_IPPROTO_TCP = 6

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

# source and destination are (address, port); payload is bytes.
Segment = collections.namedtuple(
    "Segment", "source destination sequence flags payload")


def _tcp(source, destination, packet, start, end):
    source_port, destination_port, sequence = struct.unpack_from(
        "!HHI", packet, start)
    header = (packet[start + 12] >> 4) * 4
    return Segment((str(source), source_port),
                   (str(destination), destination_port),
                   sequence, packet[start + 13],
                   bytes(packet[start + header:end]))


def parse(protocol, packet):
    """Returns the Segment in an IP packet (memoryview), or None.

    IPv6 extension headers do not occur on the links that the tests make."""
    if protocol == ETH_P_IP and packet[9] == _IPPROTO_TCP:
        start = (packet[0] & 0x0F) * 4
        end = struct.unpack_from("!H", packet, 2)[0] or len(packet)
        return _tcp(ipaddress.IPv4Address(bytes(packet[12:16])),
                    ipaddress.IPv4Address(bytes(packet[16:20])),
                    packet, start, end)
    if protocol == ETH_P_IPV6 and packet[6] == _IPPROTO_TCP:
        length = struct.unpack_from("!H", packet, 4)[0]
        end = 40 + length if length else len(packet)
        return _tcp(ipaddress.IPv6Address(bytes(packet[8:24])),
                    ipaddress.IPv6Address(bytes(packet[24:40])),
                    packet, 40, end)
    return None
