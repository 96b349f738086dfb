"""The spec language: its models, the loader with positions, diagnostics, the one spelling, and the schema export."""
