"""One sample through one DAG: flow files, engines, models and node evaluators."""
