// kintone's published JavaScript API, as documented: what works on which screen, and what is refused.
// https://cybozu.dev/ja/kintone/docs/js-api/
"use strict";
{
  const facts = window.fakeFacts;
  const handlers = [];
  // The screen in view: "list", "detail", "create", "edit" or "settings". screens.js changes it.
  const state = { screen: facts.kind === "settings" ? "settings" : null, elements: {}, fields: null };

  /** Handlers of an event in their order; what the last one gives back counts; false stops. */
  async function fire(type, more) {
    let event = { type, appId: facts.app, ...more };
    for (const [known, handler] of handlers) {
      if (known !== type) continue;
      const result = await handler(event);
      if (result === false) return false;
      event = result;
    }
    return event;
  }

  const listed = (mobile) => ({
    getId: () => facts.app,
    getFieldElements: (code) => {
      if ((facts.kind === "mobile") !== mobile || state.screen !== "list") return null;
      return state.elements[code] ?? null;
    },
    record: {
      getId: () => state.record ?? null,
      getFieldElement: (code) => {
        if ((facts.kind === "mobile") !== mobile || state.screen !== "detail") return null;
        return state.elements[code]?.[0] ?? null;
      },
    },
  });

  async function ask(plugin, url, method, headers, data) {
    if (!["GET", "POST", "PUT", "DELETE"].includes(method)) throw `The method ${method} is not allowed.`;
    const body = JSON.stringify({ plugin, app: facts.app, url, method, headers, data });
    const answer = await fetch("/fake/proxy", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!answer.ok) throw await answer.text();
    return (await answer.json()).answer;
  }

  const onlyInSettings = (what) => {
    if (facts.kind !== "settings") throw new Error(`${what} can be used on the plug-in's settings screen only.`);
  };
  const put = (path, body) =>
    fetch(path, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const toList = () => location.assign(`/k/admin/app/${facts.app}/plugin/`);

  window.fakeKintone = { facts, state, fire };
  window.kintone = {
    events: {
      on: (types, handler) => {
        for (const type of [types].flat()) handlers.push([type, handler]);
      },
    },
    app: {
      ...listed(false),
      getFormFields: async () => (await (await fetch(`/k/v1/app/form/fields.json?app=${facts.app}`)).json()).properties,
    },
    mobile: { app: listed(true) },
    getLoginUser: () => ({ ...facts.user }),
    proxy: (...asked) => ask(null, ...asked),
    plugin: {
      app: {
        getConfig: (id) => (id === facts.plugin && facts.config ? { ...facts.config } : null),
        setConfig: (config, done) => {
          onlyInSettings("setConfig");
          for (const [key, value] of Object.entries(config)) {
            if (typeof value !== "string" || !/^[\x20-\x7e]+$/.test(key)) throw new Error(`${key}: only texts can be saved.`);
          }
          void put(`/fake/config/${facts.app}`, config).then(done ?? toList);
        },
        proxy: async (id, ...asked) => {
          if (facts.kind === "settings") throw "plugin.app.proxy cannot be used on the settings screen.";
          if (id !== facts.plugin) throw "There is no such plug-in.";
          return ask(id, ...asked);
        },
        setProxyConfig: (url, method, headers, data, done) => {
          onlyInSettings("setProxyConfig");
          facts.proxies[`${method} ${url}`] = { headers, data };
          void put(`/fake/proxy-config/${facts.app}`, { url, method, headers, data }).then(done ?? toList);
        },
        getProxyConfig: (url, method) => facts.proxies[`${method} ${url}`] ?? null,
      },
    },
  };
}
