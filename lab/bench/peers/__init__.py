"""Other mixers, each started and configured by the benchmark itself, under the same members."""
