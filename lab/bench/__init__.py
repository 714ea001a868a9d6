"""Benchmarks that people can run: what mixing costs, members for a core, beside other mixers in the same run."""
