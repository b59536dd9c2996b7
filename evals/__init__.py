"""Scenarios, hostile models, measures, experiments and reports about the agent."""
