"""The questions: one form a page, each question declared once.

A field's name is its key in the draft, the report, the JSON and the tests, and never changes.
Its label is what the form, the review and the mail say. Declaration order is question order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from wtforms import SelectChoice as Option
from wtforms.validators import ValidationError

from reporter.web.contact_fields import Email, Phone
from reporter.web.fields import NO, UNKNOWN, YES, Checkbox, Files, Radios, TextArea, TextInput
from reporter.web.locale import current_language
from reporter.wizard.started import StartedForm
from reporter.wizard.step import Step, StepForm
from reporter.wizard.time_fields import LocalTime, Started, Zone


def service_options() -> list[Option]:
    """Made once, as they are asked for on each page."""
    made: dict[str, Any] = current_app.extensions
    if "service options" not in made:
        services = current_app.config["SERVICES"]
        made["service options"] = [Option(each["id"], _name(each["name"])) for each in services]
    options: list[Option] = made["service options"]
    return options


def _name(of: Mapping[str, str]) -> LazyString:
    return LazyString(lambda: of[current_language()])


class FailureForm(StepForm):
    title = _l("What is wrong")
    about = _l("the service, the exact error, how serious it is")

    service = Radios(
        _l("Which service is failing?"),
        choices=service_options,
        required=_l("Choose the service that is failing"),
        key="service",
    )
    affected = TextArea(
        _l("What is affected?"),
        hint=_l("Domains, IP addresses, servers or accounts. For example: shop.example.com"),
        max_length=2_000,
        rows=2,
        verbatim=True,
        wanted=True,
        key="affected",
    )
    summary = TextInput(
        _l("What is happening, in one line?"),
        hint=_l("For example: the shop does not load, error 502"),
        required=_l("Describe in one line what is happening"),
        max_length=120,
        key="summary",
    )
    error_message = TextArea(
        _l("The error message, exactly as it is shown"),
        hint=_l("Copy and paste it, with its codes and numbers"),
        max_length=20_000,
        exact=True,
        wanted=True,
    )
    screenshots = Files(
        _l("Screenshots"),
        hint=_l("Of what you see, if you have any"),
    )
    impact = Radios(
        _l("How serious is it for you?"),
        choices=[
            Option("critical", _l("Critical: we cannot work, or our customers cannot reach us")),
            Option("major", _l("Major: something important is failing, and the rest works")),
            Option("minor", _l("Minor: it is a nuisance, and we can work")),
            Option("question", _l("Nothing is broken: I have a question")),
        ],
        required=_l("Say how serious it is for you"),
    )


class TimingForm(StartedForm):
    title = _l("When it started")
    about = _l("roughly is fine")

    started = Started(
        _l("When did it start?"),
        choices=[
            Option("just_now", _l("Just now")),
            Option("minutes_15", _l("About 15 minutes ago")),
            Option("hour_1", _l("About an hour ago")),
            Option("at", _l("At a time I know")),
            Option("unknown", UNKNOWN),
        ],
        required=_l("Say when it started, or that you do not know"),
    )
    started_at = LocalTime(
        _l("Date and time"),
        hint=_l("In your own local time"),
        asked_with=("started", "at"),
        required=_l("Enter the date and the time it started"),
    )
    started_fold = Radios(
        _l("The clocks went back that night. Which of the two times was it?"),
        choices=[
            Option("earlier", _l("The first time, before the change")),
            Option("later", _l("The second time, after the change")),
        ],
        asked_when=lambda form: form.is_twofold(),
        shown_with=("started", "at"),
        required=_l("Say which of the two times it was"),
    )
    approximate = Checkbox(_l("That time is approximate"), asked_with=("started", "at"))
    timezone = Zone(
        _l("Your time zone"),
        hint=_l("A city or a zone: Bogotá, Canarias or Europe/Madrid"),
        shown_with=("started", "at"),
        verbatim=True,
        autocomplete="off",
    )
    pattern = Radios(
        _l("Is it failing all the time?"),
        choices=[
            Option("continuous", _l("Yes, all the time")),
            Option("intermittent", _l("It comes and goes")),
            Option("over", _l("No, it works again")),
            Option("unknown", UNKNOWN),
        ],
        required=_l("Say whether it is failing all the time"),
        key="pattern",
    )
    frequency = TextInput(
        _l("How often?"),
        hint=_l("For example: every 10 minutes, for a minute"),
        asked_with=("pattern", "intermittent"),
        wanted=True,
    )


class ChangesForm(StepForm):
    title = _l("What changed")
    about = _l("if anything did, shortly before")
    lead = _l("A recent change is often the cause, and nobody is blamed for it.")

    changed = Radios(
        _l("Did you change anything shortly before?"),
        hint=_l("An update, a new plugin, a password, a DNS record, a configuration"),
        choices=[Option("no", NO), Option("yes", YES), Option("unknown", UNKNOWN)],
        required=_l("Say whether you changed anything, or that you do not know"),
        key="changed",
    )
    change_description = TextArea(
        _l("What did you change, and when?"),
        hint=_l("For example: we updated the shop's payment plugin at 10:00"),
        asked_with=("changed", "yes"),
        required=_l("Say what you changed"),
    )


class ContactForm(StepForm):
    title = _l("How to reach you")
    about = _l("even if your own email is what is failing")

    name = TextInput(
        _l("Your name"),
        required=_l("Enter your name"),
        autocomplete="name",
        key="reporter_name",
    )
    company = TextInput(_l("Company"), autocomplete="organization", key="reporter_company")
    customer_number = TextInput(
        _l("Customer number"),
        hint=_l("It is on your invoices"),
        verbatim=True,
        autocomplete="off",
        key="customer_number",
    )
    email = Email(
        _l("Email address"),
        required=_l("Enter your email address"),
        autocomplete="email",
        inputmode="email",
        key="reporter_email",
    )
    email_affected = Radios(
        _l("Does the incident affect that email address?"),
        hint=_l("If it does, our emails may not reach you, and we will call you"),
        choices=[Option("no", NO), Option("yes", YES), Option("unknown", UNKNOWN)],
        required=_l("Say whether the incident affects that email address"),
        key="email_affected",
    )
    phone = Phone(
        _l("Phone number"),
        hint=_l("Include the country code if the number is from abroad"),
        required_with={
            ("email_affected", "yes"): _l("Enter a phone number: our emails may not reach you"),
            ("preferred_channel", "phone"): _l("Enter the phone number we should call"),
        },
        unless=_l("(optional, unless we need to call you)"),
        autocomplete="tel",
        inputmode="tel",
        key="reporter_phone",
    )
    preferred_channel = Radios(
        _l("How should we reply?"),
        choices=[Option("email", _l("By email")), Option("phone", _l("By phone"))],
        required=_l("Choose how we should reply"),
        key="preferred_channel",
    )

    def validate_email(self, field: Email) -> None:
        """Not one of ours: our mails would go round."""
        ours = (current_app.config["SUPPORT_EMAIL"], current_app.config["MAIL_DEFAULT_SENDER"])
        if (field.value(self) or "").lower() in {str(each).lower() for each in ours}:
            raise ValidationError(_("That is our address: enter your own"))


REPORT_STEPS = (
    Step("failure", FailureForm),
    Step("timing", TimingForm),
    Step("changes", ChangesForm),
    Step("contact", ContactForm),
)

# A person needs longer than this from the first answer to the last.
MINIMUM_TIME = timedelta(seconds=5)
