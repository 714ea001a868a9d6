"""``confero up``: the plan of what runs where, the supervisor that decides, the processes themselves, and the screen."""
