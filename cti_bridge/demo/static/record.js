// Draws one customer of the stand-in CRM. Numbers stand as they were typed; the widget's linker makes them clickable.
import { draw, el } from "./dom.js";
import { when, words } from "./words.js";

export function drawRecord(element, record, link) {
  draw(element, record, () => {
    if (record === null) return [el("p", { class: "quiet" }, words.noRecord)];
    element.dataset.ctiRecord = record.id;
    return [
      head(record, link),
      numbers(record),
      facts(record),
      people(record, link),
      story("open", words.open, record.open),
      story("upcoming", words.upcoming, record.upcoming),
      story("history", words.history, record.history),
      record.open.length + record.upcoming.length + record.history.length === 0
        ? el("p", { class: "quiet" }, words.noHistory)
        : "",
    ].filter((part) => part !== null && part !== "");
  });
}

function head(record, link) {
  const place = [record.company ? link(record.company) : null, record.title].filter(Boolean);
  return el(
    "header",
    {},
    el("p", { class: "reading" }, record.reading),
    el("h2", { "data-test": "record-name" }, record.name),
    el("p", { class: "place" }, ...place.flatMap((part, at) => (at === 0 ? [part] : [" · ", part]))),
  );
}

function numbers(record) {
  if (record.numbers.length === 0) return null;
  return el(
    "dl",
    { class: "numbers" },
    ...record.numbers.map(({ kind, label, text }) =>
      // Nobody telephones a fax machine.
      el("div", {}, el("dt", {}, label), el("dd", { class: kind === "fax" ? null : "phone", "data-test": "record-number" }, text)),
    ),
  );
}

function facts({ customer_number, email, note }) {
  const rows = [
    [words.customerNumber, customer_number],
    [words.email, email],
    [words.memo, note],
  ].filter(([, text]) => text !== "");
  if (rows.length === 0) return null;
  return el("dl", { class: "facts" }, ...rows.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
}

function people({ people: all }, link) {
  if (all.length === 0) return null;
  return el(
    "section",
    {},
    el("h3", {}, words.people),
    el("ul", { class: "people" }, ...all.map((one) => el("li", {}, link(one), " ", el("span", { class: "quiet" }, one.title)))),
  );
}

function story(name, title, items) {
  if (items.length === 0) return null;
  return el(
    "section",
    { class: `story ${name}`, "data-test": `record-${name}` },
    el("h3", {}, title),
    el(
      "ol",
      {},
      ...items.map((item) =>
        el(
          "li",
          { "data-kind": item.kind },
          el("span", { class: "kind" }, words.kinds[item.kind] ?? item.kind),
          el(
            "div",
            {},
            el("p", { class: "first" }, el("strong", {}, item.title), el("time", { datetime: item.at }, when(item.at))),
            item.detail === "" ? null : el("p", { class: "note" }, item.detail),
          ),
        ),
      ),
    ),
  );
}
