"""Authorisation: who asks (actors), the one table of who may do what (table), and the guard that holds every route to it."""
