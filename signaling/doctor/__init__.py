"""Signaling's part of `lacquer doctor`: settings, ports, database, pictures, Redis, clock, TLS and disk.

Each module makes `protocol.checkup.Check`s, or verdicts for them; `command` puts them together and shows them.
"""
