// kintone's list, record and edit screens, drawn anew with other class names every time: nobody may rely on those.
const { facts, state, fire } = window.fakeKintone;
const mobile = facts.kind === "mobile";
const prefix = mobile ? "mobile.app" : "app";
const root = mobile ? `/k/m/${facts.app}` : `/k/${facts.app}`;
const main = document.querySelector("main");
const PAGE = 5;
/** Milliseconds by which fields are drawn later than their show event. */
const late = Number(new URL(location.href).searchParams.get("late") ?? 0);

const make = (name, text = "", test = null) => {
  const made = document.createElement(name);
  made.className = `c${Math.random().toString(36).slice(2)}`;
  made.textContent = text;
  if (test !== null) made.dataset.test = test;
  return made;
};
const button = (text, test, act) => {
  const made = make("button", text, test);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
};
const api = async (method, path, body) => {
  const answer = await fetch(`/k/v1/${path}`, {
    method,
    ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message);
  return told;
};

const fields = facts.kind === "settings" ? {} : (await api("GET", `app/form/fields.json?app=${facts.app}`)).properties;
const codes = Object.values(fields)
  .filter(({ type }) => ["SINGLE_LINE_TEXT", "LINK"].includes(type))
  .map(({ code }) => code);

const value = (record, code) => record[code]?.value ?? "";
const recordAddress = (id) => (mobile ? `${root}/show?record=${id}` : `${root}/show#record=${id}`);

/** The field's element with its value in it; a telephone link as kintone draws it. */
function shown(record, code) {
  const element = make("div", "", `field-${code}`);
  const draw = () => {
    const inside = make("span", value(record, code));
    if (fields[code].type === "LINK" && value(record, code)) {
      const link = make("a", value(record, code));
      link.href = `${fields[code].protocol === "CALL" ? "tel:" : ""}${value(record, code)}`;
      inside.replaceChildren(link);
    }
    element.replaceChildren(inside);
  };
  if (late > 0) setTimeout(draw, late);
  else draw();
  return element;
}

function inputs(record) {
  const box = make("div");
  for (const code of codes) {
    const label = make("label", `${fields[code].label} `);
    const input = make("input", "", `input-${code}`);
    input.value = value(record, code);
    label.append(input);
    box.append(label);
  }
  return box;
}

/** The record with what was typed, through the submit event, as kintone saves it; null when a handler stopped it. */
async function submitted(event, record, box, more) {
  const typed = structuredClone(record);
  for (const code of codes) {
    typed[code] = { type: fields[code].type, value: box.querySelector(`[data-test="input-${code}"]`)?.value ?? value(record, code) };
  }
  const result = await fire(event, { record: typed, ...more });
  // A handler that gives nothing back leaves the record as it was typed.
  return result === false ? null : Object.fromEntries(codes.map((code) => [code, { value: (result?.record ?? typed)[code].value }]));
}

// ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function list(offset = 0) {
  const query = encodeURIComponent(`order by $id asc limit ${PAGE} offset ${offset}`);
  const { records } = await api("GET", `records.json?app=${facts.app}&query=${query}`);
  state.screen = "list";
  state.elements = Object.fromEntries(codes.map((code) => [code, []]));
  const table = make("table", "", "list");
  const head = table.createTHead().insertRow();
  for (const code of codes) head.append(make("th", fields[code].label));
  records.forEach((record, row) => {
    const line = table.insertRow();
    line.dataset.test = "row";
    line.dataset.record = record.$id.value;
    draw(line, record, row);
  });
  const tools = make("nav");
  tools.append(
    button("＋", "create", () => location.assign(`${root}/edit`)),
    button("前へ", "previous-page", () => list(Math.max(0, offset - PAGE))),
    button("次へ", "next-page", () => list(offset + PAGE)),
  );
  main.replaceChildren(make("h1", "一覧"), tools, table);
  await fire(`${prefix}.record.index.show`, { records, viewType: "list", viewId: 1, viewName: "一覧", offset });
  main.dataset.shown = "list";
}

function draw(line, record, row) {
  line.replaceChildren();
  for (const code of codes) {
    const element = shown(record, code);
    state.elements[code][row] = element;
    line.insertCell().append(element);
  }
  const cell = line.insertCell();
  cell.append(button("開く", "open", () => location.assign(recordAddress(record.$id.value))));
  if (!mobile) cell.append(button("編集", "inline-edit", () => void editRow(line, record, row)));
}

