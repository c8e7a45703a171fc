// Calls the agent's attention to the host's tab: a mark in its title while it rings, and desktop notifications while it is hidden.
import type { NotificationState } from "../messages.js";

const MARK = "☎ ";

/** Puts the mark before whatever title the page has, and takes only the mark away again. */
export function markTitle(page: Document, ringing: boolean): void {
  const marked = page.title.startsWith(MARK);
  if (ringing && !marked) page.title = MARK + page.title;
  if (!ringing && marked) page.title = page.title.slice(MARK.length);
}

export function notificationState(): NotificationState {
  return "Notification" in globalThis ? Notification.permission : "unsupported";
}

/** Within the agent's click in the panel, which counts as a click in this page too. */
export async function askForNotifications(): Promise<NotificationState> {
  if (!("Notification" in globalThis)) return "unsupported";
  try {
    return await Notification.requestPermission();
  } catch {
    return notificationState();
  }
}

/** A frame from another origin cannot show notifications; so the host's page does, on its own name. */
export function notify(title: string, body: string, tag: string, onClick: () => void): void {
  if (!document.hidden || notificationState() !== "granted") return;
  try {
    const notification = new Notification(title, { body, tag: `cti-bridge:${tag}` });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
      onClick();
    });
  } catch {
    // Android's Chrome has the constructor and refuses it; there the ring is heard, not shown.
  }
}
