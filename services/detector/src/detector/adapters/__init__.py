"""The ports on AWS (`<technology>_<role>`) and in memory."""
