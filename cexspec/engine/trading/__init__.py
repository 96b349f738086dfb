"""Orders and accounts: what a user asks for is checked, sent once, and followed until its outcome is known."""
