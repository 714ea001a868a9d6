"""The TURN server: rules by a machine in Python, packets in C; this package is the glue, the sockets and the operator's side."""
