"""The activity source: what shoppers do on the site, and how often per user and window.

- `events`: `Activity` (one action), `Heartbeat` (moves event time on, is no action)
- `prices`, `users`: what a price and a user id are
- `nesting`: how deep a record may be nested
- `codec`: bytes to one of those, or to the reason why not; never raises
- `actions`: the same for the windower's hot path: who and when, in columns, a batch at a time
- `future_timestamps`: records stamped further ahead than they may be
- `counts`: `WindowCount`, a user's actions in one window, and its codec
"""
