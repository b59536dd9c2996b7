"""The web side: HTTP API, identities, and the views customers, servers and operators get."""
