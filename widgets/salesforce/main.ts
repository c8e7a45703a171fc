// The phone page in Salesforce: the panel's page, joined to Open CTI where this org and frame have it, to plain links where not.
import { browserPorts } from "../src/live/ports.js";
import { desk, origins, panel } from "../src/panel/main.js";
import { type Facts, originOf, readFacts } from "./facts.js";
import { Join } from "./join.js";
import { Lead } from "./lead.js";
import { openCti } from "./open-cti.js";
import { plainSurface } from "./plain.js";
import type { Surface } from "./surface.js";

const facts = readFacts(document.querySelector<HTMLMetaElement>('meta[name="cti-facts"]')?.content ?? null);

async function findSurface(known: Facts | null): Promise<Surface> {
  if (known === null) return plainSurface(window, known);
  try {
    return await openCti(window, known, origins);
  } catch (error) {
    // For the administrator who looks: an agent can work without it.
    console.warn("cti-bridge: working without Open CTI.", error instanceof Error ? error.message : error);
    return plainSurface(window, known);
  }
}

const surface = await findSurface(facts);
document.documentElement.dataset["surface"] = surface.kind;
let join: Join | null = null;
const lead = new Lead(new URL("..", location.href).href, browserPorts(), window, () => join?.led());
join = new Join(desk, surface, lead);
if (panel !== null) {
  const pages = [...origins, facts?.org, facts?.lightning].map(originOf).filter((origin) => origin !== null);
  join.openInside(panel, pages);
  panel.addEventListener("cti-collapse", () => surface.show(false));
}
window.addEventListener("pagehide", (event) => {
  if (!event.persisted) lead.close();
});
