"""Rules that look at window counts and return alerts; what to do with an alert is not decided here.

rules     `RateRule`: more than so many actions in a window
alerts    `Alert`, with an id that a replay gives again
cooldown  whether an alert is published, or only stored because its user has just been reported
"""
