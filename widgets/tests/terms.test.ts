// Both languages are whole: equal keys, no empty words, nothing left untranslated, every argument used.
import { describe, expect, it } from "vitest";
import { en, enHost } from "../src/terms/en.js";
import { ja, jaHost } from "../src/terms/ja.js";
import { recordingEn } from "../src/terms/recording-en.js";
import { recordingJa } from "../src/terms/recording-ja.js";
import { languageFrom } from "../src/terms/language.js";

type Words = Readonly<Record<string, string | ((...args: never[]) => string)>>;

/** Words that are the same in both languages on purpose. */
const SAME = new Set(["product", "crm"]);

describe.each<[string, Words, Words]>([
  ["panel", en, ja],
  ["host page", enHost, jaHost],
  ["page of a recording", recordingEn, recordingJa],
])("terms of the %s", (_name, english, japanese) => {
  it("have equal keys in Japanese and English", () => {
    expect(Object.keys(japanese).sort()).toEqual(Object.keys(english).sort());
  });

  it("take as many arguments in Japanese as in English", () => {
    for (const [key, words] of Object.entries(english)) {
      const other = japanese[key];
      expect(typeof other, key).toBe(typeof words);
      if (typeof words === "function" && typeof other === "function") expect(other.length, key).toBe(words.length);
    }
  });

  it("use every argument", () => {
    for (const terms of [english, japanese]) {
      for (const [key, words] of Object.entries(terms)) {
        if (typeof words !== "function") continue;
        const marks = Array.from({ length: words.length }, (_, at) => `7${at}7`);
        for (const mark of marks) expect((words as (...args: string[]) => string)(...marks), key).toContain(mark);
      }
    }
  });

  it("are Japanese in the Japanese file, and nowhere empty", () => {
    for (const [key, words] of Object.entries(japanese)) {
      if (typeof words !== "string" || SAME.has(key) || key === "language") continue;
      expect(words, key).toMatch(/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u);
      expect(english[key], key).not.toBe("");
      expect(english[key], key).not.toMatch(/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u);
    }
  });
});

describe("the language", () => {
  it("is the first of those asked for that we speak", () => {
    expect(languageFrom("auto", "ja-JP", "en")).toBe("ja");
    expect(languageFrom(null, undefined, "", "fr", "EN_us")).toBe("en");
    expect(languageFrom("fr")).toBe("en");
    expect(languageFrom("ja")).toBe("ja");
  });
});
