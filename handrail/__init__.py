"""Guardrail middleware and chat backend for LLM support agents.

Importing this package loads nothing else; take what you need from its parts, such as
``handrail.guardrails`` or ``handrail.agent``.
"""

__version__ = "0.1.0"
