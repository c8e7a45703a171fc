// Leaves room for the widget's dock while it is open, as a CRM with a fixed width would; remembered, as the dock does.

const KEY = "demo.dock-open";

export function makeRoom() {
  const apply = (open) => document.body.classList.toggle("dock-open", open);
  apply(localStorage.getItem(KEY) !== "false");
  document.addEventListener("cti-bridge:open", (event) => {
    localStorage.setItem(KEY, String(event.detail.open));
    apply(event.detail.open);
  });
}
