"""The configuration of several exchanges: a YAML file, read with the same care as a spec and made of the same parts."""
