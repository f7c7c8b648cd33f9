// What scripts add. Every page works without them.

const $ = (selector, root = document) => root.querySelector(selector);
const { lang } = document.documentElement;
const language = navigator.languages.find((each) => each.startsWith(lang)) ?? lang;
const form = $("form[data-send]");
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

// The time zone of this device, while nobody has chosen another.
const zone = $("#f-timezone");
if (zone && !("answered" in form.dataset)) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (here?.includes("/")) zone.value = here;
}

// A time that was chosen, as people say it: "today 10:05, 42 minutes ago".

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
  const read = () => {
    let words = "";
    try {
      if (field.value) words = spoken(instant(field.value, zone?.value), zone?.value);
    } catch {} // no zone that we know
    if (output.value !== words) output.value = words;
  };
  for (const each of [field, zone]) each?.addEventListener("input", read);
  read();
}

// The draft: what was typed, mirrored in this browser until it is sent. It also holds the key
// under which the server takes the report once, however often it is sent. What is added to a
// report that was sent has a draft of its own.
const mirrored = form?.dataset.draft;
const whole = mirrored === "whole";
const added = /-/.test(mirrored);
const DRAFT = "reporter." + (added ? mirrored : "draft");

function stored(use) {
  try {
    return use(localStorage);
  } catch {} // full, or forbidden
}

const keep = () => stored((store) => store.setItem(DRAFT, JSON.stringify({ ...draft, at: Date.now() })));

function forget() {
  stored((store) => store.removeItem(DRAFT));
  return { key: crypto.getRandomValues(new Uint32Array(5)).join("-"), answers: {} };
}

// None is kept for longer than a day.
stored((store) => {
  for (const name of Object.keys(store))
    if (/^reporter/.test(name) && !(JSON.parse(store[name]).at > Date.now() - DAY)) delete store[name];
});
let draft = stored((store) => JSON.parse(store.getItem(DRAFT)));
if (!draft || form?.matches("[data-new]")) draft = forget();

// The fields of each question on the page. Tokens, traps, files and buttons are none.
function questions() {
  const found = {};
  for (const field of form.elements) {
    const other = /hidden|file|submit|button|fieldset/.test(field.type) || field.closest(".hidden");
    if (field.name && !other) (found[field.name] ??= []).push(field);
  }
  return Object.entries(found);
}

const isOption = (field) => /radio|checkbox/.test(field.type);

function answer(fields) {
  const chosen = fields.filter((field) => !isOption(field) || field.checked);
  const words = chosen.map((field) => (isOption(field) ? field.parentElement.innerText.trim() : field.value));
  return {
    at: Date.now(),
    values: chosen.map((field) => field.value),
    label: $(".label, span", fields[0].closest(".question")).firstChild.textContent.trim(),
    text: fields[0].offsetParent ? words.join(", ") : "",
  };
}

const differs = (name, fields) => String(draft.answers[name]?.values) !== String(answer(fields).values);

function mirror(wanted) {
  for (const [name, fields] of questions())
    if ((wanted ?? name) === name)
      draft.answers[name] = { ...answer(fields), ...(differs(name, fields) ? {} : { at: draft.answers[name].at }) };
  keep();
}

function putBack(lost) {
  for (const [name, fields] of lost) {
    const { values } = draft.answers[name];
    for (const field of fields)
      if (isOption(field)) field.checked = values.includes(field.value);
      else field.value = values[0];
    fields[0].dispatchEvent(new Event("input", { bubbles: true }));
  }
}

if (mirrored) {
  const lost = questions().filter(
    ([name, fields]) => draft.answers[name]?.values.some(Boolean) && differs(name, fields),
  );
  form.addEventListener("input", ({ target }) => mirror(target.name));
  if (whole) putBack(lost);
  else if (lost.length) {
    const offer = $("#offer");
    offer.hidden = false;
    offer.onclick = ({ target: { value } }) => {
      if (value === "back") putBack(lost);
      if (value === "drop") for (const [name] of lost) delete draft.answers[name];
      if (!value) return;
      keep();
      offer.hidden = true;
      $("h1").focus();
    };
  }
  $("#kept")?.removeAttribute("hidden");
}

