// Keeps the page true: the live stream, moving between conversations, what is unread.

import { apply, atEnd, swap } from "./fragments.js";

const app = document.getElementById("app");
const status = document.getElementById("status");
let source;
let lost;
let visits = 0;

export function connect() {
  source?.close();
  const { user, channel, thread, tab, after } = app.dataset;
  const query = new URLSearchParams({ channel, thread, app: tab === "home" ? app.dataset.app : "", after });
  const stream = (source = new EventSource(`/page/${user}/live?${query}`));
  stream.addEventListener("patch", (event) => {
    app.dataset.after = event.lastEventId;
    apply(event.data);
  });
  stream.addEventListener("refresh", (event) => {
    app.dataset.after = event.lastEventId;
    refresh();
  });
  stream.addEventListener("hello", () => {
    clearTimeout(lost);
    // After a silence the whole page is fetched: the server may have been started anew meanwhile.
    if (!status.hidden) refresh();
    status.hidden = true;
    document.documentElement.dataset.live = "yes";
  });
  stream.addEventListener("error", () => {
    clearTimeout(lost);
    delete document.documentElement.dataset.live;
    lost = setTimeout(() => (status.hidden = false), 400);
    if (stream.readyState === EventSource.CLOSED && stream === source) setTimeout(connect, 1500);
  });
}

const refresh = () => visit(location.href, false);

export async function visit(address, moving = true) {
  const visiting = ++visits;
  let response;
  try {
    response = await fetch(address);
  } catch {
    return;
  }
  if (visiting !== visits) return;
  if (!response.ok) return void (location.href = address);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (visiting !== visits) return;
  const fresh = page.getElementById("app");
  const same = app.dataset.channel === fresh.dataset.channel && app.dataset.tab === fresh.dataset.tab;
  const thread = app.dataset.thread;
  Object.assign(app.dataset, fresh.dataset);
  app.className = fresh.className;
  document.title = page.title;
  const url = new URL(response.url);
  if (moving && url.href !== location.href) history.pushState(null, "", url.pathname + url.search);
  swap(page, ["sidebar", "main", "panel", "modal-content"], same);
  connect();
  if (!moving) return;
  arrived();
  const area = document.getElementById(app.dataset.thread && app.dataset.thread !== thread ? "write-thread" : "write-channel");
  (area ?? document.getElementById("main").querySelector("a, button"))?.focus();
}

// Apps hear that their tab was opened.
export function arrived() {
  if (!app.dataset.app) return;
  const data = new FormData();
  data.set("app", app.dataset.app);
  data.set("tab", app.dataset.tab);
  fetch(`/page/${app.dataset.user}/opened`, { method: "POST", body: data }).catch(() => {});
}

function unread() {
  let count = 0;
  for (const room of document.querySelectorAll("[data-room]")) {
    const key = `read:${app.dataset.user}:${room.dataset.room}`;
    const seen = document.visibilityState === "visible" && app.dataset.tab !== "home";
    if (room.matches("[aria-current]") && seen) localStorage.setItem(key, room.dataset.latest);
    const fresh = Number(room.dataset.latest) > Number(localStorage.getItem(key) ?? 0);
    room.classList.toggle("unread", fresh);
    room.querySelector(".unread-mark").textContent = fresh ? room.dataset.unreadWord : "";
    count += fresh;
  }
  document.title = document.title.replace(/^(\(\d+\) )?/, count ? `(${count}) ` : "");
}

document.addEventListener("drawn", unread);
document.addEventListener("visibilitychange", unread);
addEventListener("popstate", () => visit(location.href, false));
addEventListener("storage", unread);

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-nav]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    visit(link.href);
  } else if (event.target.closest("#jump")) {
    const box = document.getElementById("scroll");
    box.scrollTop = box.scrollHeight;
  } else if (event.target.closest("#older")) {
    event.preventDefault();
    const older = document.getElementById("older");
    const page = new DOMParser().parseFromString(await (await fetch(older.href)).text(), "text/html");
    const box = document.getElementById("scroll");
    const height = box.scrollHeight;
    older.replaceWith(...page.getElementById("messages").children);
    document.dispatchEvent(new CustomEvent("drawn", { detail: {} }));
    box.scrollTop = box.scrollHeight - height;
  }
});
document.addEventListener(
  "scroll",
  (event) => {
    if (event.target.id === "scroll" && atEnd(event.target)) document.getElementById("jump")?.toggleAttribute("hidden", true);
  },
  true,
);
