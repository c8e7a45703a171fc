// Elements made by hand, their texts through text nodes only.

export function element<Name extends keyof HTMLElementTagNameMap>(name: Name, text: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

export function option(text: string, value: string): HTMLOptionElement {
  const made = element("option", text);
  made.value = value;
  return made;
}
