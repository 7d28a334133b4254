"""A verdict for the systems that run the gate: JUnit XML, GitHub Actions, Azure DevOps."""

from driftgate.benchmarks.gate.outputs._junit import Undecided, junit_xml
from driftgate.benchmarks.gate.outputs.azure_devops import azure_commands
from driftgate.benchmarks.gate.outputs.github import github_annotations

__all__ = ["Undecided", "azure_commands", "github_annotations", "junit_xml"]
