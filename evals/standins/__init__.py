"""Stand-ins for a model endpoint: well-behaved, hostile and broken ones, over real HTTP on the loopback interface."""
