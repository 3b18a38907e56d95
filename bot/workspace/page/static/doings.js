// What the reader does, as POSTs; the answers are fragments.

import { apply } from "./fragments.js";

const app = document.getElementById("app");

export async function send(name, fields, busy) {
  busy?.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`/page/${app.dataset.user}/${name}`, { method: "POST", body: form(fields) });
    if (response.headers.get("content-type")?.startsWith("text/html")) apply(await response.text());
    else if (!response.ok) throw new Error(String(response.status));
    return response.ok;
  } catch (failure) {
    toast(app.dataset.failed.replace("{}", failure.message));
    return false;
  } finally {
    busy?.removeAttribute("aria-busy");
  }
}

function form(fields) {
  if (fields instanceof FormData) return fields;
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) data.set(name, value);
  return data;
}

export function toast(text) {
  const note = document.createElement("div");
  note.className = "toast";
  note.setAttribute("role", "alert");
  note.textContent = text;
  document.getElementById("toasts").append(note);
  document.dispatchEvent(new CustomEvent("drawn", { detail: {} }));
}

// What all inputs around an element hold, and where they are.
export function collect(element, withFiles = false) {
  const container = element.closest("[data-container]");
  const data = new FormData(container);
  for (const field of container.querySelectorAll("[data-moment]")) {
    data.set(field.name, field.value ? String(Math.floor(new Date(field.value) / 1000)) : "");
  }
  if (!withFiles) for (const field of container.querySelectorAll("[type=file]")) data.delete(field.name);
  for (const key of ["channel", "ts", "view"]) if (container.dataset[key]) data.set(key, container.dataset[key]);
  const owner = element.closest("[data-action]");
  if (owner) {
    data.set("block_id", element.closest("[data-block]").dataset.block);
    data.set("action_id", owner.dataset.action);
    data.set("kind", owner.dataset.kind);
  }
  return data;
}

// Uses an element. False when the reader said no in its confirm dialog.
export async function act(element, chosen, busy = element) {
  if (element.dataset.confirm && !(await confirmed(element.dataset.confirm))) return false;
  const data = collect(element);
  for (const value of chosen) data.append("chosen", value ?? "");
  await send("act", data, busy);
  return true;
}

function confirmed(id) {
  const dialog = document.getElementById("confirm");
  dialog.replaceChildren(document.getElementById(id).content.cloneNode(true));
  dialog.setAttribute("aria-label", dialog.querySelector("h2").textContent);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) =>
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }),
  );
}

document.getElementById("confirm").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) event.currentTarget.close(button.value);
});

function fieldsOf(button) {
  const list = button.closest("[data-channel]") ?? app;
  const { ts, name, app: owner } = button.dataset;
  return { channel: list.dataset.channel, ts, name, app: owner };
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act], [data-post], [data-dismiss], .menu[data-act] [role=menuitem]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  const menu = button.closest(".menu[popover]");
  if (button.dataset.dismiss) {
    document.getElementById(button.dataset.dismiss)?.remove();
    document.querySelector("[data-composer] textarea")?.focus();
  } else if (button.dataset.post) {
    menu?.hidePopover();
    await send(button.dataset.post, fieldsOf(button), button);
  } else if (button.matches("[role=menuitem]") && menu) {
    menu.hidePopover();
    await act(menu, [button.dataset.value], document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`));
  } else if (button.matches("button, a")) await act(button, [button.dataset.value]);
});

const held = (group) => [...group.querySelectorAll(":checked")].map((field) => field.value);

document.addEventListener("change", async (event) => {
  const group = event.target.closest(".choices[data-act]");
  if (group) {
    const before = event.target.type === "checkbox" ? !event.target.checked : group.dataset.held;
    if (await act(group, held(group))) group.dataset.held = held(group)[0] ?? "";
    else if (event.target.type === "checkbox") event.target.checked = before;
    else for (const field of group.querySelectorAll("input")) field.checked = field.value === before;
  }
  // While a date is typed every digit is a change: wait until the field is left.
  if (event.target.matches(".date[data-act]") && !event.target.dataset.typing) pick(event.target);
});

function pick(field) {
  delete field.dataset.typing;
  const moment = "moment" in field.dataset && field.value ? Math.floor(new Date(field.value) / 1000) : field.value;
  act(field, [String(moment)]);
}

let pause;
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-on=character]")) return;
  clearTimeout(pause);
  pause = setTimeout(() => act(event.target, [event.target.value]), 400);
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLElement) || event.isComposing) return;
  if (field.matches(".date[data-act]")) {
    if (event.key === "Enter" && field.dataset.typing) pick(field);
    else if (/^[0-9]$|^Arrow|^Backspace$|^Delete$/.test(event.key)) field.dataset.typing = "yes";
  } else if (event.key === "Enter" && field.matches("input[data-act][data-on]")) {
    event.preventDefault();
    act(field, [field.value]);
  }
});
document.addEventListener("focusout", (event) => {
  if (event.target.matches(".date[data-act]") && event.target.dataset.typing) pick(event.target);
});
document.addEventListener("submit", (event) => {
  if (event.target.matches(".body")) event.preventDefault();
});
