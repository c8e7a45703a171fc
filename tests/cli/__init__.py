"""What the commands do and say."""
