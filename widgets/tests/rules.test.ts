// The house rules for browser code that a machine can check, over every source file.
import { describe, expect, it } from "vitest";

const files = import.meta.glob<string>(["../src/**/*.ts", "../salesforce/**/*.ts"], { query: "?raw", import: "default", eager: true });
const sources = Object.entries(files).map(([path, text]) => ({ path: path.replace("../", ""), text }));

/** Text reaches the page through text nodes only, and nothing is ever run that came as text. */
const MARKUP = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|unsafeHTML|unsafeSVG|unsafeStatic|\beval\(|new Function\(|DOMParser|setHTML/;
const LOOSE = /\bas any\b|: any\b|<any>|@ts-ignore|@ts-nocheck|console\.(log|debug|info)\(/;

describe.each(sources)("$path", ({ path, text }) => {
  it("opens with one sentence that says what lives there", () => {
    expect(text.split("\n")[0]).toMatch(/^\/\/ .*[.。)]$/);
  });

  it("is one idea: at most 400 lines", () => {
    expect(text.split("\n").length).toBeLessThanOrEqual(400);
  });

  it("never turns text into markup or code", () => {
    expect(text).not.toMatch(MARKUP);
  });

  it("does not slip past the types, and prints nothing", () => {
    expect(text).not.toMatch(LOOSE);
  });

  it("has a name of its own", () => {
    expect(path).not.toMatch(/utils?|helpers?|common|manager|service/i);
  });
});

it("an element's class and its definition live apart", () => {
  for (const { path, text } of sources) {
    expect(/customElements\.define\(/.test(text), path).toBe(path.endsWith("-define.ts"));
  }
});
