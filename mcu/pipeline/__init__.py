"""What is asked of the media engine."""
