"""Maintained order books, from the levels of one side to the books of a whole client.

order_book -> synced (one symbol's state machine: rules, checksum, halves) -> sync (a connection's) -> bookkeeper (a client's)
legs tell which of several connections' books of one symbol is delivered.
view is what consumers get; offline does the same for recorded payloads.
"""
