"""Trunks: PBXs and providers that we register at, watch, call through, and know by their addresses."""
