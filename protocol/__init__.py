"""The contract between browser, signaling and media worker. It imports nothing else of Lacquer's.

Read in this order: `limits` (sizes and times), `errors` (every code), `framing` (bytes), `messages` (what is said on
the socket and the data channel), `designs` (the catalogue), `api` (REST), `internal` (signaling ↔ worker).
"""
