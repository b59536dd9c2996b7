"""The tools of the company. A new one is one module and one line in `TOOLS`."""

from __future__ import annotations

from handrail.agent.company.desk import CompanyTool
from handrail.agent.company.tools.cancel_subscription import CANCEL_SUBSCRIPTION
from handrail.agent.company.tools.change_plan import CHANGE_PLAN
from handrail.agent.company.tools.delete_data import DELETE_DATA
from handrail.agent.company.tools.get_profile import GET_PROFILE
from handrail.agent.company.tools.get_status import GET_STATUS
from handrail.agent.company.tools.get_subscription import GET_SUBSCRIPTION
from handrail.agent.company.tools.invoices import GET_INVOICE, LIST_INVOICES
from handrail.agent.company.tools.issue_refund import ISSUE_REFUND
from handrail.agent.company.tools.list_devices import LIST_DEVICES
from handrail.agent.company.tools.resend_code import RESEND_CODE
from handrail.agent.company.tools.reset_mfa import RESET_MFA

TOOLS: tuple[CompanyTool, ...] = (
    GET_PROFILE,
    GET_SUBSCRIPTION,
    LIST_INVOICES,
    GET_INVOICE,
    LIST_DEVICES,
    GET_STATUS,
    ISSUE_REFUND,
    CANCEL_SUBSCRIPTION,
    CHANGE_PLAN,
    DELETE_DATA,
    RESET_MFA,
    RESEND_CODE,
)
"""Every tool of the company, reads first."""
