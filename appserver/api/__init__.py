"""HTTP handlers: thin, between the wire models and the rules."""
