// Small parts of the Salesforce page: facts, record ids, the surface without Open CTI.
import { describe, expect, it } from "vitest";
import { originOf, readFacts } from "../../salesforce/facts.js";
import { plainSurface } from "../../salesforce/plain.js";
import { fullId, recordOfLink } from "../../salesforce/record-id.js";
import { LIGHTNING, ORG } from "./fake-open-cti.js";

describe("the facts", () => {
  it("are read with what is preset", () => {
    expect(readFacts(`{"org": "https://ACME.my.salesforce.com/", "api": "68.0"}`)).toEqual({
      org: ORG,
      lightning: ORG,
      api: "68.0",
      entity: "Contact",
    });
    expect(readFacts(JSON.stringify({ org: ORG, api: "68.0", entity: "Lead" }))).toMatchObject({ entity: "Lead" });
  });

  it("are none when the server filled nothing in, or what could load a script from elsewhere", () => {
    for (const content of [
      null,
      "__CTI_FACTS__",
      "{}",
      "[]",
      "null",
      JSON.stringify({ org: "javascript:alert(1)", api: "68.0" }),
      JSON.stringify({ org: ORG, api: "68.0/../../evil" }),
      JSON.stringify({ org: 7, api: "68.0" }),
    ]) {
      expect(readFacts(content), String(content)).toBeNull();
    }
  });

  it("never let a name out of its place in an address", () => {
    expect(readFacts(JSON.stringify({ org: ORG, api: "68.0", entity: "../x" }))).toMatchObject({ entity: "Contact" });
    expect(originOf("data:text/html,x")).toBeNull();
  });
});

describe("record ids", () => {
  it("are told in 18 characters, of which the last three tell the capitals", () => {
    // The vendor's own example pair: 001A0000006Vm9r and 001A0000006Vm9rIAC.
    expect(fullId("001A0000006Vm9r")).toBe("001A0000006Vm9rIAC");
    expect(fullId("001A0000006Vm9rIAC")).toBe("001A0000006Vm9rIAC");
    expect(fullId("001A0000006Vm9R")).not.toBe(fullId("001A0000006Vm9r"));
  });

  it("are none for anything that is no id", () => {
    for (const text of ["", null, 7, "001A0000006Vm9", "001A0000006Vm9rI", "../A0000006Vm9r", "001A0000006Vm9r' OR"]) expect(fullId(text)).toBeNull();
  });

  it("are found in links to record pages of the org, and in no others", () => {
    const origins = [LIGHTNING, ORG];
    expect(recordOfLink(`${LIGHTNING}/lightning/r/Contact/001A0000006Vm9rIAC/view`, origins)).toBe("001A0000006Vm9rIAC");
    expect(recordOfLink(`${LIGHTNING}/lightning/r/001A0000006Vm9r/view`, origins)).toBe("001A0000006Vm9rIAC");
    expect(recordOfLink(`${ORG}/001A0000006Vm9r`, origins)).toBe("001A0000006Vm9rIAC");
    expect(recordOfLink(`${LIGHTNING}/lightning/o/Contact/list`, origins)).toBeNull();
    expect(recordOfLink("https://evil.example/lightning/r/Contact/001A0000006Vm9rIAC/view", origins)).toBeNull();
    expect(recordOfLink("not a link", origins)).toBeNull();
  });
});

describe("the plain surface", () => {
  const facts = readFacts(JSON.stringify({ org: ORG, lightning: LIGHTNING, api: "68.0" }));
  function tab(touched: boolean) {
    const opened: unknown[][] = [];
    const view = {
      navigator: { userActivation: { isActive: touched } },
      open: (...how: unknown[]) => {
        opened.push(how);
        return null;
      },
    } as unknown as Window;
    return { surface: plainSurface(view, facts), opened };
  }
  const place = { id: "003", url: `${LIGHTNING}/lightning/r/Contact/003/view` };

  it("opens a record that the agent just picked, in a tab without a hold on ours", async () => {
    const { surface, opened } = tab(true);
    await surface.openRecord({ ...place, asked: true });
    expect(opened).toEqual([[place.url, "_blank", "noopener,noreferrer"]]);
  });

  it("leaves a record that rings to the card's link: browsers would not let it open, and a click on another thing is no wish", async () => {
    for (const [touched, asked] of [
      [false, true],
      [false, false],
      [true, false],
    ] as const) {
      const { surface, opened } = tab(touched);
      await surface.openRecord({ ...place, asked });
      expect(opened).toEqual([]);
    }
  });

  it("opens the form for a new record with the number filled in, and offers no search", async () => {
    const { surface, opened } = tab(true);
    await surface.openNewRecord?.("03-1234-5678");
    expect(opened[0]?.[0]).toBe(`${LIGHTNING}/lightning/o/Contact/new?defaultFieldValues=Phone%3D03-1234-5678`);
    expect(surface.openSearch).toBeNull();
    expect(plainSurface({} as Window, null).openNewRecord).toBeNull();
  });
});
