"""The versioned bundle of YAML files: the single source of truth for what policy is."""
