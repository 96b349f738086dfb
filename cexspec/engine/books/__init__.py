"""Maintained order books, from the levels of one side to the books of a whole client.

order_book, halves -> levels (one symbol's) ----.
rules, checksum, waiting (for its snapshot) ----+-> synced (its state machine) -> sync (a connection's) -> bookkeeper (a client's)
legs: which of several connections' books of one symbol is delivered; snapshots, fetching: which are fetched next; progress: how
far a start is. view is what consumers get; offline does the same for recorded payloads.
"""
