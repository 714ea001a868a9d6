"""The front door: one public address and one TCP port for pages, API, events and TURN."""
