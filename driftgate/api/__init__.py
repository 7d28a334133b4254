"""Everything a person does with a workspace: what commands, the service and notebooks call."""
