"""The second stage's questions, for an important incident. None must be answered."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice as Option

from reporter.web.fields import NO, UNKNOWN, YES, Checkboxes, Files, Radios, TextArea, TextInput
from reporter.wizard.step import Step, StepForm
from reporter.wizard.time_fields import PastTime

OPTIONAL = _l("Answer what you can. No answer is required.")


class ImpactForm(StepForm):
    title = _l("What it means for you")
    about = _l("who cannot work, how long you can wait")
    lead = OPTIONAL

    users_affected = TextInput(
        _l("How many people does it affect?"),
        hint=_l("For example: the 40 people in the office, or one customer in ten"),
        important=True,
        key="users_affected",
    )
    business_impact = TextArea(
        _l("What does this stop you from doing?"),
        hint=_l("For example: we cannot take orders"),
    )
    deadline = TextInput(
        _l("When do you need it working by?"),
        hint=_l("For example: today at 18:00, when the campaign starts"),
        key="deadline",
    )
    workaround = Radios(
        _l("Can you work in some other way in the meantime?"),
        choices=[Option("yes", YES), Option("no", NO), Option("unknown", UNKNOWN)],
        key="workaround",
    )
    workaround_description = TextArea(
        _l("How?"),
        hint=_l("For example: we take orders by phone"),
        asked_with=("workaround", "yes"),
        rows=2,
    )
    still_works = TextArea(
        _l("What does work?"),
        hint=_l("Other sites, networks or devices. It tells us where not to look"),
    )


class EvidenceForm(StepForm):
    title = _l("What you have seen")
    about = _l("tests, screenshots, where it is failing from")
    lead = OPTIONAL

    tests_done = TextArea(
        _l("What have you tried, in order, and what happened?"),
        hint=_l("For example: 1. Restarted the browser: the same. 2. From a phone: it works"),
        important=True,
        rows=4,
        exact=True,
    )
    seen_from = TextArea(
        _l("Where is it failing from?"),
        hint=_l("Network, place, and public IP address if you know it"),
        rows=2,
    )
    last_worked_at = PastTime(
        _l("When did it last work, as far as you are sure?"),
        hint=_l("In your own local time"),
        key="last_worked_at",
    )
    hypothesis = TextArea(
        _l("What do you think the cause is?"),
        hint=_l("A guess is welcome: we will read it as a guess"),
    )
    files = Files(
        _l("Screenshots and other files"),
        hint=_l("Pictures, PDF, text, documents, ZIP files, videos or network captures"),
    )


class AuthorisationForm(StepForm):
    title = _l("What you authorise us to do")
    about = _l("permissions, and who is with you")
    lead = OPTIONAL

    allowed_actions = Checkboxes(
        _l("What may we do without asking you again?"),
        choices=[
            Option("restart_service", _l("Restart the service")),
            Option("reboot", _l("Restart the server")),
            Option("power_off", _l("Switch the server off")),
            Option("restore_backup", _l("Restore from a backup")),
            Option("access", _l("Log in to the server")),
            Option("call_first", _l("Call me before doing anything")),
        ],
        important=True,
        key="allowed_actions",
    )
    authorised_by = TextInput(
        _l("Who authorises it?"),
        hint=_l("Name and position"),
        key="authorised_by",
    )
    on_site_contact = TextInput(
        _l("Who can we contact on site if we need to?"),
        hint=_l("Name and phone number"),
    )
    available_until = TextInput(
        _l("Until when can we reach you?"),
        hint=_l("For example: all night, or until 23:00"),
        key="available_until",
    )
    other_providers = TextArea(
        _l("Which other providers have you told?"),
        hint=_l("For example: the developers of the website, since 10:15"),
        rows=2,
    )
    security_suspected = Radios(
        _l("Could it be an attack or an intrusion?"),
        choices=[Option("no", NO), Option("yes", YES), Option("unknown", UNKNOWN)],
        key="security_suspected",
    )
    data_loss_suspected = Radios(
        _l("Could data have been lost?"),
        choices=[Option("no", NO), Option("yes", YES), Option("unknown", UNKNOWN)],
        key="data_loss_suspected",
    )
    wants_root_cause = Radios(
        _l("Do you want an explanation of the cause afterwards?"),
        choices=[Option("yes", YES), Option("no", NO)],
        key="wants_root_cause",
    )


# In the order of their keys, in mails and programs.
DETAIL_STEPS = (
    Step("impact", ImpactForm),
    Step("evidence", EvidenceForm),
    Step("authorisation", AuthorisationForm),
)
# In the order they are asked in: what only the customer has comes first.
ASKED_DETAIL_STEPS = (DETAIL_STEPS[1], DETAIL_STEPS[0], DETAIL_STEPS[2])