async function editRow(line, record, row) {
  const recordId = record.$id.value;
  for (const code of codes) {
    const input = make("input", "", `input-${code}`);
    input.value = value(record, code);
    state.elements[code][row].replaceChildren(input);
  }
  const end = async (saved) => {
    draw(line, saved, row);
    await fire("app.record.index.edit.finish", { recordId, record: saved });
  };
  const save = button("保存", "inline-save", async () => {
    const changed = await submitted("app.record.index.edit.submit", record, line, { recordId, appId: String(facts.app) });
    if (changed === null) return;
    await api("PUT", "record.json", { app: facts.app, id: recordId, record: changed });
    const { record: saved } = await api("GET", `record.json?app=${facts.app}&id=${recordId}`);
    await fire("app.record.index.edit.submit.success", { recordId, record: saved });
    await end(saved);
  });
  line.lastElementChild.replaceChildren(save, button("キャンセル", "inline-cancel", () => void end(record)));
  await fire("app.record.index.edit.show", { recordId, record });
}

// ── one record ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function detail(id) {
  window.removeEventListener("beforeunload", guard);
  const { record } = await api("GET", `record.json?app=${facts.app}&id=${id}`);
  state.screen = "detail";
  state.record = Number(id);
  state.elements = Object.fromEntries(codes.map((code) => [code, [shown(record, code)]]));
  const form = make("dl");
  for (const code of codes) {
    const place = make("dd");
    place.append(state.elements[code][0]);
    form.append(make("dt", fields[code].label), place);
  }
  const tools = make("nav");
  const turn = (step) => () => {
    if (mobile) history.replaceState(null, "", recordAddress(Number(id) + step));
    else location.hash = `record=${Number(id) + step}`;
    if (mobile) void detail(Number(id) + step);
  };
  tools.append(
    button("一覧", "to-list", () => location.assign(`${root}/`)),
    button("前", "previous", turn(-1)),
    button("次", "next", turn(1)),
    button("編集", "edit", () => void edit(record)),
  );
  const comment = make("textarea", "", "comment");
  comment.setAttribute("aria-label", "コメント");
  const heading = make("h1", `レコード ${id}`, "record-heading");
  main.replaceChildren(heading, tools, form, comment);
  await fire(`${prefix}.record.detail.show`, { recordId: Number(id), record });
  main.dataset.shown = `detail ${id}`;
}

function guard(event) {
  event.preventDefault();
}

async function edit(record) {
  const recordId = Number(record.$id.value);
  state.screen = "edit";
  state.elements = {};
  const box = inputs(record);
  const tools = make("nav");
  tools.append(
    button("保存", "save", async () => {
      const changed = await submitted(`${prefix}.record.edit.submit`, record, box, { recordId });
      if (changed === null) return;
      await api("PUT", "record.json", { app: facts.app, id: recordId, record: changed });
      await detail(recordId);
    }),
    button("キャンセル", "cancel", () => void detail(recordId)),
  );
  main.replaceChildren(make("h1", `レコード ${recordId} を編集`, "edit-heading"), tools, box);
  window.addEventListener("beforeunload", guard);
  await fire(`${prefix}.record.edit.show`, { recordId, record });
  main.dataset.shown = `edit ${recordId}`;
}

async function create() {
  state.screen = "create";
  const record = Object.fromEntries(codes.map((code) => [code, { type: fields[code].type, value: "" }]));
  const box = inputs(record);
  const tools = make("nav");
  tools.append(
    button("保存", "save", async () => {
      const made = await submitted(`${prefix}.record.create.submit`, record, box, {});
      if (made === null) return;
      const { id } = await api("POST", "record.json", { app: facts.app, record: made });
      window.removeEventListener("beforeunload", guard);
      location.assign(recordAddress(id));
    }),
  );
  main.replaceChildren(make("h1", "新しいレコード", "create-heading"), tools, box);
  window.addEventListener("beforeunload", guard);
  await fire(`${prefix}.record.create.show`, { record, reuse: false });
  main.dataset.shown = "create";
}

if (facts.kind !== "settings") {
  const asked = () => new URLSearchParams(mobile ? location.search : location.hash.slice(1)).get("record");
  if (location.pathname.endsWith("/edit")) await create();
  else if (location.pathname.endsWith("/show")) {
    await detail(asked());
    if (!mobile) window.addEventListener("hashchange", () => void detail(asked()));
  } else await list();
}
