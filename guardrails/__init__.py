"""The kernel: vocabulary, policy, detectors and checks; synchronous, without network or database."""
