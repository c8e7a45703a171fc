// The stand-in CRM: which of its screens is shown, and fetching what is on it. Drawing a record is in record.js.
import { byId, draw, el } from "./dom.js";
import { drawRecord } from "./record.js";
import { ask, attempt } from "./server.js";
import { clock, language, when, words } from "./words.js";

const PAUSE = 150;

export class Crm {
  #open = new URLSearchParams(location.search).get("open") ?? "";
  #timer = null;
  #seen = null;

  async start() {
    const search = byId("search");
    search.placeholder = words.searchHint;
    search.addEventListener("input", () => this.#soon());
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => this.#view(button.dataset.view));
    }
    addEventListener("popstate", () => this.#go(new URLSearchParams(location.search).get("open") ?? ""));
    if (this.#open.startsWith("activity:")) this.#view("logs");
    await this.#load();
  }

  /** The bridge wrote something; perhaps something that is on the screen. */
  refresh() {
    this.#soon();
  }

  /** Shows this customer. */
  open(id) {
    if (id !== this.#open) history.pushState(null, "", `?open=${id}`);
    this.#go(id);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void attempt(() => this.#load()), PAUSE);
  }

  async #load() {
    const query = encodeURIComponent(byId("search").value);
    const [{ customers }, { calls }] = await Promise.all([ask(`/crm/customers?q=${query}`), ask("/crm/calls")]);
    if (this.#open === "" && customers.length > 0) this.#open = customers[0].id;
    this.#drawList(customers);
    this.#drawLogs(calls);
    const { record, id } = await this.#record();
    if (id === this.#open) drawRecord(byId("record"), record, (target) => this.#link(target));
  }

  async #record() {
    const id = this.#open;
    if (!/^(contact|company):\d+$/.test(id)) return { record: null, id };
    return { record: await ask(`/crm/customers/${id}?lang=${language}`).catch(() => null), id };
  }

  #drawList(customers) {
    const shown = { customers, open: this.#open };
    draw(byId("list"), shown, () =>
      customers.length === 0
        ? [el("li", { class: "quiet nobody" }, words.nobody)]
        : customers.map((one) => {
            const link = this.#link({ id: one.id, name: one.name });
            link.dataset.key = one.id;
            if (one.id === this.#open) link.setAttribute("aria-current", "true");
            link.append(el("span", { class: "under" }, one.company || one.reading));
            return el("li", {}, link);
          }),
    );
  }

  #drawLogs(calls) {
    const fresh = this.#seen === null ? [] : calls.filter((call) => !this.#seen.has(call.id)).map((call) => call.id);
    this.#seen = new Set(calls.map((call) => call.id));
    byId("log-count").textContent = calls.length === 0 ? "" : String(calls.length);
    draw(byId("log-list"), { calls, open: this.#open }, () =>
      calls.length === 0
        ? [el("li", { class: "quiet" }, words.noLogs)]
        : calls.map((call) => this.#log(call, fresh.includes(call.id) || call.id === this.#open)),
    );
  }

  #log(call, marked) {
    return el(
      "li",
      { class: marked ? "log fresh" : "log", "data-test": "crm-log", "data-call": call.call_id },
      el(
        "p",
        { class: "first" },
        el("strong", { "data-test": "log-title" }, call.title),
        el("time", { datetime: call.at }, when(call.at)),
      ),
      el(
        "p",
        { class: "facts" },
        el("span", { "data-test": "log-customer" }, call.customer ? this.#link(call.customer) : words.noCustomer),
        el("span", {}, [call.line, call.agent].filter(Boolean).join(" · ")),
        call.talk_seconds > 0 ? el("span", {}, words.talked(clock(call.talk_seconds))) : null,
        call.disposition ? el("span", { class: "tag", "data-test": "log-disposition" }, call.disposition) : null,
      ),
      call.note ? el("p", { class: "note", "data-test": "log-note" }, call.note) : null,
    );
  }

  #link({ id, name }) {
    const follow = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(id);
    };
    return el("a", { href: `?open=${id}`, "data-record": id, onclick: follow }, name);
  }

  #go(id) {
    this.#open = id;
    this.#view("customers");
    void attempt(() => this.#load());
  }

  #view(view) {
    byId("customers").hidden = view !== "customers";
    byId("logs").hidden = view !== "logs";
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
  }
}
