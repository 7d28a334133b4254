"""A better model: synthesis, privacy, training, deployment and the remediation of a regression."""
