// Telephone numbers as the bridge stores them: what people typed, to E.164. Agrees with cti_bridge/phone.py (tests/kintone/numbers.json).
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { KintoneRecord } from "./kintone.js";
import type { PhoneField } from "./settings.js";

const HYPHENS = /[\u2010-\u2015\u2212\u2500\u30fc\u301c\uff5e\ufe63\u00ad~]/gu;
const EXTENSION = /[([]?\s*(内線|內線|内|ext\.?|x|#)\s*[:.]?\s*\d{1,7}\s*[)\]]?\s*$/iu;
// （代）, … 直通, … (office)
const REMARK = /\s*(\([^()\d]*\)|\[[^[\]\d]*\]|(?:(?![\x00-\x7f])[\p{L}\p{Nl}\p{No}])+)\s*$/u;
const INVISIBLE = /[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/gu;
const LONGEST_TEXT = 200;
const LONGEST_NUMBER = 40;
const FEWEST_DIGITS = 7;
/** What stands in a normalised field: a number in E.164, or nothing. */
const OURS = /^(\+[0-9]{7,15})?$/;

/** "０３－１２３４－５６７８ 内線12" becomes "+81312345678"; null for what is no telephone number. */
export function e164(text: string, region: CountryCode): string | null {
  if (text.length > LONGEST_TEXT) return null;
  const tidy = text
    .normalize("NFKC")
    .replace(INVISIBLE, "")
    .replace(HYPHENS, "-")
    .replace(EXTENSION, "")
    .replace(REMARK, "")
    .trim();
  if (tidy.length > LONGEST_NUMBER || (tidy.match(/\p{Nd}/gu) ?? []).length < FEWEST_DIGITS) return null;
  const number = parsePhoneNumberFromString(tidy, { defaultCountry: region });
  if (number === undefined || !number.isPossible()) return null;
  // Numbering plans newer than the library's data: believed only when written with their country code.
  if (!number.isValid() && !tidy.startsWith("+")) return null;
  return number.number;
}

/**
 * Fills the normalised field of every phone field that has one; an empty or unreadable number empties it. A field that
 * holds anything else was chosen by mistake and is somebody's own: it stays as it is.
 */
export function fillNormalised(record: KintoneRecord, phones: readonly PhoneField[], region: CountryCode): void {
  for (const { code, normalised } of phones) {
    const typed = record[code];
    const target = normalised === null ? undefined : record[normalised];
    // A field that this user may not see is not in the record; what it holds stays.
    if (typed === undefined || target === undefined) continue;
    if (typeof target.value === "string" && !OURS.test(target.value.trim())) continue;
    target.value = e164(typeof typed.value === "string" ? typed.value : "", region) ?? "";
  }
}
