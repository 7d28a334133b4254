"""Production: telemetry in, drift signals, alerts, schedule, service and Azure Monitor."""
