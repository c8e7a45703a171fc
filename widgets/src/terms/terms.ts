// The panel's words in each language.
import type { Language } from "../protocol.js";
import { en, type Terms } from "./en.js";
import { ja } from "./ja.js";

export type { Terms };
export const TERMS: Readonly<Record<Language, Terms>> = { ja, en };
