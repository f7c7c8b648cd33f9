// What scripts add. Every page works without them.

// The time zone of this device, while nobody has chosen another.
const zone = document.querySelector("input[name=timezone]");
if (zone && !("answered" in zone.form.dataset)) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (here && here.includes("/")) zone.value = here;
}

// One press, one request. The server takes a second one well, so this only spares a wait.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// A page that comes back from the browser's memory can be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
