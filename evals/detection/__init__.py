"""How well messages are read: measures of detection and of masking."""
