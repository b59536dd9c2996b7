"""Agents of other people whose turns Handrail guards: they write the drafts, and their tools run behind the gate."""
