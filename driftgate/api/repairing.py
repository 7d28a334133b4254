"""What a person does with repairs: look at them, agree or not, end one, stop them all."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.api.repair import RemediationView
    from driftgate.finetune.remediation import Approval, Remediation, Stopped


@dataclass(frozen=True)
class Repairing:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns remediations."""

    files: OpenWorkspace
    ledger: Ledger

    def remediation(self, name: str) -> RemediationView:
        """A remediation: where it stands, what it has taken, and what it would have a person agree to.

        Raises
        ------
        DriftgateError
            None, or more than one, has this in its id.
        """
        from driftgate.api.repair import look_at

        return look_at(self.files, self.ledger, name)

    def approve_remediation(self, name: str, *, who: str = "", shown: str = "") -> Approval:
        """Agree to the promotion that a remediation asks approval for; see
        :func:`driftgate.api.repair.approve_repair`.

        Parameters
        ----------
        who : str
            The person; by default the user of this process.
        shown : str
            Hash of what they were shown; by default what it asks for now.
        """
        from driftgate.api.repair import approve_repair
        from driftgate.finetune.remediation import find_remediation

        one = find_remediation(self.ledger, name)
        return approve_repair(self.files, self.ledger, one, who or getpass.getuser(), shown)

    def reject_remediation(self, name: str, reason: str, *, who: str = "") -> Remediation:
        """Refuse the promotion that a remediation asks approval for; see :func:`driftgate.api.repair.reject_repair`."""
        from driftgate.api.repair import reject_repair
        from driftgate.finetune.remediation import find_remediation

        one = find_remediation(self.ledger, name)
        return reject_repair(self.files, self.ledger, one, who or getpass.getuser(), reason)

    def abandon_remediation(self, name: str, reason: str, *, who: str = "") -> Remediation:
        """End a remediation, however far it is; see :func:`driftgate.api.repair.abandon_repair`."""
        from driftgate.api.repair import abandon_repair
        from driftgate.finetune.remediation import find_remediation

        one = find_remediation(self.ledger, name)
        return abandon_repair(self.files, self.ledger, one, who or getpass.getuser(), reason)

    def stop_repairs(self, reason: str, *, who: str = "") -> Stopped:
        """Open no remediation and let none go on, at once and for every process, until :meth:`resume_repairs`.

        Raises
        ------
        DriftgateError
            No reason is given.
        """
        from driftgate.finetune.remediation import stop

        return stop(self.ledger, who or getpass.getuser(), reason)

    def resume_repairs(self, *, who: str = "") -> bool:
        """Let remediations go on; False where nobody had stopped them."""
        from driftgate.finetune.remediation import resume

        return resume(self.ledger, who or getpass.getuser())
