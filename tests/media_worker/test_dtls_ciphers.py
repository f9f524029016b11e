from __future__ import annotations

from aiortc.rtcdtlstransport import SRTP_PROFILES as PROFILES
from aiortc.rtcdtlstransport import RTCCertificate
from OpenSSL import SSL

from media_worker import dtls_ciphers


def offered(context: SSL.Context) -> list[str]:
    names: list[str] = SSL.Connection(context).get_cipher_list()
    return names


def test_ciphers_for_rsa_come_after_all_of_aiortcs() -> None:
    certificate = RTCCertificate.generateCertificate()
    theirs = offered(dtls_ciphers._create_ssl_context(certificate, srtp_profiles=PROFILES))
    ours = offered(dtls_ciphers.create_ssl_context(certificate, srtp_profiles=PROFILES))
    assert [name for name in ours if "-RSA-" not in name] == theirs
    added = [name for name in ours if "-RSA-" in name]
    assert added and all(name.startswith("ECDHE-RSA-") for name in added)
