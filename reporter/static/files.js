// Screenshots: paste one, or drop files anywhere on the page. They join those that were picked.
// What would not fit is told at once, and not sent; the rest is kept at once.
const place = document.querySelector("#files");
if (place) {
  const $ = (selector, root = place) => root.querySelector(selector);
  const input = $("input");
  const told = $("[role=alert]");
  const status = $("[role=status]");
  const { form } = input;
  let keeping;

  const choose = (files) => {
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    input.files = all.files;
  };

  const tell = (errors) => {
    told.append(...errors);
    $(":scope > .error")?.remove();
    place.classList.toggle("wrong", told.hasChildNodes());
    input.ariaInvalid = told.hasChildNodes();
  };

  // What cannot be sent now stays chosen, and goes with the page.
  const keep = async () => {
    await keeping;
    const sent = [...input.files];
    if (!sent.length) return;
    status.textContent = status.dataset.text;
    try {
      const body = new FormData(form);
      body.set("keep", "files");
      const signal = AbortSignal.timeout(900_000);
      const page = await (await fetch(form.action, { method: "POST", body, signal })).text();
      const fresh = $("#files", new DOMParser().parseFromString(page, "text/html"));
      const errors = fresh.querySelectorAll(".error");
      const isSent = (file) => sent.some(({ name, size }) => name === file.name && size === file.size);
      choose([...input.files].filter((file) => !isSent(file)));
      tell(errors);
      told.dataset.room = $("[data-room]", fresh).dataset.room;
      $(".kept").replaceChildren(...$(".kept", fresh).childNodes);
    } catch {} // we cannot be reached
    status.textContent = "";
  };

  input.addEventListener("change", () => {
    let { room } = told.dataset;
    const fits = ({ size }) => size <= room && ((room -= size), true);
    const refused = [];
    const taken = [...input.files].filter((file) => fits(file) || !refused.push(file.name));
    told.replaceChildren();
    tell(refused.map((name) => {
      const line = document.createElement("p");
      line.className = "error";
      line.textContent = told.dataset.text.replace("{name}", () => name);
      return line;
    }));
    if (refused.length) choose(taken);
    const now = (keeping = keep().finally(() => now === keeping && (keeping = null)));
  });

  // A press of a button waits for what is being kept, which would go twice.
  addEventListener(
    "submit",
    async (event) => {
      if (!keeping) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      while (keeping) await keeping;
      form.requestSubmit(event.submitter);
    },
    true,
  );

  const add = (files) => {
    if (!files.length) return;
    choose([...input.files, ...files]);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.scrollIntoView({ block: "center" });
  };
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      add(event.clipboardData.files);
    }
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  $(".pasting").hidden = false;
}
