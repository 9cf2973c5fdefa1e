"""Where the bad events of every service go: three ports, one suite."""
