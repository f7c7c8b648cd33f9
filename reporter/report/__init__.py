"""A report as a value, with what comes to it and how far it has come: no request, no database."""

from reporter.report.additions import CustomerUpdate, Followup, Similar, StoredFile
from reporter.report.answers import (
    Answer,
    Section,
    Severity,
    Value,
    sections_from_json,
    sections_to_json,
)
from reporter.report.content import Report
from reporter.report.receipt import (
    JOINED_WITHIN,
    LATE_AFTER,
    MailStatus,
    Receipt,
    SupportMessage,
    Told,
)

__all__ = [
    "JOINED_WITHIN",
    "LATE_AFTER",
    "Answer",
    "CustomerUpdate",
    "Followup",
    "MailStatus",
    "Receipt",
    "Report",
    "Section",
    "Severity",
    "Similar",
    "StoredFile",
    "SupportMessage",
    "Told",
    "Value",
    "sections_from_json",
    "sections_to_json",
]
