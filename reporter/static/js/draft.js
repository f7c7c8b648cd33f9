// What was typed, mirrored in this browser until it is sent. Each page belongs to one draft, whose
// key is in its form; the server takes what is sent under one key once, however often it arrives.

export const $ = (selector, root = document) => root.querySelector(selector);
export const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
export const form = $("form[data-send]");
export const mirrored = form?.dataset.draft;
export const whole = mirrored === "whole"; // the form that is filled in without a connection
export const added = /-/.test(mirrored); // to a report that was sent
const keyField = form?.elements.draft_key;

// What only scripts can show: without them none of it is true, so none of it is in the page.
for (const each of document.querySelectorAll("[data-html]")) each.innerHTML = each.dataset.html;

function stored(use) {
  try {
    return use(localStorage);
  } catch {} // full, or forbidden
}

// None is kept for longer than a day, by whatever clock, and none for another caller.
const all = () => stored(Object.keys)?.filter((name) => name.startsWith("reporter.")) ?? [];
const read = (name) => stored((store) => JSON.parse(store.getItem(name)));
const write = (name, each) =>
  stored((store) => (store.setItem(name, JSON.stringify({ ...each, at: Date.now() })), true));
const remove = (name) => stored((store) => store.removeItem(name));
for (const name of all()) {
  const each = read(name);
  if ($("[data-forget]") || !(each?.at > Date.now() - DAY) || ($("[data-status]") && each.gone)) remove(name);
  else if (each.at > Date.now()) write(name, each);
}

const others = () =>
  all()
    .filter((name) => name.startsWith("reporter.draft"))
    .map(read)
    .sort((one, other) => other.at - one.at);

function ownKey() {
  if (keyField?.value) return keyField.value;
  const known = others();
  const own = known.find((each) => each.key === stored(() => sessionStorage.reporter)) ?? known[0];
  try {
    return location.hash.slice(1) || own?.key || crypto.getRandomValues(new Uint32Array(5)).join("-");
  } catch {
    return ""; // the server makes one
  }
}

const key = added ? "" : ownKey();
const name = added ? "reporter." + mirrored : "reporter.draft." + key;
const earlier = read(name);
export const draft = { key, answers: {}, ...earlier };
if (keyField) keyField.value = key;
if (key) stored(() => (sessionStorage.reporter = key)); // of this tab
if ($("[name=asked_again]")) delete draft.answers.started;

// Whether it is kept, which is said of nothing else: a browser may have no room, or forbid it.
export function keep() {
  const kept = write(name, draft);
  const told = $("#kept");
  if (told) told.hidden = !kept;
  return kept;
}
export const forget = () => remove(name);

// The fields of each question on the page. Tokens, traps, files and buttons are none.
export function questions() {
  const found = {};
  for (const field of form.elements) {
    const other = /hidden|file|submit|button|fieldset/.test(field.type) || !field.closest(".question");
    if (field.name && !other) (found[field.name] ??= []).push(field);
  }
  return Object.keys(found).map((name) => [name, found[name]]);
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

const differs = ({ answers }, asked, fields) => String(answers[asked]?.values) !== String(answer(fields).values);

// With what was just answered; else all, and what is as it was keeps its time.
export function mirror(wanted) {
  for (const [asked, fields] of questions())
    if ((wanted ?? asked) === asked) {
      const before = !wanted && !differs(draft, asked, fields) && draft.answers[asked];
      draft.answers[asked] = { ...answer(fields), ...(before && { at: before.at }) };
    }
  return keep();
}

if (mirrored) form.addEventListener("input", ({ target }) => mirror(target.name));

// What only some pages need. `restored`: what was typed before, if anything was, is offered or back.
export const restored =
  (earlier || others()[0]) && (whole || $("#offer"))
    ? import("./offer.js").then(({ offer }) =>
        offer({ draft, whole, questions, isOption, differs, keep, remove, others: added ? [] : others() }),
      )
    : Promise.resolve();
// What only helps to fill in the form, or to send it, comes once the page is there: none is later for
// it. And at once with the first sign of use, and where the browser keeps it.
export const begun = new Promise((begin) => {
  if (navigator.serviceWorker?.controller || document.readyState === "complete") begin();
  for (const sign of ["load", "pointerdown", "keydown", "input", "submit"])
    addEventListener(sign, begin, { once: true, capture: true });
});
const begin = (needed, load, now) => needed && (now ? Promise.resolve() : begun).then(load).catch(() => {});
begin(whole, () => import("./whole.js"));
begin($("#files"), () => import("./files.js"));
begin($("#f-timezone, output[for]"), () => import("./zone.js"), !whole);
begin($("[data-limit]"), () => import("./writing.js"), $(".prose"));

// A report that waits to be sent is looked after by the form without a connection.
const queued = others().find((each) => each.queued);
if (queued && location.pathname === "/") location.assign("/offline#" + queued.key);
// It opens without a connection, after one visit.
navigator.serviceWorker?.register("/sw.js").catch(() => {});
