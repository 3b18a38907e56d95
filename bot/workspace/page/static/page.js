// Starts the page and holds what belongs to no part alone: keys and the side bar on narrow screens.

import "./menus.js";
import "./doings.js";
import "./modal.js";
import "./combo.js";
import "./composer.js";
import "./time.js";
import { arrived, connect, visit } from "./live.js";

const app = document.getElementById("app");
const keys = document.getElementById("keys");

const writing = () => document.getElementById("write-thread") ?? document.getElementById("write-channel");

function sidebar(open) {
  app.classList.toggle("menu-open", open);
  document.getElementById("veil").hidden = !open;
  document.getElementById("open-menu")?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector("#sidebar [aria-current], #sidebar a")?.focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#open-menu")) sidebar(!app.classList.contains("menu-open"));
  else if (event.target.closest("#veil, #sidebar a")) sidebar(false);
  else if (event.target.closest("#show-keys")) keys.showModal();
});

// One message of a list is a stop of the Tab key; J and K or the arrows move on from it.
const below = (message) => message?.nextElementSibling;
const above = (message) => message?.previousElementSibling;
const moves = { j: below, ArrowDown: below, k: above, ArrowUp: above };

function stop(message) {
  for (const other of message.parentElement.querySelectorAll(":scope > .message[tabindex='0']")) other.tabIndex = -1;
  message.tabIndex = 0;
}

function walk(key) {
  const lists = [...document.querySelectorAll(".messages")];
  const now = document.activeElement.closest(".message");
  let next = now ? moves[key](now) : lists[0]?.querySelector(":scope > .message:last-of-type");
  while (next && !next.matches(".message")) next = moves[key](next);
  next?.focus();
}

document.addEventListener("focusin", (event) => {
  const message = event.target.closest?.(".message");
  if (message) stop(message);
});
document.addEventListener("drawn", () => {
  for (const list of document.querySelectorAll(".messages")) {
    const last = [...list.querySelectorAll(":scope > .message")].pop();
    if (last && !list.contains(document.activeElement)) stop(last);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    event.preventDefault();
    const rooms = [...document.querySelectorAll("[data-room]")];
    const now = rooms.findIndex((room) => room.matches("[aria-current]"));
    visit(rooms[(now + (event.key === "ArrowDown" ? 1 : -1) + rooms.length) % rooms.length].href);
  } else if (event.ctrlKey && event.key === "/") {
    event.preventDefault();
    writing()?.focus();
  } else if (event.key === "Escape") {
    if (document.querySelector(":popover-open")) return;
    if (app.classList.contains("menu-open")) sidebar(false);
    else if (event.target.closest(".message")) document.querySelector("#write-channel")?.focus();
    else if (app.dataset.thread) document.getElementById("close-panel").click();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const message = event.target.closest(".message");
    if (event.key === "?") keys.showModal();
    else if (event.key in moves && (event.key.length === 1 || event.target === message)) walk(event.key);
    else if (event.key === "t" && message?.dataset.thread) visit(message.dataset.thread);
    else return;
    event.preventDefault();
  }
});

const toasts = new WeakSet();
document.addEventListener("drawn", () => {
  for (const note of document.querySelectorAll(".toast")) {
    if (toasts.has(note)) continue;
    toasts.add(note);
    setTimeout(() => note.remove(), 8000);
  }
});

document.dispatchEvent(new CustomEvent("drawn", { detail: {} }));
for (const id of ["scroll", "thread-scroll"]) {
  const box = document.getElementById(id);
  if (box) box.scrollTop = box.scrollHeight;
}
connect();
arrived();
writing()?.focus({ preventScroll: true });
