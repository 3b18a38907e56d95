// Select menus: a text box that filters a list; what is chosen lies in hidden fields.

import { act, collect } from "./doings.js";
import { place } from "./menus.js";

const app = document.getElementById("app");
const box = (combo) => combo.querySelector("[role=combobox]");
const list = (combo) => combo.querySelector("[role=listbox]");
const picked = (combo) => combo.querySelector(".picked");
const chosen = (combo) => [...picked(combo).querySelectorAll("input")];
const options = (combo) => [...list(combo).querySelectorAll("[role=option]:not([hidden])")];

function draw(combo) {
  const multi = "multi" in combo.dataset;
  for (const chip of picked(combo).querySelectorAll("button")) chip.remove();
  if (!multi) box(combo).value = chosen(combo)[0]?.dataset.label ?? "";
  else
    for (const field of chosen(combo)) {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.textContent = `${field.dataset.label} ✕`;
      chip.setAttribute("aria-label", combo.dataset.remove.replace("{}", field.dataset.label));
      chip.addEventListener("click", () => (field.remove(), draw(combo), box(combo).focus(), tell(combo)));
      field.after(chip);
    }
  const values = chosen(combo).map((field) => field.value);
  for (const option of list(combo).querySelectorAll("[role=option]")) {
    option.setAttribute("aria-selected", String(values.includes(option.dataset.value)));
  }
}

export function open(combo) {
  if (!list(combo).matches(":popover-open")) list(combo).showPopover();
  list(combo).style.minWidth = `${combo.getBoundingClientRect().width}px`;
  place(list(combo), combo);
  box(combo).setAttribute("aria-expanded", "true");
}

export function close(combo) {
  if (list(combo).matches(":popover-open")) list(combo).hidePopover();
  box(combo).setAttribute("aria-expanded", "false");
  point(combo, null);
}

export function point(combo, option) {
  for (const other of list(combo).querySelectorAll(".at")) other.classList.remove("at");
  option?.classList.add("at");
  option?.scrollIntoView({ block: "nearest" });
  if (option) box(combo).setAttribute("aria-activedescendant", option.id);
  else box(combo).removeAttribute("aria-activedescendant");
}

function filter(combo, typed) {
  if (combo.dataset.source === "external") return void suggest(combo, typed);
  const wanted = typed.trim().toLowerCase();
  for (const option of list(combo).querySelectorAll("[role=option]")) {
    option.hidden = !option.textContent.toLowerCase().includes(wanted);
  }
  none(combo);
  point(combo, options(combo)[0]);
}

function none(combo, text = combo.dataset.nothing) {
  list(combo).querySelector(".nothing")?.remove();
  if (options(combo).length) return;
  const note = document.createElement("div");
  note.className = "note nothing";
  note.textContent = text;
  list(combo).append(note);
}

let pause;
function suggest(combo, typed) {
  clearTimeout(pause);
  if (typed.length < Number(combo.dataset.least)) return;
  pause = setTimeout(async () => {
    none(combo, combo.dataset.searching);
    const data = collect(combo);
    data.set("typed", typed);
    data.set("list", `${box(combo).id}-s`);
    const answer = await fetch(`/page/${app.dataset.user}/suggest`, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list(combo).replaceChildren(...page.body.children);
    none(combo);
    if (document.activeElement === box(combo)) (open(combo), point(combo, options(combo)[0]));
  }, 250);
}

async function pick(combo, option) {
  const multi = "multi" in combo.dataset;
  const before = chosen(combo);
  const same = before.find((field) => field.value === option.dataset.value);
  if (multi && same) same.remove();
  else if (!multi || !Number(combo.dataset.multi) || before.length < Number(combo.dataset.multi)) {
    if (!multi) for (const field of before) field.remove();
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: combo.dataset.name, value: option.dataset.value });
    field.dataset.label = option.dataset.label;
    picked(combo).append(field);
  }
  draw(combo);
  if (multi) {
    box(combo).value = "";
    filter(combo, "");
    combo.dataset.changed = "yes";
  } else {
    close(combo);
    if ("act" in combo.dataset && !(await act(combo, [option.dataset.value]))) {
      for (const field of chosen(combo)) field.remove();
      picked(combo).append(...before);
      draw(combo);
    }
  }
}

function tell(combo) {
  delete combo.dataset.changed;
  if ("act" in combo.dataset) act(combo, chosen(combo).map((field) => field.value));
}

function leave(combo) {
  close(combo);
  draw(combo);
  if ("multi" in combo.dataset) box(combo).value = "";
  for (const option of list(combo).querySelectorAll("[role=option]")) option.hidden = false;
  if (combo.dataset.changed) tell(combo);
}

const of = (event) => event.target.closest?.("[data-combo]");

document.addEventListener("click", (event) => {
  const combo = of(event);
  const option = event.target.closest("[role=option]");
  if (combo && option) pick(combo, option);
  else if (combo && event.target === box(combo)) show(combo);
});
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[role=listbox]")) event.preventDefault();
});
document.addEventListener("focusout", (event) => {
  const combo = of(event);
  if (combo && !combo.contains(event.relatedTarget)) leave(combo);
});
document.addEventListener("input", (event) => {
  const combo = of(event);
  if (!combo) return;
  open(combo);
  filter(combo, box(combo).value);
});

function show(combo) {
  open(combo);
  if (!("multi" in combo.dataset)) box(combo).select();
  if (combo.dataset.source === "external") suggest(combo, "");
  point(combo, list(combo).querySelector("[aria-selected=true]"));
}

document.addEventListener("keydown", (event) => {
  const combo = of(event);
  if (!combo || event.target !== box(combo) || event.isComposing) return;
  const shown = list(combo).matches(":popover-open");
  const all = options(combo);
  const now = all.findIndex((option) => option.classList.contains("at"));
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (!shown) show(combo);
    else point(combo, all[(now + step + all.length) % all.length] ?? all[0]);
  } else if (event.key === "Enter" && (shown || "container" in (combo.closest("form")?.dataset ?? {}))) {
    event.preventDefault();
    if (!shown) show(combo);
    else if (all[now]) pick(combo, all[now]);
  } else if (event.key === "Escape" && shown) {
    event.preventDefault();
    event.stopPropagation();
    leave(combo);
  } else if (event.key === "Backspace" && "multi" in combo.dataset && !box(combo).value) {
    chosen(combo).pop()?.remove();
    draw(combo);
    combo.dataset.changed = "yes";
  }
});

document.addEventListener("drawn", () => {
  for (const combo of document.querySelectorAll("[data-combo]:not([data-ready])")) {
    combo.dataset.ready = "yes";
    draw(combo);
  }
});
