"""A model that does anything at all, for days: random behaviours through the gate and through the whole flow."""
