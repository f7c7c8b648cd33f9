// Screenshots: paste one, or drop files anywhere on the page. They join those that were picked.
// What would not fit is told at once, and not sent; the rest is kept at once.
const place = document.querySelector("#files");

// Whether a list of files can be made here at all; where not, they go with the page as ever.
function canHold() {
  try {
    return !!new DataTransfer().items && !!window.fetch && !!window.FormData.prototype.set;
  } catch {
    return false;
  }
}

if (place && canHold()) {
  const $ = (selector, root = place) => root.querySelector(selector);
  const input = $("input");
  const told = $("[role=alert]");
  const status = $("[role=status]");
  const { form } = input;
  const state = document.querySelector("#sending");
  let waiting = []; // chosen, and not kept yet; they go with the page, if it goes first
  let keeping;

  const hold = (files) => {
    waiting = files;
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    input.files = all.files;
  };

  const tell = (errors) => {
    told.append(...errors);
    $(":scope > .error")?.remove();
    place.classList.toggle("wrong", told.hasChildNodes());
    input.setAttribute("aria-invalid", told.hasChildNodes());
  };

  const keep = async () => {
    await keeping;
    const sent = waiting;
    if (!sent.length) return;
    status.textContent = status.dataset.text;
    try {
      const body = new FormData(form);
      body.set("keep", "files");
      const page = await (await fetch(form.getAttribute("action"), { method: "POST", body })).text();
      const fresh = $("#files", new DOMParser().parseFromString(page, "text/html"));
      const errors = fresh.querySelectorAll(".error");
      hold(waiting.filter((file) => !sent.includes(file)));
      tell(errors);
      told.dataset.room = $("[data-room]", fresh).dataset.room;
      $(".kept").innerHTML = $(".kept", fresh).innerHTML;
      status.textContent = "";
    } catch {
      status.textContent = status.dataset.later; // we cannot be reached
    }
  };

  const isSame = (one, other) =>
    ["name", "size", "lastModified"].every((each) => one[each] === other[each]);

  const take = (files) => {
    let { room } = told.dataset;
    const fits = ({ size }) => size <= room && ((room -= size), true);
    const refused = [];
    const added = files.filter((file) => !waiting.some((other) => isSame(file, other)));
    hold([...waiting, ...added].filter((file) => fits(file) || !refused.push(file.name)));
    told.textContent = "";
    tell(refused.map((name) => {
      const line = document.createElement("p");
      line.className = "error";
      line.textContent = told.dataset.text.replace("{name}", () => name);
      return line;
    }));
    const now = (keeping = keep().finally(() => now === keeping && (keeping = null)));
  };
  input.addEventListener("change", () => take([...input.files]));

  let pressed; // the button, which not every browser tells
  document.addEventListener("click", ({ target }) => (pressed = target.closest("button") ?? pressed), true);

  // A press of a button waits for what is being kept, which would go twice; and where something
  // was refused meanwhile, the page stays and says so.
  addEventListener(
    "submit",
    async (event) => {
      if (!keeping || event.target !== form) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const { name, value } = event.submitter ?? pressed ?? {};
      state.textContent = state.dataset.now;
      const slow = setTimeout(() => (state.textContent = state.dataset.slow), 8000);
      while (keeping) await keeping;
      clearTimeout(slow);
      state.textContent = "";
      if (told.hasChildNodes()) return input.focus();
      // The list of files is new, and so are its buttons.
      const isPressed = (each) => each.type === "submit" && each.name === name && each.value === value;
      [...form.elements].find(isPressed)?.click();
    },
    true,
  );

  const add = (files) => {
    if (!files.length) return;
    take([...files]);
    input.scrollIntoView({ block: "center" });
  };
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // Of a document or a table there is a picture besides: in a field its words are meant.
    const isText = ["text/plain", "text/html"].every((each) => types.includes(each));
    if (!files.length || (isText && event.target.matches("textarea, input:not([type=file])"))) return;
    event.preventDefault();
    add(files);
  });
  // Beside their field they would take the place of the page.
  for (const kind of ["dragover", "drop"])
    document.addEventListener(kind, (event) => {
      const { files, types } = event.dataTransfer;
      if (!types.includes("Files")) return;
      event.preventDefault();
      if (kind === "drop") add(files);
    });
  $(".pasting").style.visibility = "visible"; // its room was there before: nothing moves
  if (input.files.length) take([...input.files]); // picked before this was here
}
