// Phone numbers found in a page's text, as people really write them.
import { describe, expect, it } from "vitest";
import { numberOfLink, numbersIn, plainNumber } from "../src/number.js";

describe("numbers in text", () => {
  it.each([
    ["０９０ー１２３４ー５６７８", "090-1234-5678"],
    [" 03−5555−0142 ", "03-5555-0142"],
    ["+81 45 555 0123", "+81 45 555 0123"],
    ["(045)555‐0123", "(045)555-0123"],
  ])("%s is made plain", (typed, plain) => expect(plainNumber(typed)).toBe(plain));

  it.each([
    ["TEL 03-5555-0142(代表)", ["03-5555-0142"]],
    ["携帯:０９０－１２３４－５６７８", ["090-1234-5678"]],
    ["03-5555-0142 / 090-1234-5678", ["03-5555-0142", "090-1234-5678"]],
    ["03-5555-0142、090-1234-5678", ["03-5555-0142", "090-1234-5678"]],
    ["+44 7700 900123", ["+44 7700 900123"]],
    ["(045) 555-0123", ["(045) 555-0123"]],
    ["03-5555-0142 03-5555-0142", ["03-5555-0142"]],
    ["0355550142", ["0355550142"]],
  ])("%s holds %j", (text, numbers) => expect(numbersIn(text)).toEqual(numbers));

  it.each(["2026-11-21", "2026/11/21", "内線 123", "なし", "", "12,500円", "123456789012345678901"])(
    "%s holds none",
    (text) => expect(numbersIn(text)).toEqual([]),
  );

  it("a tel: link gives its number without parameters", () => {
    expect(numberOfLink("tel:+81-3-5555-0142;ext=12")).toBe("+81-3-5555-0142");
    expect(numberOfLink("TEL:%2B81355550142")).toBe("+81355550142");
    expect(numberOfLink("tel:%E0%A4%A")).toBe("%E0%A4%A");
    expect(numberOfLink("tel:")).toBe("");
  });
});
