"""TURN servers: those that live, and what browsers are told of them. No I/O."""
