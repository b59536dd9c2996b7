"""What is wrong with a base, and what a change does to whom: `handrail kb check`, `diff` and `status`."""
