// Puts server-rendered fragments into the page: each replaces the element of its id or is inserted in order.

const FOCUSABLE = "a[href], button, input:not([type=hidden]), textarea, select, [tabindex]";
const SCROLLED = ["scroll", "thread-scroll", "modal-body"];

export function apply(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const before = scrolls();
  for (const element of [...page.body.children]) put(element);
  settle(before);
}

export function swap(page, ids, keepScroll) {
  const before = keepScroll ? scrolls() : new Map();
  for (const id of ids) {
    const fresh = page.getElementById(id);
    if (fresh) put(fresh);
  }
  settle(before, !keepScroll);
}

function put(element) {
  if ("only" in element.dataset) {
    const inner = element.firstElementChild;
    if (inner && document.getElementById(inner.id)) put(inner);
    return;
  }
  const old = element.id && document.getElementById(element.id);
  if ("gone" in element.dataset) {
    if (old?.contains(document.activeElement)) document.querySelector("[data-composer] textarea")?.focus();
    old?.remove();
  } else if (old) replace(old, element);
  else insert(element);
}

function insert(element) {
  const list = document.getElementById(element.dataset.into);
  if (!list) return;
  const earlier = [...list.children].filter((other) => other.dataset.ts <= element.dataset.ts).pop();
  if (earlier) earlier.after(element);
  else list.append(element);
  if (element.matches(".message")) element.classList.add("fresh");
}

function replace(old, fresh) {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const place = active && [...old.querySelectorAll(FOCUSABLE)].indexOf(active);
  const marks = active?.matches("textarea, input") ? [active.selectionStart, active.selectionEnd] : null;
  for (const block of fresh.querySelectorAll("[data-sig]")) {
    const kept = block.id && old.querySelector(`#${CSS.escape(block.id)}`);
    // The same definition: what was typed or chosen in it stays, and so does the element itself.
    if (kept?.dataset.sig === block.dataset.sig) block.replaceWith(kept);
    else if (kept && fresh.matches("[data-view]")) carry(kept, block);
  }
  old.replaceWith(fresh);
  if (!active) return;
  const again = (active.id && document.getElementById(active.id)) || fresh.querySelectorAll(FOCUSABLE)[place];
  (again ?? fresh).focus({ preventScroll: true });
  if (marks?.[0] != null && again?.setSelectionRange && again.type !== "email") again.setSelectionRange(...marks);
}

function carry(old, fresh) {
  for (const field of old.querySelectorAll("[name]:not([type=file])")) {
    const same = [...fresh.querySelectorAll("[name]")].filter((other) => other.name === field.name);
    if (field.matches("[type=radio], [type=checkbox]")) {
      for (const other of same) if (other.value === field.value) other.checked = field.checked;
    } else if (same[0] && !field.matches("[type=hidden]")) same[0].value = field.value;
  }
}

function scrolls() {
  const found = SCROLLED.map((id) => document.getElementById(id)).filter(Boolean);
  return new Map(found.map((box) => [box.id, [box.scrollTop, atEnd(box), box.scrollHeight]]));
}

export function atEnd(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 48;
}

function settle(before, moved = false) {
  document.dispatchEvent(new CustomEvent("drawn", { detail: { moved } }));
  for (const id of SCROLLED) {
    const box = document.getElementById(id);
    if (!box) continue;
    const [top, end, height] = before.get(id) ?? [0, id !== "modal-body", 0];
    box.scrollTop = end && id !== "modal-body" ? box.scrollHeight : top;
    if (id === "scroll" && !end && box.scrollHeight > height) {
      document.getElementById("jump")?.toggleAttribute("hidden", false);
    }
  }
}
