// The surface without Open CTI: the same page in a utility bar, or in any frame. It opens Salesforce's pages by their address, in a tab of their own.
import type { Facts } from "./facts.js";
import type { RecordPlace, Surface } from "./surface.js";

/**
 * What browsers allow a page in somebody else's frame: to open a tab right after the agent touched it (a click, a key), and
 * nothing before. So a ring cannot bring the record up by itself here; the card's link does, and so does picking a contact.
 */
export function plainSurface(view: Window, facts: Facts | null): Surface {
  const open = (address: string): void => {
    if (!touched(view)) return;
    // The new page gets no hold on this one, and the other way round.
    view.open(address, "_blank", "noopener,noreferrer");
  };
  return {
    kind: "plain",
    show: () => undefined,
    label: () => undefined,
    openRecord: async ({ url, asked }: RecordPlace) => {
      if (url !== null && asked) open(url);
    },
    openSearch: null,
    openNewRecord: facts === null ? null : async (number) => open(newRecord(facts, number)),
    refresh: () => undefined,
    onDial: () => undefined,
    onNavigate: () => undefined,
  };
}

/** True for a few seconds after a click or key in this page. Unknown in old browsers: then it stays with the links. */
const touched = (view: Window): boolean =>
  (view.navigator.userActivation as UserActivation | undefined)?.isActive === true;

/** Default values travel in the address: https://developer.salesforce.com/docs/platform/lwc/guide/use-navigate-default.html */
function newRecord({ lightning, entity }: Facts, number: string): string {
  const values = encodeURIComponent(`Phone=${encodeURIComponent(number)}`);
  return `${lightning}/lightning/o/${entity}/new?defaultFieldValues=${values}`;
}
