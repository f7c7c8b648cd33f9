// The time zone of this device; a time that was chosen, as people say it: "today 10:05, 42 minutes
// ago"; and what is said of half a time.

const $ = (selector) => document.querySelector(selector);
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const { lang } = document.documentElement;
const language = navigator.languages?.find((each) => each.startsWith(lang)) ?? lang;

// While nobody has chosen another.
const zone = $("#f-timezone");
if (zone && zone.value === zone.defaultValue && !("answered" in zone.form.dataset)) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (here?.includes("/")) zone.value = here;
}

// What clocks in a zone show at an instant, as if it were UTC.
const clock = (at, timeZone) =>
  Date.parse(new Date(at).toLocaleString("sv", { timeZone }).replace(" ", "T") + "Z");

function instant(local, timeZone) {
  const asked = Date.parse(local + "Z");
  const guess = 2 * asked - clock(asked, timeZone);
  return asked + guess - clock(guess, timeZone);
}

function spoken(at, timeZone) {
  const now = Date.now();
  const days = Math.floor(clock(at, timeZone) / DAY) - Math.floor(clock(now, timeZone) / DAY);
  const near = Math.abs(days) < 2;
  const day = near ? {} : { weekday: "long", day: "numeric", month: "long" };
  const time = Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone, ...day });
  const relative = (count, unit, numeric) =>
    new Intl.RelativeTimeFormat(language, { numeric }).format(count, unit);
  const minutes = Math.trunc((at - now) / MINUTE) || -0;
  const gone =
    Math.abs(minutes) < 60 ? relative(minutes, "minute")
    : Math.abs(minutes) < 2880 ? relative(Math.trunc(minutes / 60), "hour")
    : relative(days, "day");
  return (near ? relative(days, "day", "auto") + " " : "") + time.format(at) + ", " + gone;
}

for (const output of document.querySelectorAll("output[for]")) {
  const field = $("#" + output.htmlFor);
  const tell = () => {
    let words = "";
    try {
      if (field.value) words = spoken(instant(field.value, zone?.value), zone?.value);
    } catch {} // no zone that we know
    if (output.value === words) return;
    Object.assign(output, { value: words, className: "hint" });
    field.removeAttribute("aria-invalid");
  };
  for (const each of [field, zone]) each?.addEventListener("input", tell);
  tell();
}

// Half a date is sent as none, and would be gone.
addEventListener(
  "submit",
  (event) => {
    const half = $("[data-half]");
    const field = half && $("#" + half.htmlFor);
    if (!field?.validity.badInput || !field.offsetParent) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    Object.assign(half, { value: half.dataset.half, className: "error" });
    field.setAttribute("aria-invalid", true);
    field.focus();
  },
  true,
);
