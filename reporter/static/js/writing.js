// What is written in a field: how much room is left, once it is nearly full; and columns, where a
// paste brings some.

// The same in formats/text.py.
const COLUMNS = /\t|[^\s.!?:;][ \u00a0]{2,5000}\S|\S[ \u00a0]{3,5000}\S/;
const words = document.querySelector("#sending")?.dataset;

for (const field of document.querySelectorAll("[data-limit]")) {
  const { limit } = field.dataset;
  const count = document.createElement("p");
  count.className = "hint";
  count.setAttribute("role", "status");
  let later;
  const tell = () => {
    const left = limit - [...field.value.trim()].length;
    const text = left > limit / 5 || !words.left ? "" : (left < 0 ? words.over : words.left) + " " + Math.abs(left);
    if (count.textContent !== text) count.textContent = text;
  };
  const look = () => {
    if (field.matches(".prose")) field.classList.toggle("columns", COLUMNS.test(field.value));
    clearTimeout(later);
    if (words) later = setTimeout(tell, 500); // who listens is not told of each letter
  };
  if (words) field.after(count);
  field.addEventListener("input", look);
  look();
}
