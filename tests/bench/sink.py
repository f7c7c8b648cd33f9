"""A relay that takes every mail after so many milliseconds: python sink.py PORT MILLISECONDS.

It offers PIPELINING, as Postfix and Exim do. It prints "ready" when it is, and a line for each
mail, with the time and the Subject, when its last argument is "tell". With "aiosmtpd" that one
takes the mails.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

from aiosmtpd.controller import Controller

PORT, DELAY, TELL = int(sys.argv[1]), int(sys.argv[2]) / 1000, sys.argv[3:] == ["tell"]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"EHLO":
            writer.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 20000000\r\n")
        elif verb == b"DATA":
            writer.write(b"354 go on\r\n")
            mail = await reader.readuntil(b"\r\n.\r\n")
            if DELAY:
                await asyncio.sleep(DELAY)
            writer.write(b"250 taken\r\n")
            if TELL:
                subject = mail.partition(b"Subject:")[2].partition(b"\r\n")[0]
                print(time.time(), subject.decode("ascii", "replace").strip(), flush=True)
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            writer.write(b"250 ok\r\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, limit=2**25, backlog=512)
    async with server:
        print("ready", flush=True)
        await server.serve_forever()


def checking() -> None:
    """In its place aiosmtpd, a server that reads what it is told as RFC 5321 has it."""

    class Taking:
        async def handle_DATA(self, *_about: object) -> str:  # noqa: N802
            await asyncio.sleep(DELAY)
            return "250 taken"

    Controller(Taking(), hostname="127.0.0.1", port=PORT).start()
    print("ready", flush=True)
    signal.pause()


if sys.argv[3:] == ["aiosmtpd"]:
    checking()
else:
    asyncio.run(main())
