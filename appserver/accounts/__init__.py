"""Accounts of people: who they are, how they prove it, what they have left of that proof. No I/O."""