// Sending: one press, one request. While we cannot be reached the page stays, says so, and tries
// again by itself; the server takes what arrives twice as one.
const trouble = $("#trouble");
let tries = 0;
let busy = false;
let plain = false;
let timer;
let again = () => {};

async function reach(url, options) {
  const files = form?.enctype === "multipart/form-data";
  const signal = AbortSignal.timeout(files ? 15 * MINUTE : MINUTE / 2);
  const response = await fetch(url, { signal, headers: { "X-Requested-With": "fetch" }, ...options });
  if (response.status >= 500) throw response;
  return response;
}

async function send(submitter) {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  again = () => send(submitter);
  try {
    const body = new FormData(form);
    if (submitter?.name) body.set(submitter.name, submitter.value);
    if (mirrored) {
      const started = draft.answers.started?.at ?? Date.now();
      body.set("draft_key", draft.key);
      body.set("age", Math.round((Date.now() - started) / 1000));
    }
    if (whole) body.set("csrf_token", (await (await reach("/report/token")).json()).csrf_token);
    const response = await reach(form.action, { method: "POST", body });
    if (response.headers.get("Content-Type").includes("json")) {
      const next = (await response.json()).location;
      if (mirrored && next.startsWith("/r/")) forget();
      return location.assign(next);
    }
    // It was not taken as it stands: the server shows why.
    plain = true;
    form.requestSubmit(submitter);
  } catch {
    busy = false;
    complain();
    timer = setTimeout(again, Math.min(1000 * 2 ** ++tries, MINUTE));
  }
}

form?.addEventListener("submit", (event) => {
  if (plain) return;
  event.preventDefault();
  if (whole) draft.queued = true;
  if (mirrored) mirror();
  send(event.submitter);
});

function complain() {
  const reviewed = [...document.querySelectorAll(".answers > div")].map((each) => each.innerText);
  const typed = Object.values(draft.answers).map(({ label, text }) => text && label + "\n" + text);
  const text = (questions()[0] ? typed : reviewed).filter(Boolean).join("\n\n");
  const mail = $("a[href^=mailto]", trouble);
  mail.search = new URLSearchParams({ subject: mail.title, body: text }).toString().replace(/\+/g, "%20");
  $("pre", trouble).textContent = text;
  $(".offline", trouble).hidden = whole || added || !navigator.serviceWorker?.controller;
  trouble.hidden = false;
}

trouble?.addEventListener("click", ({ target: { value } }) => {
  if (value === "again") again();
  if (value === "print") print();
  if (value !== "copy") return;
  getSelection().selectAllChildren($("pre", trouble));
  navigator.clipboard?.writeText($("pre", trouble).textContent);
  $(".copied", trouble).hidden = false;
});
addEventListener("online", () => again());
// A page that comes back from the browser's memory can be sent again.
addEventListener("pageshow", () => (busy = plain = false));

// A report that was filled in without a connection is sent as soon as there is one.
if (draft.queued && whole) form.requestSubmit();
if (draft.queued && location.pathname === "/") location.assign("/offline");

// A receipt shows by itself how far the report has come: often at first, then less and less.
const progress = $("[data-status]");
if (progress) {
  let before;
  let next;
  let looks = 0;
  const refresh = async () => {
    const page = await (await reach(location.href)).text();
    const fresh = $("[data-status]", new DOMParser().parseFromString(page, "text/html"));
    if (fresh.innerHTML === progress.innerHTML) return;
    progress.style.minHeight = progress.offsetHeight + "px";
    progress.innerHTML = fresh.innerHTML;
  };
  const look = async () => {
    clearTimeout(next);
    if (document.hidden) return;
    next = setTimeout(look, Math.min(2000 * 1.3 ** looks++, MINUTE / 4));
    try {
      const response = await reach(progress.dataset.status);
      const status = await response.text();
      const version = status + response.headers.get("ETag");
      if (version !== before || !JSON.parse(status).sent_at) await refresh();
      before = version;
    } catch {} // the next look may find it
  };
  addEventListener("visibilitychange", () => {
    looks = 0;
    look();
  });
  next = setTimeout(look, 2000);
}

// The form opens without a connection, after one visit.
navigator.serviceWorker?.register("/sw.js").catch(() => {});
