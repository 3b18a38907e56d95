// The message box: completion of commands, people and channels; Enter sends; drafts stay.

import { send } from "./doings.js";
import { place } from "./menus.js";

const app = document.getElementById("app");
const text = (composer) => composer.querySelector("textarea");
const list = (composer) => composer.querySelector(".completion");
const draftKey = (composer) => `draft:${app.dataset.user}:${app.dataset.channel}:${composer.dataset.thread ?? ""}`;

// The word before the caret if it may be completed: a command at the very start, @ and # anywhere.
function word(area) {
  const before = area.value.slice(0, area.selectionStart);
  return before.match(/^\/\S*$/)?.[0] ?? before.match(/(?:^|\s)([@#][^\s@#]*)$/)?.[1] ?? null;
}

function complete(composer) {
  const area = text(composer);
  const typed = word(area)?.toLowerCase();
  let first = null;
  for (const option of list(composer).children) {
    const found = option.dataset.find.split(" ").some((name) => name.startsWith(typed));
    option.hidden = !typed || !found;
    option.setAttribute("aria-selected", "false");
    if (!option.hidden) first ??= option;
  }
  if (!first) return shut(composer);
  if (!list(composer).matches(":popover-open")) list(composer).showPopover();
  list(composer).style.width = `${Math.min(area.getBoundingClientRect().width, 560)}px`;
  const at = composer.getBoundingClientRect();
  place(list(composer), composer);
  list(composer).style.top = `${Math.max(8, at.top - list(composer).offsetHeight - 6)}px`;
  area.setAttribute("aria-expanded", "true");
  point(composer, first);
}

function shut(composer) {
  if (list(composer).matches(":popover-open")) list(composer).hidePopover();
  text(composer).setAttribute("aria-expanded", "false");
  text(composer).removeAttribute("aria-activedescendant");
}

function point(composer, option) {
  for (const other of list(composer).querySelectorAll(".at")) {
    other.classList.remove("at");
    other.setAttribute("aria-selected", "false");
  }
  option.classList.add("at");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  text(composer).setAttribute("aria-activedescendant", option.id);
}

function take(composer, option) {
  const area = text(composer);
  area.setRangeText(option.dataset.insert, area.selectionStart - word(area).length, area.selectionStart, "end");
  shut(composer);
  typed(composer, false);
}

function typed(composer, completing = true) {
  const area = text(composer);
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
  sessionStorage.setItem(draftKey(composer), area.value);
  const command = area.value.match(/^(\/\S+)\s/)?.[1];
  const known = command && [...list(composer).children].find((option) => option.dataset.find === command);
  const hint = composer.querySelector(".usage-hint");
  hint.hidden = !known?.dataset.usage;
  hint.textContent = known?.dataset.usage ? `${command} ${known.dataset.usage}` : "";
  if (completing) complete(composer);
}

async function submit(composer) {
  const area = text(composer);
  const file = composer.querySelector("[type=file]");
  if (!area.value.trim() && !file.files.length) return;
  const data = new FormData(composer);
  data.set("channel", app.dataset.channel);
  data.set("thread", composer.dataset.thread ?? "");
  if (!file.files.length) data.delete("file");
  const kept = area.value;
  composer.reset();
  attached(composer);
  typed(composer);
  const scroll = composer.closest(".main, .panel").querySelector(".scroll");
  scroll.scrollTop = scroll.scrollHeight;
  if (!(await send("send", data)) && !area.value) {
    area.value = kept;
    typed(composer, false);
  }
}

function attached(composer) {
  const file = composer.querySelector("[type=file]").files[0];
  const shown = composer.querySelector(".attached");
  shown.hidden = !file;
  shown.firstElementChild.textContent = file?.name ?? "";
}

const of = (event) => event.target.closest?.("[data-composer]");

document.addEventListener("input", (event) => event.target.matches("[data-composer] textarea") && typed(of(event)));
document.addEventListener("change", (event) => event.target.matches("[data-composer] [type=file]") && attached(of(event)));
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-composer]")) return;
  event.preventDefault();
  submit(event.target);
});
document.addEventListener("click", (event) => {
  const composer = of(event);
  const option = composer && event.target.closest("[role=option]");
  if (option) take(composer, option);
  else if (composer && event.target.closest("[data-unattach]")) {
    composer.querySelector("[type=file]").value = "";
    attached(composer);
    text(composer).focus();
  }
});
document.addEventListener("focusout", (event) => of(event) && !of(event).contains(event.relatedTarget) && shut(of(event)));
document.addEventListener("paste", (event) => {
  const composer = of(event);
  if (!composer || !event.clipboardData.files.length) return;
  composer.querySelector("[type=file]").files = event.clipboardData.files;
  attached(composer);
});
document.addEventListener("keydown", (event) => {
  // While a Hangul syllable is being composed Enter belongs to the input method.
  if (!event.target.matches?.("[data-composer] textarea") || event.isComposing || event.keyCode === 229) return;
  const composer = of(event);
  const open = list(composer).matches(":popover-open");
  const all = [...list(composer).children].filter((option) => !option.hidden);
  const now = all.findIndex((option) => option.classList.contains("at"));
  const exact = all[now]?.dataset.insert.trim() === event.target.value;
  if (open && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    point(composer, all[(now + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
  } else if (open && (event.key === "Tab" || (event.key === "Enter" && !exact)) && !event.shiftKey) {
    event.preventDefault();
    take(composer, all[now]);
  } else if (open && event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    shut(composer);
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    shut(composer);
    submit(composer);
  }
});
document.addEventListener("drawn", () => {
  for (const composer of document.querySelectorAll("[data-composer]:not([data-ready])")) {
    composer.dataset.ready = "yes";
    text(composer).value = sessionStorage.getItem(draftKey(composer)) ?? "";
    typed(composer, false);
  }
});
