// Which language to speak: what was asked for, else the page's, else the browser's, else English.
import type { Language } from "../protocol.js";

/** The first of these tags (such as "ja-JP", "auto", "", null) that names a language we speak. */
export function languageFrom(...tags: readonly (string | null | undefined)[]): Language {
  for (const tag of tags) {
    const primary = tag?.trim().toLowerCase().split(/[-_]/)[0];
    if (primary === "ja" || primary === "en") return primary;
  }
  return "en";
}
