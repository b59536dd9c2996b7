"""The tool gate: facts about a proposed call. It never decides; policy does, from these facts."""
