// Moments, durations, callers and links, in both languages.
import { describe, expect, it } from "vitest";
import type { Language } from "../src/protocol.js";
import { TERMS } from "../src/terms/terms.js";
import { age, callerText, clock, safeLink, when } from "../src/wording.js";
import { call } from "./fixtures.js";

const NOW = Date.parse("2026-11-21T09:30:00Z");

describe("wording", () => {
  it.each([
    [0, "0:00"],
    [-5_000, "0:00"],
    [65_400, "1:05"],
    [3_725_000, "1:02:05"],
  ])("%d ms on the clock is %s", (milliseconds, text) => expect(clock(milliseconds)).toBe(text));

  it.each<[string, Language, string]>([
    ["2026-11-21T09:29:50Z", "en", "this minute"],
    ["2026-11-21T09:25:00Z", "en", "5 minutes ago"],
    ["2026-11-21T05:30:00Z", "ja", "4 時間前"],
    ["2026-11-18T09:30:00Z", "ja", "3 日前"],
    ["2026-11-22T09:30:00Z", "en", "tomorrow"],
    ["2024-11-20T09:30:00Z", "en", "2 years ago"],
  ])("%s in %s is %s", (moment, language, text) => expect(age(moment, NOW, language)).toBe(text));

  it("names the year only when it is another one", () => {
    expect(when("2026-03-05T03:00:00Z", NOW, "ja")).not.toContain("2026");
    expect(when("2025-03-05T03:00:00Z", NOW, "ja")).toContain("2025");
  });

  it("gives callers without a number a word", () => {
    expect(callerText(call("call-ringing-withheld").caller, TERMS.ja)).toBe("非通知");
    expect(callerText(call("call-ringing-unreadable").caller, TERMS.en)).toBe("sip:reception@branch");
    expect(callerText({ kind: "number", number: "+81355550142", display: "", region: "" }, TERMS.en)).toBe(
      "+81355550142",
    );
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "  javascript:alert(1)", "vbscript:x", "", null])(
    "%s is no link",
    (url) => expect(safeLink(url)).toBeNull(),
  );

  it("lets web addresses be links", () => {
    expect(safeLink("https://crm.example/contacts/1")).toBe("https://crm.example/contacts/1");
  });
});
