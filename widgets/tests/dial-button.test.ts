// <cti-dial>: a real button with a label, an event that a page can cancel.
import { beforeEach, describe, expect, it } from "vitest";
import { DialButton, DialEvent } from "../src/embed/dial-button.js";
import "../src/embed/dial-button-define.js";

function place(number: string, record: string | null = null): { element: DialButton; button: HTMLButtonElement } {
  const element = document.createElement("cti-dial");
  element.setAttribute("number", number);
  element.record = record;
  document.body.append(element);
  const button = element.shadowRoot?.querySelector("button");
  if (!button) throw new Error("no button");
  return { element, button };
}

beforeEach(() => {
  document.body.replaceChildren();
  document.documentElement.lang = "ja";
});

describe("<cti-dial>", () => {
  it("is a real button whose label says what it does, in the page's language", () => {
    const { element, button } = place("０３ー５５５５ー０１４２");
    element.lang = "ja";
    expect(button.type).toBe("button");
    expect(button.querySelector(".heard")?.textContent).toBe("03-5555-0142に発信");
    expect(button.querySelector("slot")?.textContent).toBe("03-5555-0142");
  });

  it("asks with number and record, through shadow trees, and can be cancelled", () => {
    const { button } = place("03-5555-0142", "4711");
    const heard: DialEvent[] = [];
    document.addEventListener(DialEvent.type, (event) => heard.push(event as DialEvent), { once: true });
    button.click();
    expect(heard[0]?.detail).toEqual({ number: "03-5555-0142", record: "4711" });
    expect([heard[0]?.bubbles, heard[0]?.composed, heard[0]?.cancelable]).toEqual([true, true, true]);
  });

  it("without a number it cannot be pressed", () => {
    const { button } = place("");
    expect(button.disabled).toBe(true);
  });

  it("shows a hostile number as text", () => {
    const { button } = place('"><img src=x onerror=alert(1)>');
    expect(button.querySelector("img")).toBeNull();
    expect(button.textContent).toContain("<img");
  });

  it("its element is a class apart from its definition", () => {
    expect(customElements.get("cti-dial")).toBe(DialButton);
  });
});
