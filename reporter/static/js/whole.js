// The form that was opened without a connection: it says itself what has to be answered, in its own
// words, as nobody else can yet; and when there is a connection again.

const $ = (selector, root = document) => root.querySelector(selector);
const form = $("[data-draft=whole]");

function point(question, words) {
  const field = $("input, textarea", question);
  const described = field.type === "radio" ? question : field;
  const hint = $(":scope > .hint[id]", question);
  const line = document.createElement("p");
  Object.assign(line, { id: "e-" + field.name, className: "error", textContent: words });
  $(":scope > .error", question)?.remove();
  if (words) $(":scope > .options, input, textarea", question).before(line);
  question.classList.toggle("wrong", words);
  field.setAttribute("aria-invalid", !!words);
  described.setAttribute("aria-describedby", [hint, words && line].map((each) => each?.id ?? "").join(" "));
  return words && field;
}

addEventListener(
  "submit",
  (event) => {
    let first;
    for (const question of form.querySelectorAll("[data-demand]")) {
      const { name } = $("input, textarea", question);
      const wrong = point(question, new FormData(form).get(name)?.trim() ? "" : question.dataset.demand);
      first = first || wrong;
    }
    if (!first) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    first.focus();
  },
  true,
);

const state = $("#sending");
let gone = false;
const look = () =>
  fetch("/healthz", { method: "HEAD" }).then(
    () => {
      if (gone && !state.textContent && $("#trouble").hidden) state.textContent = state.dataset.back;
    },
    () => {
      gone = true;
      setTimeout(look, 10_000);
    },
  );
look();
