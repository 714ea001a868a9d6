"""Records of meetings: what they are made from, how they are read, exported, and forgotten."""
