"""Findings in a bundle that loads: what is wrong or questionable in it, one module for each subject."""
