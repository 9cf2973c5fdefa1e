"""The ports over AWS, over this machine's files, and in memory."""
