"""What a person looks at: alarms, the topic they go to, the dashboard. What to do about an alarm: docs/runbook.md."""
