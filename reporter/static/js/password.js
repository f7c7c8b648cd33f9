// Shows a password while it is typed, for whoever wants to see it. It is sent as a hidden one, so that
// no browser keeps it among what was typed elsewhere.

const place = document.querySelector("#reveal");
const button = place.querySelector("button");
const state = place.querySelector("[role=status]");
const field = document.querySelector("[type=password]");
const show = (shown) => {
  field.type = shown ? "text" : "password";
  button.textContent = shown ? button.dataset.hide : button.dataset.show;
};
button.addEventListener("click", () => {
  show(field.type === "password");
  state.textContent = field.type === "text" ? state.dataset.shown : state.dataset.hidden;
});
field.form.addEventListener("submit", () => show(false));
place.hidden = false;
