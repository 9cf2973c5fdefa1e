"""The windower's ports over real services, and in memory."""
