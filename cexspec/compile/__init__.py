"""From a spec to a plan: paths, wire types, extractors, templates, symbols, routers. Nothing here does input or output."""
