// What was typed here before and not sent, offered to be put back; in the form without a connection,
// put back at once.

export function offer({ draft, whole, questions, isOption, differs, keep, remove, others }) {
  const lostOf = (other) =>
    questions().filter(
      ([asked, fields]) => other.answers?.[asked]?.values?.some(Boolean) && differs(other, asked, fields),
    );

  function putBack(other) {
    for (const [asked, fields] of lostOf(other)) {
      const { values } = other.answers[asked];
      for (const field of fields)
        if (isOption(field)) field.checked = values.includes(field.value);
        else field.value = values[0];
      fields[0].dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  if (whole) return putBack(draft);
  // This draft's own; or, on a page that nobody has answered, of one that the server never heard of.
  const strays = document.querySelector("[data-answered]") ? [] : others.filter(({ known }) => !known);
  const lost = [draft, ...strays].find((each) => lostOf(each).length);
  if (!lost) return;
  const place = document.querySelector("#offer");
  // Its words are with those of the box.
  import(document.querySelector("#trouble").dataset.part).then(() => (place.hidden = false)).catch(() => {});
  place.onclick = ({ target: { value } }) => {
    if (!value) return;
    if (value === "back") putBack(lost);
    else for (const [asked] of lostOf(lost)) delete lost.answers[asked];
    if (lost.key !== draft.key) remove("reporter.draft." + lost.key);
    keep();
    place.hidden = true;
    document.querySelector("h1").focus();
  };
}
