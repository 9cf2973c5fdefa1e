"""How a Storepulse process runs: settings, logs, clock, health, metrics, the operations page, lifecycle.

`settings.load` reads the environment once; `logs.configure_logs` sends every log line to stderr as JSON;
`metrics.ServiceMetrics` and `health.Health` are what a service reports; `api.build_api` serves both;
`lifecycle.run_service` runs the service and that page together until a signal. Nothing here knows the domain.
"""
