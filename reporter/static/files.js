// Screenshots: paste one, or drop files anywhere on the page. They join those that were picked.
// What would not fit is told at once, and not sent.
const input = document.querySelector("input[type=file]");
if (input) {
  const choose = (files) => {
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    input.files = all.files;
  };
  const told = document.querySelector("[data-room]");
  input.addEventListener("change", () => {
    let { room } = told.dataset;
    const fits = ({ size }) => size <= room && ((room -= size), true);
    const refused = [];
    const taken = [...input.files].filter((file) => fits(file) || !refused.push(file.name));
    told.replaceChildren(
      ...refused.map((name) => {
        const line = document.createElement("p");
        line.className = "error";
        line.textContent = told.dataset.text.replace("{name}", () => name);
        return line;
      }),
    );
    if (refused.length) choose(taken);
  });
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
  document.querySelector(".pasting").hidden = false;
}
