// Every English word of the plug-in: the question about opening a record, and the settings screen.

export const en = {
  language: "en",

  openTitle: "Open the caller’s record?",
  openEditing: "You are editing here, so this tab stays as it is.",
  openBlocked: "The browser did not let a new tab open. Allow pop-ups for kintone, or open it here:",
  openHere: "In this tab",
  openNew: "In a new tab",
  openNot: "Not now",
  openWay: "When you take a call, open the caller’s record",
  openWayAsk: "after asking",
  openWayHere: "in this tab",
  openWayNew: "in a new tab",
  openSettings: "How the caller’s record opens",
  close: "Close",

  heading: "CTI Bridge",
  lead: "Shows who calls, dials with a click, and keeps the call log in kintone.",
  address: "Address of the bridge",
  addressHint: "For example https://cti.example.co.jp",
  signIn: "How agents sign in to the panel",
  signInVouched: "kintone vouches for its user",
  signInVouchedHint:
    "No second password. The bridge believes which user the browser names; the secret proves only that it is this kintone. The user’s e-mail address in kintone must be the agent’s on the bridge.",
  signInOwn: "Agents sign in with their own password",
  signInOwnHint:
    "Once a day, in the panel. When it must be certain who takes calls and writes logs, choose this and leave CTI_EMBED_SECRET of the bridge empty.",
  secret: "Secret (CTI_EMBED_SECRET of the bridge)",
  secretHint: "Kept by kintone’s servers; users of the app cannot read it.",
  secretKept: "A secret is saved. Type only to change it.",
  phones: "Fields with telephone numbers",
  phonesHint: "Get a call button on list, detail and mobile screens. Fields inside tables cannot have one.",
  phonesNone: "This app has no text or link field.",
  phone: "Field",
  kind: "Type",
  kindText: "Text",
  kindCall: "Link (phone)",
  kindLink: "Link",
  normalised: "Fill on save with the number as +81…",
  normalisedHint: "A text field of its own finds callers fastest and surest, however the number is typed.",
  normalisedFor: (field: string) => `${field}: fill on save`,
  nothing: "(none)",
  title: "Field that names a record",
  titleHint: "Stands in “Relate this call to …” on the panel.",
  place: "Where the panel sits",
  placeHint: "Until an agent moves it.",
  placeRight: "Right edge",
  placeLeft: "Left edge",
  placeBottomRight: "Bottom right",
  placeBottomLeft: "Bottom left",
  region: "Country of numbers without a country code",
  regionHint: "Two letters, the same as CTI_REGION of the bridge.",
  test: "Test the connection",
  testing: "Testing…",
  save: "Save",
  cancel: "Cancel",
  after: "After saving, press “Update App” in the app’s settings.",
  lost: (codes: string) => `These fields are not in the app any more and are dropped when you save: ${codes}`,
  fieldsFailed: "The app’s fields could not be read. Reload this page.",

  addressEmpty: "Write the address of the bridge.",
  addressUnreadable: "This does not read like an address. Write it like https://cti.example.co.jp",
  addressHttp: "Use https. With http, customers’ numbers would travel in the clear.",
  secretEmpty: "Write the secret, or let agents sign in with their own password.",
  regionWrong: "Write the country as two capital letters, such as JP.",
  normalisedIsPhone: (field: string) =>
    `“${field}” is a telephone field itself and cannot be filled. Choose a text field of its own.`,
  normalisedTwice: (field: string) => `“${field}” is to be filled from two fields. Choose another for one of them.`,

  tryReached: "kintone’s servers reach the bridge.",
  tryUnreachable:
    "kintone’s servers cannot reach this address. Is it right, is the bridge running, and is it open to the internet? (kintone’s servers make this request, not your browser.)",
  tryNotOurs: "Something answers at this address, but it is not the bridge. Check the address, and any path at its end.",
  tryOrigin: (origin: string) =>
    `The bridge does not let this kintone show the panel. Add ${origin} to CTI_EMBED_ORIGINS and restart the bridge.`,
  tryOriginGood: "The panel may be shown in this kintone.",
  tryWrongSecret: "The secret is not the bridge’s. Copy CTI_EMBED_SECRET once more.",
  tryVouchingOff: "The bridge has no CTI_EMBED_SECRET. Set one there, or let agents sign in with their own password.",
  trySecretGood: "The secret is right.",
  tryNobody: (email: string) =>
    `The secret is right. You yourself (${email}) are no agent on the bridge; whoever takes calls must be one, with the e-mail address they have in kintone.`,
  tryNoEmail: "no e-mail address in kintone",
  tryRefused: (status: number) => `The bridge refused to give a ticket (status ${status}). Its log says why.`,
};

export type KintoneTerms = {
  readonly [Key in keyof typeof en]: (typeof en)[Key] extends (...args: infer Args) => string
    ? (...args: Args) => string
    : string;
};
