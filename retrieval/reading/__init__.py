"""From folders and exports to documents: formats, metadata, and passages."""
