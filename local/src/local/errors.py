"""What can go wrong on a laptop, said to the person in front of it."""


class LocalError(Exception):
    """Something the user can put right; its text is the whole message, shown without a traceback."""
