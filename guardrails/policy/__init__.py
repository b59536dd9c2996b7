"""Typed facts, three-valued matchers and the policy set that turns facts into decisions."""
