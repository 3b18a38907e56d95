// The dialog that shows the top of the reader's stack of views.

import { collect, send } from "./doings.js";

const dialog = document.getElementById("modal");
const content = () => document.getElementById("modal-content");
let shown = "";

export function sync() {
  const view = content().dataset.view ?? "";
  if (view && !dialog.open) dialog.showModal();
  if (!view && dialog.open) dialog.close();
  if (view && view !== shown) {
    (content().querySelector("[autofocus]") ?? content().querySelector(".modal-body :is(input:not([type=hidden]), textarea, button)") ?? content().querySelector("[type=submit], [data-close]")).focus();
  }
  shown = view;
}

function close(all) {
  const view = content().dataset.view;
  if (view) send("close", { view, all: all ? "yes" : "" });
}

async function submit() {
  const button = document.getElementById("modal-submit");
  if (!button || button.disabled || button.getAttribute("aria-busy")) return;
  for (const error of content().querySelectorAll(".error")) error.textContent = "";
  await send("submit", collect(content(), true), button);
  mark();
}

// Fields with a sentence below them are announced as invalid; the first gets the focus.
function mark() {
  let first = null;
  for (const field of content().querySelectorAll("[aria-describedby]")) {
    const wrong = field.getAttribute("aria-describedby").split(" ").some((id) => {
      const note = document.getElementById(id);
      return note?.matches(".error") && note.textContent.trim();
    });
    field.toggleAttribute("aria-invalid", Boolean(wrong));
    if (wrong) {
      field.setAttribute("aria-invalid", "true");
      first ??= field;
    }
  }
  (first?.matches(".choices") ? first.querySelector("input") : first)?.focus();
}

document.addEventListener("drawn", sync);
document.addEventListener("submit", (event) => {
  if (event.target.id !== "modal-content") return;
  event.preventDefault();
  submit();
});
document.addEventListener("keydown", (event) => {
  const inModal = event.target instanceof HTMLElement && event.target.closest("#modal-content");
  if (inModal && event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-close]");
  if (button) close(button.dataset.close === "all");
});
dialog.addEventListener("cancel", (event) => {
  if (event.target !== dialog) return;
  event.preventDefault();
  close(false);
});
// The browser may close a dialog without asking when Esc is pressed twice.
dialog.addEventListener("close", (event) => {
  if (event.target === dialog && content().dataset.view) {
    shown = "";
    close(false);
  }
});

