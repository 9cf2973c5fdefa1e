"""One suite a port: every adapter keeps the same promises."""
