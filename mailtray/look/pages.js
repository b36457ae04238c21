/* Fetches the live parts of a page again while somebody looks at it; forms and links do without. */
"use strict";
/* What is new in one is told by a line that stays, and only if it says something else: a part that
   is put in anew would be read out whole. */
const wordsOf = (part) => [...part.querySelectorAll("[data-told]")].map((one) => one.textContent).join(" ");
for (const part of document.querySelectorAll("[data-refresh]")) {
  let shown = part.innerHTML;
  let told = wordsOf(part);
  const tell = () => {
    const words = wordsOf(part);
    if (words === told) return;
    document.getElementById("told").textContent = told = words;
  };
  const refresh = async () => {
    const isInHand = part.contains(document.activeElement) && !("eager" in part.dataset);
    if (document.hidden || isInHand) return;
    const answer = await fetch(part.dataset.refresh, { credentials: "same-origin" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const found = document.createElement("template");
    found.innerHTML = await answer.text();
    if (found.innerHTML === shown) return;
    part.innerHTML = shown = found.innerHTML;
    tell();
  };
  setInterval(refresh, 5000);
}
/* A button that copies a field's text and says so; without it the text can be marked and copied. */
const copy = async (button) => {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    if (!document.execCommand("copy")) return;
  }
  const words = button.textContent;
  if (words === button.dataset.done) return;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = words; }, 3000);
};
/* Heard on the whole page: what is fetched again brings new buttons. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.words) navigator.clipboard.writeText(button.dataset.words);
});
/* What fields that are not saved yet would make of something; without it, saving shows that. */
for (const part of document.querySelectorAll("[data-preview]")) {
  const keys = part.dataset.keys.split(" ");
  let last = 0;
  document.addEventListener("change", async (event) => {
    if (!keys.includes(event.target.closest(".setting")?.id)) return;
    const turn = ++last;
    const asked = new URLSearchParams();
    for (const key of keys) {
      for (const field of document.querySelectorAll(`#${key} [name=words]`)) {
        asked.append(key, field.type === "checkbox" && !field.checked ? "" : field.value);
      }
    }
    const answer = await fetch(`${part.dataset.preview}?${asked}`, { credentials: "same-origin" }).catch(() => null);
    const found = answer && answer.ok ? await answer.text() : null;
    if (found !== null && turn === last) part.innerHTML = found;
  });
}
