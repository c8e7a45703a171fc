// kintone's JavaScript API in memory: one screen at a time, and it refuses what the real one refuses on that screen.
import type {
  Kintone,
  KintoneAnswer,
  KintoneEvent,
  KintoneFormField,
  KintoneRecord,
  KintoneStoredProxy,
} from "../../kintone/src/kintone.js";

export const PLUGIN = "nlkbikljecmjgpbmiajepjckachicfni";
type Screen = "list" | "detail" | "create" | "edit" | "settings";

interface Proxied {
  readonly through: "plug-in" | "script";
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

export class FakeKintone implements Kintone {
  screen: Screen = "list";
  language = "ja";
  email = "hanako@example.com";
  config: Record<string, string> | null = null;
  formFields: Record<string, KintoneFormField> = {};
  elements: Record<string, HTMLElement[] | null> = {};
  readonly proxied: Proxied[] = [];
  /** What was saved, in order: ["proxy", url] and ["config"]. */
  readonly saved: string[] = [];
  readonly stored = new Map<string, KintoneStoredProxy>();
  answer: (asked: Proxied) => KintoneAnswer | Promise<KintoneAnswer> = () => ["", 404, {}];
  readonly #handlers: [string, (event: KintoneEvent) => unknown][] = [];

  readonly $PLUGIN_ID = PLUGIN;

  readonly events: Kintone["events"] = {
    on: (types, handler) => {
      for (const type of typeof types === "string" ? [types] : types) this.#handlers.push([type, handler]);
    },
  };

  /** What kintone saves or shows: the last handler's event, or the one before when it gave nothing back. */
  fire(type: string, more: Partial<KintoneEvent> = {}): KintoneEvent | false {
    let event: KintoneEvent = { type, appId: 27, ...more };
    for (const [known, handler] of this.#handlers) {
      if (known !== type) continue;
      const result = handler(event);
      if (result === false) return false;
      if (result !== undefined) event = result as KintoneEvent;
    }
    return event;
  }

  get listened(): readonly string[] {
    return this.#handlers.map(([type]) => type);
  }

  readonly #app: Kintone["mobile"]["app"] = {
    getId: () => 27,
    getFieldElements: (code) => (this.screen === "list" ? (this.elements[code] ?? null) : null),
    record: {
      getFieldElement: (code) => (this.screen === "detail" ? (this.elements[code]?.[0] ?? null) : null),
    },
  };

  readonly app: Kintone["app"] = { ...this.#app, getFormFields: () => Promise.resolve(this.formFields) };
  readonly mobile = { app: this.#app };

  getLoginUser(): ReturnType<Kintone["getLoginUser"]> {
    return { code: "hanako", name: "鈴木 花子", email: this.email, language: this.language };
  }

  async proxy(url: string, method: string, headers: object, data: object | string): Promise<KintoneAnswer> {
    return this.#ask({ through: "script", url, method, headers: { ...headers }, data });
  }

  readonly plugin: Kintone["plugin"] = {
    app: {
      getConfig: (id) => (id === PLUGIN ? this.config : null),
      setConfig: (config) => {
        this.#onlyInSettings("setConfig");
        for (const [key, value] of Object.entries(config)) {
          if (typeof value !== "string" || /[^ -~]/.test(key)) throw new Error(`kintone refuses the value of ${key}`);
        }
        this.config = config;
        this.saved.push("config");
      },
      proxy: async (id, url, method, headers, data) => {
        if (this.screen === "settings") throw "the plug-in's proxy does not work on the settings screen";
        if (id !== PLUGIN) throw "no such plug-in";
        const stored = [...this.stored]
          .filter(([key]) => `${method} ${url}`.startsWith(key))
          .sort(([one], [other]) => other.length - one.length)[0]?.[1];
        return this.#ask({ through: "plug-in", url, method, headers: { ...headers, ...stored?.headers }, data });
      },
      setProxyConfig: (url, method, headers, data, done) => {
        this.#onlyInSettings("setProxyConfig");
        this.stored.set(`${method} ${url}`, { headers: { ...headers }, data: { ...data } });
        this.saved.push(`proxy ${url}`);
        done?.();
      },
      getProxyConfig: (url, method) =>
        this.screen === "settings" ? (this.stored.get(`${method} ${url}`) ?? null) : null,
    },
  };

  async #ask(asked: Proxied): Promise<KintoneAnswer> {
    if (!["GET", "POST", "PUT", "DELETE"].includes(asked.method)) throw `no such method: ${asked.method}`;
    this.proxied.push(asked);
    return this.answer(asked);
  }

  #onlyInSettings(what: string): void {
    if (this.screen !== "settings") throw new Error(`${what} works on the settings screen only`);
  }
}

/** A record as kintone's events carry it. */
export function record(id: number, values: Record<string, string> = {}): KintoneRecord {
  const fields = Object.entries(values).map(([code, value]) => [code, { type: "SINGLE_LINE_TEXT", value }]);
  return { $id: { type: "__ID__", value: String(id) }, ...Object.fromEntries(fields) };
}

/** An element such as kintone's, with a number in it, on the page. */
export function cell(text: string): HTMLElement {
  const made = document.createElement("div");
  made.textContent = text;
  document.body.append(made);
  return made;
}
