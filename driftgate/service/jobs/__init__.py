"""The process that does jobs: one leader, a schedule, a process for each job, and one outcome for every one of them."""

from driftgate.service.jobs._board import Board, Ending
from driftgate.service.jobs._due import Due, due
from driftgate.service.jobs._runner import Runner

__all__ = ["Board", "Due", "Ending", "Runner", "due"]
