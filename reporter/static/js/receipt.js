// A receipt shows by itself how far the report has come: often at first, then less and less. What
// changes is each [data-live] with an id, and what holds the address to ask.

const progress = document.querySelector("[data-status]");
const parts = (page) => [...page.querySelectorAll("[data-status], [data-live]")].filter((each) => each.id);
// As they came from us: a page translator may have rewritten what is shown.
const shown = new Map(parts(document).map((each) => [each.id, each.innerHTML]));
let before;
let next;
let looks = 0;

async function refresh() {
  const page = await (await fetch(location.href)).text();
  for (const fresh of parts(new DOMParser().parseFromString(page, "text/html"))) {
    const old = document.getElementById(fresh.id);
    const isUsed = old && old !== progress && old.contains(document.activeElement);
    if (!old || isUsed || shown.get(fresh.id) === fresh.innerHTML) continue;
    shown.set(fresh.id, fresh.innerHTML);
    old.style.minHeight = old.offsetHeight + "px";
    old.innerHTML = fresh.innerHTML;
  }
}

async function look() {
  clearTimeout(next);
  if (document.hidden) return;
  next = setTimeout(look, Math.min(2000 * 1.3 ** looks++, 15_000));
  try {
    const response = await fetch(progress.dataset.status);
    if (!response.ok) return;
    const status = await response.text();
    const version = status + response.headers.get("ETag");
    if (version !== before || !JSON.parse(status).sent_at) await refresh();
    before = version;
  } catch {} // the next look may find it
}

if (progress) {
  addEventListener("visibilitychange", () => {
    looks = 0;
    look();
  });
  next = setTimeout(look, 2000);
}
