// The plug-in's words: the same in both languages, none empty.
import { describe, expect, it } from "vitest";
import { en } from "../../kintone/src/terms/en.js";
import { ja } from "../../kintone/src/terms/ja.js";

describe("the plug-in's words", () => {
  it("exist in both languages", () => {
    expect(Object.keys(ja)).toEqual(Object.keys(en));
  });

  it.each(Object.keys(en) as (keyof typeof en)[])("%s says something in both", (key) => {
    for (const words of [en[key], ja[key]]) {
      const text = typeof words === "function" ? (words as (value: unknown) => string)("A1") : words;
      expect(text).not.toBe("");
      if (typeof words === "function") expect(text).toContain("A1");
    }
  });

  it("are Japanese in Japanese", () => {
    const same = ["language", "heading"];
    const foreign = Object.entries(ja).filter(
      ([key, words]) => typeof words === "string" && !same.includes(key) && !/[\u3040-\u30ff\u4e00-\u9fff]/.test(words),
    );
    expect(foreign).toEqual([]);
  });
});
