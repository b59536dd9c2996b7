"""Detectors: each reads one message and reports signals; none of them decides anything."""
