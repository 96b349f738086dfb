"""Paper trading of a client: live market data, and a matching engine (`cexspec.paper`) in place of the venue."""
