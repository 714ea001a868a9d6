"""What happens in a room's meeting: its state, moderation, hands, chat. Rules and what they need kept; no network, no database."""
