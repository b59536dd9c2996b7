"""AgentDojo, played offline: a model that obeys whatever it reads, and a gate that decides each of its calls by a pack.

Needs the package `agentdojo`, which is not installed with Handrail: it brings the clients of five model vendors.
"""
