#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Long streams, many at once.

  marathon.py connect ADDRESS PORT MARKER FLOWS PAUSE
  marathon.py serve ADDRESS PORT

The client sends on every connection what is different at each place and takes
it back from the server, until it is told to end by a line of its standard
input; then both ends close in order. It says how many streams did not come back
whole, and the longest time that one of them stood still. PAUSE is that of the
sender after each piece, in seconds; 0: as fast as it goes."""

import asyncio
import json
import random
import sys
import time

_BLOCK = 64 * 1024
_PIECE = 8 * 1024
# How far the sender may be ahead: more than a relay holds.
_WINDOW = 256 * 1024


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Stream:
    """One connection, and what came back of it."""

    def __init__(self, number, marker):
        base = random.Random(number).randbytes(_BLOCK - len(marker))
        self._base = marker.encode() + base
        self._number = number
        self.sent = 0
        self.received = 0
        self.longest = 0.0
        self.error = None
        self._moved = asyncio.Event()

    def _piece(self, position, length):
        """Bytes of the pattern: the block's number makes blocks differ."""
        block, offset = divmod(position, _BLOCK)
        length = min(length, _BLOCK - offset)
        piece = bytearray(self._base[offset:offset + length])
        for place in range(-offset % 64, length, 64):
            piece[place] = (piece[place] + block) & 0xff
        return piece

    async def run(self, address, port, pause, stop):
        try:
            reader, writer = await asyncio.open_connection(address, port)
            sending = asyncio.create_task(self._send(writer, pause, stop))
            await self._check(reader)
            await sending
            writer.close()
        except (OSError, ValueError) as error:
            self.error = f"{type(error).__name__}: {error}"
        if self.error is None and self.sent != self.received:
            self.error = f"{self.sent} sent, {self.received} back"

    async def _send(self, writer, pause, stop):
        while not stop.is_set():
            if self.sent - self.received < _WINDOW:
                piece = self._piece(self.sent, _PIECE)
                writer.write(piece)
                self.sent += len(piece)
                await writer.drain()
                if pause:
                    await asyncio.sleep(pause)
            else:
                self._moved.clear()
                await self._moved.wait()
        writer.write_eof()

    async def _check(self, reader):
        before = time.monotonic()
        while data := await reader.read(_BLOCK):
            now = time.monotonic()
            self.longest = max(self.longest, now - before)
            before = now
            while data:
                wanted = self._piece(self.received, len(data))
                if data[:len(wanted)] != wanted:
                    raise ValueError(f"wrong bytes after {self.received}")
                self.received += len(wanted)
                data = data[len(wanted):]
            self._moved.set()


async def _line():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()


async def _connect(address, port, marker, flows, pause):
    stop = asyncio.Event()
    streams = [Stream(number, marker) for number in range(int(flows))]
    running = [asyncio.create_task(stream.run(address, int(port), float(pause), stop))
               for stream in streams]
    while not all(stream.received > _BLOCK or stream.error
                  for stream in streams):
        await asyncio.sleep(0.05)
    say("running", flows=len(streams))
    await _line()
    stop.set()
    await asyncio.gather(*running)
    broken = [stream.error for stream in streams if stream.error]
    say("done", flows=len(streams), broken=len(broken), errors=broken[:5],
        bytes=sum(stream.received for stream in streams),
        longest=max(stream.longest for stream in streams))


async def _echo(reader, writer):
    try:
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()
        writer.close()
    except OSError:
        pass  # the client tells of it


async def _serve(address, port):
    server = await asyncio.start_server(_echo, address, int(port),
                                        backlog=1024)
    say("listening", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run({"serve": _serve, "connect": _connect}[sys.argv[1]](
        *sys.argv[2:]))
