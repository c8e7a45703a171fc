// Numbers made plain on save: the same answers as the bridge gives, and only fields that are there are touched.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { e164, fillNormalised } from "../../kintone/src/normalise.js";

const BRIDGE = JSON.parse(readFileSync("../tests/fixtures/numbers.json", "utf8")) as Record<string, string | null>;
const PHONES = [
  { code: "電話", normalised: "電話_正規化" },
  { code: "携帯", normalised: null },
];

describe("a typed number", () => {
  it("is read as the bridge reads it, in every spelling", () => {
    expect(Object.keys(BRIDGE).length).toBeGreaterThan(400);
    const read = Object.fromEntries(Object.keys(BRIDGE).map((text) => [text, e164(text, "JP")]));
    expect(read).toEqual(BRIDGE);
  });

  it("without a country code is one of the country that was set", () => {
    expect(e164("(415) 555-2671", "US")).toBe("+14155552671");
    expect(e164("(415) 555-2671", "JP")).toBeNull();
  });
});

describe("saving a record", () => {
  it("fills the normalised field from its phone field", () => {
    const record = { 電話: { value: "０３－１２３４－５６７８" }, 電話_正規化: { value: "" }, 携帯: { value: "090-1234-5678" } };
    fillNormalised(record, PHONES, "JP");
    expect(record).toEqual({
      電話: { value: "０３－１２３４－５６７８" },
      電話_正規化: { value: "+81312345678" },
      携帯: { value: "090-1234-5678" },
    });
  });

  it.each(["", "なし", undefined])("empties it when the phone field holds %j", (value) => {
    const record = { 電話: { value }, 電話_正規化: { value: "+81312345678" } };
    fillNormalised(record, PHONES, "JP");
    expect(record.電話_正規化.value).toBe("");
  });

  it.each(["火曜定休", "03-1234-5678", "株式会社 +81312345678"])("never writes over %j, which is somebody's own", (held) => {
    const record = { 電話: { value: "03-1234-5678" }, 電話_正規化: { value: held } };
    fillNormalised(record, PHONES, "JP");
    expect(record.電話_正規化.value).toBe(held);
  });

  it("leaves it alone when this user may not see the phone field", () => {
    const record = { 電話_正規化: { value: "+81312345678" } };
    fillNormalised(record, PHONES, "JP");
    expect(record.電話_正規化.value).toBe("+81312345678");
  });

  it("adds no field that the record has not: kintone would refuse it", () => {
    const record = { 電話: { value: "03-1234-5678" } };
    fillNormalised(record, PHONES, "JP");
    expect(Object.keys(record)).toEqual(["電話"]);
  });
});
