"""The audit chain: linking, verifying, anchoring and explaining, as pure functions over rows."""
