// The outside world: puts its parts together and hands each the state. Who calls, what rings, what goes wrong.
import { byId } from "./dom.js";
import { CallForm } from "./call-form.js";
import { drawCalls } from "./calls.js";
import { drawSignIn } from "./sign-in.js";
import { Mischief } from "./mischief.js";
import { WeatherControl } from "./weather.js";
import { language, words } from "./words.js";

export class World {
  #cast;
  #mischief = new Mischief(byId("webhooks"));
  #weather = new WeatherControl(byId("weather"));

  constructor(scene) {
    this.#cast = new Cast(scene);
    drawSignIn(byId("sign-in"), scene.agents);
    new CallForm(byId("call"), scene);
  }

  show(state) {
    drawCalls(byId("calls"), state, this.#cast);
    this.#mischief.show(state);
  }

  showWeather(weather) {
    this.#weather.show(weather);
  }
}

/** Names for the numbers that play along. */
export class Cast {
  #agents;
  #lines;
  #callers;

  constructor({ agents, lines, callers }) {
    this.#agents = new Map(agents.map((agent) => [agent.phone, agent]));
    this.#lines = new Map(lines.map((line) => [line.number, line]));
    this.#callers = new Map(callers.map((caller) => [caller.number, caller]));
  }

  agent(number) {
    return this.#agents.get(number)?.name.split(/\s/)[0] ?? null;
  }

  line(number) {
    return this.#lines.get(number)?.name ?? number;
  }

  /** An outside party: label and number as people read it. */
  party(number) {
    if (number === "+266696687" || number === "anonymous") return words.withheldShort;
    const caller = this.#callers.get(number);
    return caller === undefined ? number : `${caller[language].replace(/[（(].*$/, "").trim()} ${caller.display}`;
  }
}
