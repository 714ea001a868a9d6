"""A tiny service."""
