"""Rooms of media: who is there, what each hears, how they come and go. Decisions are made here, packets move in C."""
