"""What pages of people who are signed in are told, outside of meetings: that something of theirs has changed, and who is there."""
