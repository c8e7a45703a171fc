// The settings screen: shows the form, tests what it says, and hands it to kintone; the secret to the proxy's own store, where no user reads it.
import { ConfigForm } from "./config-form.js";
import type { Kintone } from "./kintone.js";
import { readSettings, SECRET_HEADER, type Settings, ticketAddress, writeSettings } from "./settings.js";
import { tryBridge } from "./trial.js";
import { languageOf, TERMS } from "./words.js";

export async function showConfig(kintone: Kintone, pluginId: string, place: HTMLElement): Promise<void> {
  const terms = TERMS[languageOf(kintone)];
  place.lang = terms.language;
  const heading = document.createElement("h2");
  heading.textContent = terms.heading;
  const lead = document.createElement("p");
  lead.className = "lead";
  lead.textContent = terms.lead;
  place.replaceChildren(heading, lead);
  let fields: Awaited<ReturnType<Kintone["app"]["getFormFields"]>>;
  try {
    fields = await kintone.app.getFormFields();
  } catch {
    lead.textContent = terms.fieldsFailed;
    return;
  }
  const saved = readSettings(kintone.plugin.app.getConfig(pluginId));
  const kept = saved === null ? "" : keptSecret(kintone, saved.bridge);
  const form = new ConfigForm(terms, { fields: Object.values(fields), saved, secretKept: kept !== "" });
  place.append(form.form);

  form.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const read = form.read();
    if ("problems" in read) form.show(read.problems.map((text) => ({ level: "bad", text })));
    else void save(kintone, saved, read.settings, read.secret || kept);
  });
  onClick(form.form, "cancel", () => history.back());
  onClick(form.form, "test", (button) => void test(button));

  async function test(button: HTMLButtonElement): Promise<void> {
    const { address, vouch, secret } = form.tried;
    button.disabled = true;
    form.show([{ level: "note", text: terms.testing }]);
    form.show(await tryBridge({ address, secret: vouch ? secret || kept : null }, kintone, terms, window));
    button.disabled = false;
  }
}

/** Only the settings screen, and with it the app's administrators, may read it. */
function keptSecret(kintone: Kintone, bridge: string): string {
  return kintone.plugin.app.getProxyConfig(ticketAddress(bridge), "POST")?.headers[SECRET_HEADER] ?? "";
}

/** kintone goes back to the list of plug-ins when the last step is done. */
async function save(kintone: Kintone, before: Settings | null, settings: Settings, secret: string): Promise<void> {
  const store = (bridge: string, headers: object): Promise<void> =>
    new Promise((done) => {
      kintone.plugin.app.setProxyConfig(ticketAddress(bridge), "POST", headers, {}, done);
    });
  // Stored secrets cannot be deleted, but emptied: none stays behind for an address that is no longer ours.
  if (before !== null && before.bridge !== settings.bridge) await store(before.bridge, {});
  await store(settings.bridge, settings.vouch ? { [SECRET_HEADER]: secret } : {});
  kintone.plugin.app.setConfig(writeSettings(settings));
}

function onClick(form: HTMLFormElement, test: string, act: (button: HTMLButtonElement) => void): void {
  const button = form.querySelector<HTMLButtonElement>(`button[data-test="${test}"]`);
  button?.addEventListener("click", () => act(button));
}
