"""Legs: one file for each kind of peer, and the handshake that browsers need."""
