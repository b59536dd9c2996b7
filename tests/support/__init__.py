"""What several tests share: builders and stand-ins."""
