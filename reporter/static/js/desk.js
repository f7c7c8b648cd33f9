// The board refreshes itself and says politely what is new. Without this it is a page like any other.
const EVERY = 20_000;
const board = document.getElementById("board");
const said = document.getElementById("news");
const names = (from) => [...from.querySelectorAll("[data-report]")].map((each) => each.dataset.report);

async function refresh() {
  if (document.hidden || !board || board.querySelector("details[open] :focus")) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // signed out meanwhile
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // no connection: what is shown stays, and the next try may go through
  }
  const fresh = page.getElementById("board");
  if (!fresh || fresh.innerHTML === board.innerHTML) return;
  const before = new Set(names(board));
  const added = names(fresh).filter((name) => !before.has(name));
  const focused = document.activeElement;
  const href = board.contains(focused) ? focused.getAttribute("href") : null;
  const open = [...board.querySelectorAll("details")].map((each) => each.open);
  board.innerHTML = fresh.innerHTML;
  board.querySelectorAll("details").forEach((each, number) => {
    each.open = open[number] ?? each.open;
  });
  if (href) board.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
  if (added.length) {
    const words = added.length === 1 ? said.dataset.one : said.dataset.many;
    said.textContent = words.replace("{count}", added.length);
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
