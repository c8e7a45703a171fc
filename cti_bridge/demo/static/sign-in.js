// How to sign in to the widget: the demo's agents, plainly, because all of it is on one machine.
import { el } from "./dom.js";
import { words } from "./words.js";

const KEY = "demo.sign-in";

export function drawSignIn(element, agents) {
  const shown = agents.filter((agent) => agent.password !== null);
  const password = shown[0]?.password ?? "";
  element.open = localStorage.getItem(KEY) !== "closed";
  element.addEventListener("toggle", () => localStorage.setItem(KEY, element.open ? "open" : "closed"));
  element.append(
    el("p", { class: "quiet" }, words.signInLead),
    el(
      "ul",
      { class: "accounts" },
      ...shown.map(({ name, email }) =>
        el(
          "li",
          {},
          el("span", {}, el("strong", {}, name), el("br"), el("code", {}, email)),
          copyButton(email),
        ),
      ),
      el("li", {}, el("span", {}, `${words.password} `, el("code", {}, password)), copyButton(password)),
    ),
  );
}

function copyButton(text) {
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text);
    button.textContent = words.copied;
    setTimeout(() => {
      button.textContent = words.copy;
    }, 1500);
  };
  return el("button", { type: "button", class: "small", "aria-label": words.copyOf(text), onclick: copy }, words.copy);
}
