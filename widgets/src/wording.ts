// Moments, ages, durations and callers in the agent's language and time zone; safe links. Everything through Intl.
import type { Call, Caller, Language, Moment } from "./protocol.js";
import type { Terms } from "./terms/terms.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "1:05", or "1:02:05" from an hour on: how long between two moments, never negative. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** "3 days ago", "3 日前"; also the future. `now` in milliseconds of the server's clock. */
export function age(moment: Moment, now: number, language: Language): string {
  const apart = Date.parse(moment) - now;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const size = Math.abs(apart);
  if (size < HOUR) return format.format(Math.round(apart / MINUTE), "minute");
  if (size < DAY) return format.format(Math.round(apart / HOUR), "hour");
  if (size < 45 * DAY) return format.format(Math.round(apart / DAY), "day");
  if (size < 365 * DAY) return format.format(Math.round(apart / (30 * DAY)), "month");
  return format.format(Math.round(apart / (365 * DAY)), "year");
}

/** "14:05" today, else "21 Nov, 14:05", with the year when it is another one. */
export function when(moment: Moment, now: number, language: Language): string {
  const date = new Date(moment);
  const today = new Date(now);
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  if (date.toDateString() === today.toDateString()) return new Intl.DateTimeFormat(language, time).format(date);
  const day = { day: "numeric", month: "short" } as const;
  const sameYear = date.getFullYear() === today.getFullYear();
  return new Intl.DateTimeFormat(language, { ...day, ...time, ...(sameYear ? {} : { year: "numeric" }) }).format(date);
}

/** The number as people write it, or the word for having none. */
export function callerText(caller: Caller, terms: Terms): string {
  if (caller.kind === "withheld") return terms.withheld;
  if (caller.kind === "unreadable") return caller.display === "" ? terms.unreadable : caller.display;
  return caller.display === "" ? (caller.number ?? terms.unreadable) : caller.display;
}

/** The chosen contact's name if there is one, else the number. */
export function whoText(call: Call, terms: Terms): string {
  return call.choice?.contact.name ?? callerText(call.caller, terms);
}

/** The address if a click on it can only open a page: CRM data must not smuggle in javascript: or data: links. */
export function safeLink(url: string | null): string | null {
  if (url === null || url === "") return null;
  try {
    const address = new URL(url, globalThis.location?.href);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}
