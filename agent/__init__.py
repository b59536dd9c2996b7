"""The turn: flow, nodes, model adapters, tools, handoff, store, audit and the web side."""
