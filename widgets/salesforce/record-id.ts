// Salesforce's record ids: the short form that people see made into the long one that the API speaks, and ids found in links.

const ID = /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/;
const CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const RECORD_PAGE = /^\/lightning\/r\/(?:\w+\/)?([a-zA-Z0-9]{15,18})(?:\/view)?\/?$/;
const BARE_PAGE = /^\/([a-zA-Z0-9]{15,18})$/;

/** The 18 characters of a record's id, also of its 15 that differ by case only; null for anything else. */
export function fullId(text: unknown): string | null {
  if (typeof text !== "string" || !ID.test(text)) return null;
  const short = text.slice(0, 15);
  // Each of the last three characters tells which of five letters are capitals.
  const check = [0, 5, 10].map((start) => {
    const capitals = [...short.slice(start, start + 5)].map((letter) => (/[A-Z]/.test(letter) ? 1 : 0));
    return CHECK[capitals.reduce<number>((sum, capital, at) => sum + capital * 2 ** at, 0)];
  });
  return short + check.join("");
}

/** The record that a link opens, if it leads to a record page of one of these origins. */
export function recordOfLink(href: string, origins: readonly string[]): string | null {
  let link: URL;
  try {
    link = new URL(href);
  } catch {
    return null;
  }
  if (!origins.includes(link.origin)) return null;
  const found = RECORD_PAGE.exec(link.pathname) ?? BARE_PAGE.exec(link.pathname);
  return fullId(found?.[1]);
}
