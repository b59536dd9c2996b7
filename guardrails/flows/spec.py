"""What the bundle needs of flows: the model of a file, and everything that can be wrong with its shape."""

from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.flows.structure import flow_problems

__all__ = ("FlowSpec", "flow_problems")
