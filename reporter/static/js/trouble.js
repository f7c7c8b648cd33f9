// The box that is shown while we cannot be reached: what was typed, and the ways out. `box`, its
// words, stands above; and what is said while a form is filled in and sent. `offered`, there too, is
// what is said of answers that were not sent.

const trouble = document.querySelector("#trouble");
const $ = (selector) => trouble.querySelector(selector);
trouble.innerHTML = box;
Object.assign(document.querySelector("#sending").dataset, $(".words").dataset);
const offer = document.querySelector("#offer");
if (offer) offer.innerHTML = offered;

// Of a page of questions what was typed, of a review what it shows.
function written(draft) {
  const reviewed = [...document.querySelectorAll(".answers > div")].map((each) => each.innerText);
  const typed = Object.values(draft.answers).map(({ label, text }) => text && label + "\n" + text);
  return (document.querySelector(".question") ? typed : reviewed).filter(Boolean).join("\n\n");
}

let ways; // on: to try it again, and to send the form without a script

export function show({ draft, whole, added, tries, ...found }) {
  ways = found;
  const text = written(draft);
  const mail = $("a[href^=mailto]");
  mail.search = new URLSearchParams({ subject: trouble.dataset.reference ?? mail.title, body: text }).toString().replace(/\+/g, "%20");
  $("pre").textContent = text;
  $(".offline").hidden = whole || added || !navigator.serviceWorker?.controller;
  $(".offline").hash = draft.key;
  $("[value=plain]").hidden = tries < 3;
  $(".queued").hidden = !draft.queued;
  $(".waits").hidden = !!draft.queued;
  if (!trouble.hidden) return;
  trouble.hidden = false;
  trouble.focus({ preventScroll: true });
  trouble.scrollIntoView({ block: "center" });
}

async function copy() {
  const text = $("pre");
  $("details").open = true;
  getSelection().selectAllChildren(text);
  let taken = false;
  try {
    await navigator.clipboard.writeText(text.textContent);
    taken = true;
  } catch {
    taken = document.execCommand("copy");
  }
  $(".copied").hidden = !taken;
  $(".uncopied").hidden = taken;
}

trouble.addEventListener("click", ({ target: { value } }) => {
  if (value === "again" || value === "plain") ways[value]();
  if (value === "print") print();
  if (value === "copy") copy();
});
