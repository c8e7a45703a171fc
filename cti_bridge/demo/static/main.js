// Starts the page: words, CRM, outside world, and the stream that keeps all of it fresh.
import { Crm } from "./crm.js";
import { makeRoom } from "./room.js";
import { ask, attempt, listen } from "./server.js";
import { speak } from "./words.js";
import { World } from "./world.js";

speak();
makeRoom();
const crm = new Crm();
// The screen pop proper, as any CRM page can do it: once the agent talks with somebody, that record opens.
document.addEventListener("cti-bridge:call", ({ detail }) => {
  if (detail.phase === "talking" && detail.contactId !== null) crm.open(detail.contactId);
});
await attempt(async () => {
  const world = new World(await ask("/scene"));
  listen({
    world: (state) => world.show(state),
    weather: (weather) => world.showWeather(weather),
    crm: () => crm.refresh(),
  });
  await crm.start();
});
