"""Protocol machines without I/O and without a clock: bytes and ``now`` in; bytes, events and the next timer out."""
