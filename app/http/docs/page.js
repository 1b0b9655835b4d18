"use strict";
// What Swagger UI's elements lack for those who use a keyboard or a screen reader, added as it draws them.

/** @type {[string, (element: Element) => void][]} */
const REPAIRS = [
  // A link inside the button that opens an operation: the button writes the same place into the address.
  [".opblock-summary-control a[href]", (link) => link.removeAttribute("href")],
  ["h3.opblock-tag:not([aria-level])", (heading) => heading.setAttribute("aria-level", "2")],
  [".modal-ux-header h3:not([aria-level])", (heading) => heading.setAttribute("aria-level", "2")],
  [".close-modal:not([aria-label])", (button) => button.setAttribute("aria-label", "Close")],
  [".modal-btn.authorize[aria-label]", (button) => button.removeAttribute("aria-label")], // its text says as much
  ["h4:not([aria-level])", (heading) => heading.setAttribute("aria-level", "3")],
  ["h5:not([aria-level])", (heading) => heading.setAttribute("aria-level", "4")],
  [".responses-table[role=region]:not([aria-label])", (table) => table.setAttribute("aria-label", table.id)],
  ["select:not([aria-label])", (select) => select.setAttribute("aria-label", nameOf(select))],
  ["input[type=file]:not([aria-label])", (input) => input.setAttribute("aria-label", "File")],
  ["textarea:not([aria-label])", (text) => text.setAttribute("aria-label", "Request body")],
  ["pre.microlight:not([tabindex])", (example) => example.setAttribute("tabindex", "0")],
];

/** @param {Element} select */
function nameOf(select) {
  if (select.id === "servers") return "Server";
  const row = select.closest("tr[data-param-name]");
  if (row) return row.getAttribute("data-param-name") ?? "Value";
  return select.classList.contains("examples-select-element") ? "Example" : "Media type";
}

function repair() {
  for (const [selector, mend] of REPAIRS) document.querySelectorAll(selector).forEach(mend);
}

new MutationObserver(repair).observe(document.body, { childList: true, subtree: true });
