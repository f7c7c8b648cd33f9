"""The one line that a list of mails previews: what it is, how bad, and whom to call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _

from reporter.formats.text import one_line, shortened
from reporter.formats.words import hour, service_name
from reporter.mail.kind_words import kind_aloud
from reporter.models import UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, Severity

NAME_LENGTH = 60
NEWS_LENGTH = 120
JUST_NOW = timedelta(minutes=1)


def ticket_line(report: Report) -> str:
    """Service, severity, since when, what fails, and whom to call or write to."""
    what = _(
        "%(service)s, %(severity)s, %(since)s: %(summary)s",
        service=service_name(report.text("service")),
        severity=severity_in_words(report.severity),
        since=_since(report),
        summary=one_line(report.text("summary")),
    )
    return f"{_ended(what)} {_contact(report)}"


def followup_line(report: Report, followup: Followup, labels: Sequence[str], files: int) -> str:
    """The news itself. *labels* are the questions whose answers changed, *files* how many came."""
    update = followup.headline
    said = kind_aloud(update.kind)
    text = shortened(_told(report, update, labels), NEWS_LENGTH)
    if files:
        count = _("1 file") if files == 1 else _("%(count)s files", count=files)
        if update.kind == UpdateKind.FILES:
            text = count
        else:
            said = f"{said}, {count}"
    others = sum(each.kind != UpdateKind.FILES for each in followup.updates) - 1
    if others > 0:
        more = _("and 1 more") if others == 1 else _("and %(count)s more", count=others)
        text = f"{text}; {more}" if text else more
    which = _(
        "update %(number)s of %(reference)s", number=followup.number, reference=report.reference
    )
    return f"{said}: {text} ({which})" if text else f"{said} ({which})"


def severity_in_words(severity: Severity) -> str:
    words: dict[Severity, str] = {
        Severity.CRITICAL: _("critical"),
        Severity.MAJOR: _("major"),
        Severity.MINOR: _("minor"),
        Severity.QUESTION: _("a question"),
    }
    return words[severity]


def in_passing(label: str) -> str:
    """A question's label within a sentence."""
    bare = label.strip("¿?")
    return bare[:1].lower() + bare[1:]


def _since(report: Report) -> str:
    """By support's clock; the day, when it is not that of the report."""
    if report.started_at is None:
        return str(_("since when is not known"))
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    moment = report.started_at.astimezone(zone)
    about = report.started_precision == "approximate"
    if moment.date() == report.saved_at.astimezone(zone).date():
        clock = hour(moment)
        when = (
            _("since about %(clock)s", clock=clock) if about else _("since %(clock)s", clock=clock)
        )
    else:
        day = format_datetime(moment, "d MMM HH:mm", tzinfo=zone, locale=get_locale())
        when = _("since about %(day)s", day=day) if about else _("since %(day)s", day=day)
    gap = report.saved_at - moment
    if gap < JUST_NOW:
        before = _("just before the report")
    else:
        before = _("%(elapsed)s before the report", elapsed=_briefly(gap))
    return f"{when} ({before})"


def _contact(report: Report) -> str:
    name = shortened(one_line(report.text("name")), NAME_LENGTH)
    email, phone = one_line(report.text("email")), one_line(report.text("phone"))
    if phone and report.text("email_affected") == "yes":
        line = _("Call %(name)s, %(phone)s: email may not arrive.", name=name, phone=phone)
    elif phone and report.text("preferred_channel") == "phone":
        line = _("Call %(name)s, %(phone)s.", name=name, phone=phone)
    else:
        line = _("Write to %(name)s, %(email)s.", name=name, email=email)
    return str(line)


def _told(report: Report, update: CustomerUpdate, labels: Sequence[str]) -> str:
    if update.kind == UpdateKind.DETAILS:
        return "; ".join(in_passing(label) for label in labels)
    if update.kind == UpdateKind.UNREACHABLE:
        return _call(report).rstrip(".")
    return one_line(update.text)


def _call(report: Report) -> str:
    name = shortened(one_line(report.text("name")), NAME_LENGTH)
    if phone := one_line(report.text("phone")):
        return str(_("Call %(name)s, %(phone)s.", name=name, phone=phone))
    return str(_("%(name)s left no phone number.", name=name))


def _briefly(gap: timedelta) -> str:
    """As in "42 min", "3 h 5 min" or "2 d 4 h": the two largest units, rounded down."""
    hours, minutes = divmod(int(gap.total_seconds() // 60), 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next(place for place, (count, _unit) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(("?", "!", "…")) else sentence.rstrip(" .") + "."
