"""Rooms and the people in them: the rules, without I/O of their own."""
