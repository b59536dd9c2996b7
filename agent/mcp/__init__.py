"""Tools of MCP servers behind the Toolbox port. Nothing that a server says of itself reaches a model."""
