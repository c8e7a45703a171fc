// Plays Lightning around the softphone: a record page, search, the form for a new record, the utility bar, and its side of Open CTI.
const settings = await_settings();
const happened = (window.happened = []);
const one = (test) => document.querySelector(`[data-test="${test}"]`);
const frame = one("softphone");
let dialling = false;
let softphone = null; // the softphone's origin, once its frame has an address
let shown = { url: location.href };

function await_settings() {
  const asked = new XMLHttpRequest();
  asked.open("GET", "/fake/settings", false);
  asked.send();
  return JSON.parse(asked.responseText);
}

const made = (name, text = "", marks = {}) => {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [mark, value] of Object.entries(marks)) element.dataset[mark] = value;
  return element;
};

// ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const get = async (path) => {
  const answer = await fetch(path);
  return answer.ok ? answer.json() : null;
};

async function list() {
  const records = await get("/fake/records");
  one("records").replaceChildren(
    ...records.map((record) => {
      const link = made("a", record.name, { test: "go", record: record.id });
      link.href = `/lightning/r/${record.type}/${record.id}/view`;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        void openRecord(record.id);
      });
      return link;
    }),
  );
}

async function openRecord(id) {
  const record = await get(`/fake/records/${id}`);
  if (record === null) return false;
  history.pushState(null, "", `/lightning/r/${record.type}/${record.id}/view`);
  show(record);
  navigated({ recordId: record.id, recordName: record.name, objectType: record.type });
  return true;
}

function show(record) {
  const view = one("view");
  view.dataset.record = record.id;
  view.replaceChildren(made("h1", record.name, { test: "record-name" }), made("p", record.type, { test: "record-type" }));
  for (const [field, number] of Object.entries(record.numbers)) {
    const line = made("p", `${field}: `);
    // Lightning draws numbers as links only once click-to-dial is enabled.
    const dial = dialling ? made("button", number, { test: "number" }) : made("span", number, { test: "number" });
    if (dialling) {
      const { id, name, type } = record;
      const payload = { number, recordId: id, recordName: name, objectType: type, personAccount: false };
      dial.addEventListener("click", () => tell("onClickToDial", payload));
    }
    line.append(dial);
    view.append(line);
  }
  const tasks = made("ul", "", { test: "activities" });
  tasks.append(...record.tasks.map((task) => made("li", `${task.subject} ${task.note}`, { test: "activity" })));
  view.append(tasks);
}

function searched(text) {
  history.pushState(null, "", `/lightning/search?q=${encodeURIComponent(text)}`);
  delete one("view").dataset.record;
  one("view").replaceChildren(made("h1", `Top Results: ${text}`, { test: "search-page" }));
  navigated({});
}

function openModal(entity, values) {
  const modal = one("modal");
  const form = made("form");
  const inputs = ["LastName", "Phone", "MobilePhone"].map((field) => {
    const input = made("input", "", { test: `new-${field}` });
    input.name = field;
    input.ariaLabel = field;
    input.value = values[field] ?? "";
    return input;
  });
  const save = made("button", "Save", { test: "save" });
  form.append(made("h2", `New ${entity}`, { test: "modal-title" }), ...inputs, save);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ type: entity, values: Object.fromEntries(new FormData(form)) });
    const answer = await fetch("/fake/records", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    modal.close();
    await list();
    await openRecord((await answer.json()).id);
  });
  modal.replaceChildren(form);
  modal.showModal();
}

// ── Open CTI, Lightning's side ───────────────────────────────────────────────────────────────────────────────────────

function navigated(record) {
  const none = { recordId: "", recordName: "", objectType: "" };
  shown = { url: location.href, ...none, ...record };
  tell("onNavigationChange", shown);
}

function tell(name, payload) {
  if (softphone !== null) frame.contentWindow.postMessage({ openCti: true, name, payload }, softphone);
}

const done = (returnValue = null) => ({ success: true, returnValue, errors: null });
const refused = (description) => ({ success: false, returnValue: null, errors: [{ code: "INVALID_PARAM", description }] });

const METHODS = {
  getCallCenterSettings: () => done({ "/reqGeneralInfo/reqInternalName": "CTIBridge" }),
  getAppViewInfo: () => done(shown),
  notifyInitializationComplete: () => done(),
  enableClickToDial: () => {
    dialling = true;
    return refresh();
  },
  disableClickToDial: () => {
    dialling = false;
    return refresh();
  },
  refreshView: () => refresh(),
  setSoftphonePanelVisibility: ({ visible }) => {
    one("phone").dataset.visible = String(visible === true);
    return done();
  },
  isSoftphonePanelVisible: () => done({ visible: one("phone").dataset.visible === "true" }),
  setSoftphonePanelHeight: ({ heightPX }) => {
    frame.style.height = `${heightPX}px`;
    return done();
  },
  setSoftphonePanelWidth: ({ widthPX }) => {
    frame.style.width = `${widthPX}px`;
    return done();
  },
  setSoftphonePanelLabel: ({ label }) => {
    one("panel-label").textContent = label;
    return done();
  },
  setSoftphoneItemLabel: ({ label }) => {
    one("utility-item").textContent = label;
    return done();
  },
  screenPop: async ({ type, params = {}, defaultFieldValues }) => {
    switch (type) {
      case "SOBJECT":
        return (await openRecord(params.recordId)) ? done() : refused("Insufficient privileges, or no such record");
      case "SEARCH":
        if (String(params.searchString ?? "").length < 3) return refused("searchString needs 3 characters");
        searched(params.searchString);
        return done();
      case "NEW_RECORD_MODAL":
        if (typeof params.entityName !== "string") return refused("entityName is required");
        openModal(params.entityName, params.defaultFieldValues ?? defaultFieldValues ?? {});
        return done();
      default:
        return refused(`type ${type} is not valid`);
    }
  },
};

async function refresh() {
  const id = one("view").dataset.record;
  const record = id === undefined ? null : await get(`/fake/records/${id}`);
  if (record !== null) show(record);
  return done();
}

addEventListener("message", async (event) => {
  if (event.source !== frame.contentWindow || event.origin !== softphone || event.data?.openCti !== true) return;
  const { id, method, argument } = event.data;
  happened.push({ method, argument });
  const reply = method in METHODS ? await METHODS[method](argument) : refused(`${method} is unknown`);
  event.source.postMessage({ openCti: true, id, reply }, softphone);
});

// ── begin ────────────────────────────────────────────────────────────────────────────────────────────────────────────

one("utility-item").addEventListener("click", () => {
  const { dataset } = one("phone");
  dataset.visible = String(dataset.visible !== "true");
});

(async () => {
  const asked = new URL(location.href).searchParams;
  await list();
  const [, record] = /^\/lightning\/r\/\w+\/(\w+)\//.exec(location.pathname) ?? [];
  if (record !== undefined) await openRecord(record);
  frame.style.width = `${asked.get("width") ?? settings.width}px`;
  frame.style.height = `${settings.height}px`;
  const adapter = new URL(settings.adapter);
  softphone = adapter.origin;
  // A plain frame, such as a utility item of the administrator's own, knows nothing of Open CTI.
  if (!asked.has("plain")) {
    adapter.searchParams.set("isdtp", "p1");
    adapter.searchParams.set("sfdcIFrameOrigin", location.origin);
    adapter.searchParams.set("sfdcIFrameHost", "web");
  } else one("phone").dataset.visible = "true";
  if (asked.has("language")) adapter.searchParams.set("language", asked.get("language"));
  frame.src = adapter.href;
})();
