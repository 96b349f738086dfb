"""The only I/O: HTTP, WebSockets, time, rate limits. Foreign exceptions end here."""
