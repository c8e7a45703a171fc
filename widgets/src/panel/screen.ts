// What the desk knows of the CRM's page around the panel: the record it shows, and what it can do for the agent.
import type { Call } from "../protocol.js";

/** The record that the CRM's page shows beside the panel. */
export interface ScreenRecord {
  readonly id: string;
  readonly title: string;
  /** The CRM's own name for what it is, for instance "Case". */
  readonly kind?: string;
}

/** What a CRM's page can do when the agent asks it to, beyond holding the panel; null where it cannot. */
export interface ScreenOffers {
  /** The CRM's name, for buttons: "Salesforce". */
  readonly name: string;
  readonly search: ((call: Call) => void) | null;
  readonly create: ((call: Call) => void) | null;
}
