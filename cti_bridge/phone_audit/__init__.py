"""The audit of a CRM's telephone numbers: which will never match a caller, why, which are shared. Pure; asks nothing.

``judging`` says what is wrong with one text, ``counting`` gathers that of all contacts in flat memory, ``wording`` says
it to people. Where contacts come from is the connector's business (``walk``), where the result goes the caller's.
"""

from __future__ import annotations

from cti_bridge.phone_audit.counting import Audit, Problem, Report, Sharing
from cti_bridge.phone_audit.judging import LOOKS_MISTYPED, NEVER_MATCHES, Fault, Judgement, judge
from cti_bridge.phone_audit.wording import WORDS, Wording

__all__ = [
    "LOOKS_MISTYPED",
    "NEVER_MATCHES",
    "WORDS",
    "Audit",
    "Fault",
    "Judgement",
    "Problem",
    "Report",
    "Sharing",
    "Wording",
    "judge",
]
