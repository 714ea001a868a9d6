"""The ways on which SIP messages come and go: UDP, TCP, TLS and WebSocket; whole messages, never fragments."""
