// Sending: one press, one request. While we cannot be reached the page stays, says so, and tries
// again by itself. Whatever else goes wrong here, the browser sends the form as it always could.

import { $, MINUTE, added, begun, draft, forget, form, keep, mirror, mirrored, restored, whole } from "./draft.js";

const trouble = $("#trouble");
const state = $("#sending");
const isReview = form?.id === "send" && mirrored === "report";
const TROUBLE = {}; // thrown for what did not arrive, and for an error of the server's
let tries = 0;
let busy = false;
let plain = false;
let left = false;
let timer;
let slow;
let held; // the button that is busy
let pressed; // the one that was pressed last, which not every browser tells
let again = () => {};
let box; // what the box shows, once it is here

begun
  .then(() => trouble && import(trouble.dataset.part))
  .then((part) => {
    box = part;
    if (tries && !busy) show();
  })
  .catch(() => {});

const say = (word) => {
  if (state) state.textContent = state.dataset[word] ?? "";
};

async function reach(url, options) {
  const stop = window.AbortController && new AbortController();
  const limit = $("[type=file]", form)?.value ? 15 * MINUTE : MINUTE / 2;
  const alarm = setTimeout(() => stop?.abort(), limit);
  const lost = () => Promise.reject(TROUBLE);
  try {
    const headers = { "X-Requested-With": "fetch" };
    const response = await fetch(url, { headers, signal: stop?.signal, ...options }).catch(lost);
    if (response.status >= 500) throw TROUBLE;
    return { response, text: await response.text().catch(lost) };
  } finally {
    clearTimeout(alarm);
  }
}

function hidden(field, value, kind = "kept") {
  $("input." + kind + "[name=" + field + "]", form)?.remove();
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name: field, value, className: kind });
  form.append(input);
}

function hold(button) {
  form.setAttribute("aria-busy", "true");
  held = button ?? $("button.primary", form);
  held.disabled = true;
  say("now");
  slow = setTimeout(say, 8000, "slow");
}

function release() {
  clearTimeout(slow);
  form?.removeAttribute("aria-busy");
  if (held) held.disabled = false;
  say();
  busy = false;
}

// What was typed goes elsewhere: to the server, or, with `gone`, past this script.
function leave(gone) {
  left = draft.known = true;
  Object.assign(draft, { queued: false, gone });
  if (mirrored) keep();
}

function goPlain(button) {
  plain = true;
  clearTimeout(timer);
  try {
    leave(true);
    if (button?.name) hidden(button.name, button.value, "once");
  } catch {}
  HTMLFormElement.prototype.submit.call(form);
}

function go(next) {
  leave();
  if (next.startsWith("/r/")) forget();
  const [page, place] = next.split("#");
  location.href = next;
  if (place && page === location.pathname + location.search) location.reload();
}

async function send(button) {
  if (busy || plain) return;
  busy = true;
  clearTimeout(timer);
  again = () => send(button);
  try {
    hold(button);
    let came = whole ? await reach("/report/token") : null;
    if (came?.response.ok) hidden("csrf_token", JSON.parse(came.text).csrf_token);
    if (!came || came.response.ok) {
      const body = new FormData(form);
      if (button?.name) body.set(button.name, button.value);
      came = await reach(form.getAttribute("action"), { method: "POST", body });
    }
    const { response, text } = came;
    const header = (name) => response.headers.get(name);
    if (response.status === 429) {
      const seconds = Math.min(Math.max(+header("Retry-After") || 5, 1), 60);
      clearTimeout(slow);
      if (trouble) trouble.hidden = true; // we were reached
      say("full");
      busy = false;
      timer = setTimeout(again, 1000 * seconds);
    } else if (header("Content-Type").includes("json")) go(JSON.parse(text).location);
    else goPlain(button); // it was not taken as it stands: the server shows why
  } catch (error) {
    if (error !== TROUBLE) return goPlain(button);
    release();
    complain(button);
    timer = setTimeout(again, Math.min(1000 * 1.5 ** tries, MINUTE));
  }
}

const able = window.fetch && window.FormData?.prototype.set;

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.form && button.form === form) pressed = button;
});

form?.addEventListener("submit", (event) => {
  if (plain) return;
  const button = event.submitter ?? pressed;
  try {
    if (mirrored) {
      draft.queued = whole || isReview;
      draft.shown = form.elements.shown?.value;
      if (!mirror()) draft.queued = false;
      const said = draft.answers.started?.at ?? Date.now();
      hidden("age", Math.round((Date.now() - said) / 1000));
    }
  } catch {}
  if (!able) return leave(true);
  event.preventDefault();
  send(button);
});

function show() {
  say();
  box.show({ draft, whole, added, tries, again, plain: () => goPlain(pressed) });
}

// What the box shows is in a part of its own. While it is not here there is a word, and after the
// third try no more waiting.
function complain(button) {
  tries++;
  if (box) show();
  else if (tries < 3) say("lost");
  else goPlain(button);
}

addEventListener("online", () => again());
// A page that comes back from the browser's memory is as it was left: what became of it since,
// only the server knows.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  plain = false;
  release();
  $("input.once")?.remove();
  if (left) location.reload();
  left = false;
});

// What was sent off while we could not be reached goes as soon as we can, also after a reload,
// unless it is not any more what was shown.
restored.then(() => {
  if (!draft.queued || !mirrored) return;
  const same = whole || (isReview && draft.shown === form.elements.shown?.value && !$(".errors"));
  if (same) return form.dispatchEvent(new Event("submit", { cancelable: true }));
  draft.queued = false;
  keep();
});
