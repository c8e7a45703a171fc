// The plug-in's words in the language of kintone's user.
import type { Language } from "../../src/protocol.js";
import { languageFrom } from "../../src/terms/language.js";
import type { Kintone } from "./kintone.js";
import { en, type KintoneTerms } from "./terms/en.js";
import { ja } from "./terms/ja.js";

export const TERMS: Readonly<Record<Language, KintoneTerms>> = { ja, en };

/** kintone's user chooses a language there; one that we do not speak gives English. */
export function languageOf(kintone: Kintone): Language {
  return languageFrom(kintone.getLoginUser().language, "en");
}
