from __future__ import annotations

from protocol.api import IceServer
from signaling.ice_links import ice_links


def test_every_address_is_a_link() -> None:
    servers = [
        IceServer(urls=["stun:stun.example.net"], username=None, credential=None),
        IceServer(urls=["turn:t.example?transport=udp", "turns:t.example"], username="user", credential='pass"\\word'),
    ]
    rest = r'rel="ice-server"; username="user"; credential="pass\"\\word"; credential-type="password"'
    assert ice_links(servers) == [
        '<stun:stun.example.net>; rel="ice-server"',
        f"<turn:t.example?transport=udp>; {rest}",
        f"<turns:t.example>; {rest}",
    ]
    assert ice_links([]) == []
