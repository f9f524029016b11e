"""A stock aiortc echo: its own encoders, jitter buffer and bitrates, nothing bent. `lacquer bench --compare echo`.

It says `ready: URL` once it listens, and answers an SDP offer POSTed to `/offer`.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

PEERS = web.AppKey("peers", set[RTCPeerConnection])


async def answer(request: web.Request) -> web.Response:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    request.app[PEERS].add(connection)

    @connection.on("track")
    def send_back(track: MediaStreamTrack) -> None:
        connection.addTrack(track)

    @connection.on("connectionstatechange")
    async def forget() -> None:
        if connection.connectionState in ("failed", "closed"):
            await connection.close()
            request.app[PEERS].discard(connection)

    await connection.setRemoteDescription(RTCSessionDescription(sdp=await request.text(), type="offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return web.Response(text=connection.localDescription.sdp, content_type="application/sdp")


async def close_all(app: web.Application) -> None:
    await asyncio.gather(*(connection.close() for connection in app[PEERS]))


def application() -> web.Application:
    app = web.Application()
    app[PEERS] = set()
    app.router.add_post("/offer", answer)
    app.on_shutdown.append(close_all)
    return app


async def serve() -> None:
    runner = web.AppRunner(application(), handle_signals=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"ready: http://{host}:{port}", flush=True)
    try:
        await asyncio.Event().wait()
    except web.GracefulExit:
        pass
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
