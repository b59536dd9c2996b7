"""What is known of a bundle before anybody is served by it: findings, tests, proofs and comparisons."""
