// A receipt shows by itself how far the report has come: often at first, then less and less. What
// changes is each [data-live] with an id, and what holds the address to ask.

const progress = document.querySelector("[data-status]");
const parts = (page) => [...page.querySelectorAll("[data-status], [data-live]")].filter((each) => each.id);
// As they came from us: a page translator may have rewritten what is shown.
const shown = new Map(parts(document).map((each) => [each.id, each.innerHTML]));
// The page's own version is the ETag of its status, which a proxy may have decorated.
const bare = (etag) => etag?.replace(/^W\/|"/g, "").replace(/[:;-].*/, "");
let before = progress?.dataset.version;
let next;
let looks = 0;

// Whether all of it is shown: what holds the focus waits for another look, and so does all where the
// page did not come.
async function refresh() {
  const response = await fetch(location.href);
  let whole = response.ok;
  const page = whole ? await response.text() : "";
  for (const fresh of parts(new DOMParser().parseFromString(page, "text/html"))) {
    const old = document.getElementById(fresh.id);
    if (!old || shown.get(fresh.id) === fresh.innerHTML) continue;
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    if (held && old !== progress) whole = false;
    if (held && old !== progress) continue;
    shown.set(fresh.id, fresh.innerHTML);
    old.style.minHeight = old.offsetHeight + "px";
    renew(old, fresh.innerHTML, held);
  }
  return whole;
}

// What is `held` there by the focus is held again, and scrolled as it was, if it is there still.
function renew(part, html, held) {
  const left = held?.scrollLeft;
  part.innerHTML = html;
  const isSame = (each) => each.textContent === held?.textContent;
  const again = [...part.querySelectorAll("a, pre")].find(isSame);
  if (!again) return;
  again.focus({ preventScroll: true });
  again.scrollLeft = left;
}

async function look() {
  clearTimeout(next);
  if (document.hidden) return;
  next = setTimeout(look, Math.min(2000 * 1.3 ** looks++, 15_000));
  try {
    const response = await fetch(progress.dataset.status);
    if (!response.ok) return;
    const version = bare(response.headers.get("ETag"));
    if (version !== before && (await refresh())) before = version;
  } catch {} // the next look may find it
}

// What is folded is printed, also where styles cannot unfold it.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details.whole:not([open])")];
  for (const each of unfolded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of unfolded) each.open = false;
});

if (progress) {
  addEventListener("visibilitychange", () => {
    looks = 0;
    look();
  });
  next = setTimeout(look, 2000);
}
