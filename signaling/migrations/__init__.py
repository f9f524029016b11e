"""How a database of any age becomes what `signaling.tables` describes. `signaling.migrate` runs it."""
