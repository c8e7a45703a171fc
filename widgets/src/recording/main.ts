// The page that plays one recording; a call log in the CRM links to it.
import { browserPorts } from "../live/ports.js";
import { languageFrom } from "../terms/language.js";
import "./cti-recording-define.js";
import { Listening } from "./listening.js";

const page = new URL(location.href);
const listening = new Listening(browserPorts(), {
  base: new URL("..", page).href,
  language: languageFrom(page.searchParams.get("language"), ...navigator.languages),
  recording: page.searchParams.get("id"),
});

function tellPage(): void {
  document.documentElement.lang = listening.language;
  document.title = `${listening.words.title} - ${listening.terms.product}`;
}

listening.listen({ onChange: tellPage });
tellPage();
const element = document.querySelector("cti-recording");
if (element !== null) element.desk = listening;
listening.start();
