"""Paper trading: a small matching engine with accounts, pure and exact. Time is given, nothing waits, nothing is sent."""
