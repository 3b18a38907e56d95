// Pop-up menus: placed at their button, walked with the arrow keys. Opening, Esc and clicks beside are the browser's.

export function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = at.bottom + 4 + size.height <= innerHeight || at.top < size.height;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
  menu.style.top = `${Math.max(8, below ? Math.min(at.bottom + 4, innerHeight - size.height - 8) : at.top - size.height - 4)}px`;
}

const opener = (menu) => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
const items = (menu) => [...menu.querySelectorAll("[role=menuitem]")];

document.addEventListener(
  "beforetoggle",
  (event) => {
    const menu = event.target;
    const button = menu.matches("[role=menu]") && opener(menu);
    if (!button) return;
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    // Back to the button while the menu still stands: a toolbar shows its buttons only around the focus.
    if (event.newState !== "open") return void (menu.contains(document.activeElement) && button.focus());
    requestAnimationFrame(() => {
      place(menu, button);
      (menu.querySelector("[aria-current]") ?? items(menu)[0])?.focus();
    });
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("[popovertarget]");
  if (button && event.key === "ArrowDown") {
    event.preventDefault();
    document.getElementById(button.getAttribute("popovertarget")).showPopover();
    return;
  }
  const menu = event.target.closest?.("[role=menu]");
  if (!menu) return;
  const all = items(menu);
  const now = all.indexOf(document.activeElement);
  const next = {
    ArrowDown: (now + 1) % all.length,
    ArrowRight: (now + 1) % all.length,
    ArrowUp: (now - 1 + all.length) % all.length,
    ArrowLeft: (now - 1 + all.length) % all.length,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    all[next].focus();
  } else if (event.key === "Tab") menu.hidePopover();
});
