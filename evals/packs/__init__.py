"""Packs: the written policy of another company as tools, rules and facts, and a gate that decides calls by them."""
