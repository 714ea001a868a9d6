"""Who is in which room: plain objects without I/O."""
