"""Output checks: what a reply may rest on, what is wrong with it, and the gate its sentences leave through."""
