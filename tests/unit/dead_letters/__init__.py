"""What dead letters are, before anything is sent."""
