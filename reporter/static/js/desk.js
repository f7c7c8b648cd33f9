// The board refreshes itself and says politely what is new. Without this it is a page like any other.
// Only what is inside #board is made anew: what is typed in the search stays, and so does the focus.
const EVERY = 20_000;
const MINUTE = 60_000; // between a report's time and its being there to be seen, at most
const board = document.getElementById("board");
const said = document.getElementById("news");
const out = document.getElementById("out");
// What can have the focus there, in order.
const pressable = () => [...board.querySelectorAll("a, summary, [tabindex]")];
const name = (each) => each.getAttribute("href") ?? each.tagName + (each.getAttribute("aria-label") ?? each.textContent);

const lines = (page) => [...page.querySelectorAll("[data-report]")];
const seen = new Set(board && lines(board).map((each) => each.dataset.report));

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected) out.hidden = false; // signed out meanwhile: what is typed stays
  if (answer.redirected || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("board");
  if (!fresh) return;
  out.hidden = true;
  // What comes up from the next page is not new.
  const since = Date.parse(board.dataset.now) - MINUTE;
  const isNew = (each) =>
    !seen.has(each.dataset.report) && Date.parse(each.querySelector("time").dateTime) > since;
  const added = lines(fresh).filter(isNew).length;
  for (const each of lines(fresh)) seen.add(each.dataset.report);
  board.dataset.now = fresh.dataset.now;
  if (fresh.innerHTML !== board.innerHTML) show(fresh);
  if (added) {
    const words = added === 1 ? said.dataset.one : said.dataset.many;
    said.textContent = words.replace("{count}", added).replace("{time}", fresh.dataset.clock);
  }
}

function show(fresh) {
  const focused = board.contains(document.activeElement) ? document.activeElement : null;
  const place = pressable().indexOf(focused);
  const open = [...board.querySelectorAll("details")].map((each) => each.open);
  board.innerHTML = fresh.innerHTML;
  board.querySelectorAll("details").forEach((each, number) => {
    each.open = open[number] ?? each.open;
  });
  if (!focused) return;
  // The same again; where it has gone, what stands in its place.
  const now = pressable();
  const next = now.find((each) => name(each) === name(focused)) ?? now[Math.min(place, now.length - 1)];
  next?.focus({ preventScroll: true });
}

function refresh() {
  const isRead = !getSelection().isCollapsed && board.contains(getSelection().anchorNode);
  if (document.hidden || isRead) return; // somebody copies from it
  look().catch(() => {}); // no connection: what is shown stays, and the next look may go through
}

if (board) {
  setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", refresh);
}
