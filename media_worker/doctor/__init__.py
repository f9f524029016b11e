"""The media worker's part of `lacquer doctor`: models, speed, UDP ports, STUN and TURN, and a stream from end to end.

Each module makes `protocol.checkup.Check`s, or verdicts for them; `lacquer doctor` puts them together.
"""
