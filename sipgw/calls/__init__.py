"""Calls: a SIP session on one side, a leg of an MCU on the other."""
