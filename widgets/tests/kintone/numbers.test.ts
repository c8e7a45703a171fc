// Call buttons at the phone fields: list and detail, after paging and late rendering, each once, with the record that it belongs to.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../../src/embed/dial-button-define.js";
import { MARKED, PhoneFields } from "../../kintone/src/numbers.js";
import { Linker } from "../../src/embed/linker.js";
import { cell, FakeKintone } from "./fake-kintone.js";

let kintone: FakeKintone;
let fields: PhoneFields;
let linker: Linker;

beforeEach(() => {
  document.body.replaceChildren();
  kintone = new FakeKintone();
  fields = new PhoneFields(document, kintone.app, ["電話", "携帯"]);
  linker = new Linker(document, MARKED, { dial: () => undefined });
  linker.start();
});

afterEach(() => {
  fields.hide();
  linker.stop();
});

/** ["03-1234-5678 of 27:1", …] in the page's order. */
const buttons = (): string[] =>
  [...document.querySelectorAll("cti-dial")].map((one) => `${one.number} of ${one.record ?? "nobody"}`);
const shown = (expected: string[]): Promise<void> => vi.waitFor(() => expect(buttons()).toEqual(expected));

describe("on a list", () => {
  beforeEach(() => {
    kintone.elements = { 電話: [cell("03-1234-5678"), cell("０６－１２３４－５６７８")], 携帯: [cell(""), cell("090-1111-2222")] };
  });

  it("each number has a button that carries its row's record", async () => {
    fields.showList(["27:1", "27:2"]);
    await shown(["03-1234-5678 of 27:1", "06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
  });

  it("the same show event twice makes no second button", async () => {
    fields.showList(["27:1", "27:2"]);
    await shown(["03-1234-5678 of 27:1", "06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
    fields.showList(["27:1", "27:2"]);
    cell("something else renders");
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(buttons()).toHaveLength(3);
  });

  it("after paging in the same elements the buttons carry the new rows' records, also for the same number", async () => {
    fields.showList(["27:1", "27:2"]);
    await shown(["03-1234-5678 of 27:1", "06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
    const second = kintone.elements["電話"]?.[1];
    if (second) second.textContent = "052-123-4567";
    fields.showList(["27:3", "27:4"]);
    await shown(["03-1234-5678 of 27:3", "052-123-4567 of 27:4", "090-1111-2222 of 27:4"]);
  });

  it("a row that is being edited has no button, and has it again afterwards", async () => {
    fields.showList(["27:1", "27:2"]);
    await shown(["03-1234-5678 of 27:1", "06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
    const first = kintone.elements["電話"]?.[0];
    first?.replaceChildren(document.createElement("input"));
    await shown(["06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
    if (first) first.textContent = "03-1234-9999";
    await shown(["03-1234-9999 of 27:1", "06-1234-5678 of 27:2", "090-1111-2222 of 27:2"]);
  });

  it("rows that kintone has not matched to records yet can be dialled, but belong to nobody", async () => {
    fields.showList(["27:1"]);
    await shown(["03-1234-5678 of nobody", "06-1234-5678 of nobody", "090-1111-2222 of nobody"]);
  });
});

describe("on a record", () => {
  beforeEach(() => {
    kintone.screen = "detail";
  });

  it("a field that kintone renders after its event gets its button then", async () => {
    fields.showRecord("27:5");
    expect(buttons()).toEqual([]);
    kintone.elements = { 電話: [cell("03-1234-5678")] };
    await shown(["03-1234-5678 of 27:5"]);
  });

  it("a link field keeps kintone's own link and gets a button beside it", async () => {
    const element = cell("");
    const link = document.createElement("a");
    link.href = "tel:03-1234-5678";
    link.textContent = "03-1234-5678";
    element.append(link);
    kintone.elements = { 電話: [element] };
    fields.showRecord("27:5");
    await shown(["03-1234-5678 of 27:5"]);
    expect(element.firstElementChild).toBe(link);
  });

  it("two numbers in one field have a button each", async () => {
    kintone.elements = { 電話: [cell("03-1234-5678 / 090-1111-2222")] };
    fields.showRecord("27:5");
    await shown(["03-1234-5678 of 27:5", "090-1111-2222 of 27:5"]);
  });

  it("turning to another record moves the button to it", async () => {
    kintone.elements = { 電話: [cell("03-1234-5678")] };
    fields.showRecord("27:5");
    await shown(["03-1234-5678 of 27:5"]);
    fields.showRecord("27:6");
    await shown(["03-1234-5678 of 27:6"]);
  });

  it("text of other fields is left alone, however much it looks like a number", async () => {
    cell("03-9999-9999");
    kintone.elements = { 電話: [cell("03-1234-5678")] };
    fields.showRecord("27:5");
    await shown(["03-1234-5678 of 27:5"]);
  });
});

it("a click on a button dials and stays out of the row's own click", async () => {
  kintone.elements = { 電話: [cell("03-1234-5678")] };
  const rowClicked = vi.fn();
  const dialled = vi.fn();
  kintone.elements["電話"]?.[0]?.addEventListener("click", rowClicked);
  document.addEventListener("cti-dial", (event) => dialled(event.detail), { once: true });
  fields.showList(["27:1"]);
  await shown(["03-1234-5678 of 27:1"]);
  document.querySelector("cti-dial")?.shadowRoot?.querySelector("button")?.click();
  expect(dialled).toHaveBeenCalledWith({ number: "03-1234-5678", record: "27:1" });
  expect(rowClicked).not.toHaveBeenCalled();
});
