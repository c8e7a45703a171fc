// Plays Salesforce's own Open CTI script for Lightning: the documented methods, over postMessage to the page that the address names.
// Written from the documentation alone: https://developer.salesforce.com/docs/service/api-cti/guide/
(() => {
  const host = new URL(location.href).searchParams.get("sfdcIFrameOrigin");
  if (host === null || parent === window) {
    throw "Failed to initialize Open CTI. Ensure that it is loaded from the right frame with correct URL parameters";
  }
  const waiting = new Map();
  const listeners = new Map();
  let last = 0;

  addEventListener("message", (event) => {
    if (event.origin !== host || event.source !== parent || event.data?.openCti !== true) return;
    const { id, reply, name, payload } = event.data;
    if (reply !== undefined) {
      waiting.get(id)?.(reply);
      waiting.delete(id);
    } else for (const hear of listeners.get(name) ?? []) hear(payload);
  });

  const ask = (method) => (argument = {}) => {
    const { callback, ...rest } = argument;
    last += 1;
    if (typeof callback === "function") waiting.set(last, callback);
    // Salesforce restricts the target to itself: nobody else who holds the frame gets the message.
    parent.postMessage({ openCti: true, id: last, method, argument: rest }, host);
  };

  const listen = (name) => ({ listener }) => {
    if (typeof listener !== "function") throw new TypeError(`${name}: the listener is not a function`);
    listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  };

  const named = (names) => Object.fromEntries(names.map((name) => [name, name]));

  window.sforce = window.sforce ?? {};
  window.sforce.opencti = {
    SCREENPOP_TYPE: named(["SOBJECT", "URL", "OBJECTHOME", "LIST", "SEARCH", "NEW_RECORD_MODAL", "FLOW"]),
    CALL_TYPE: { INBOUND: "inbound", OUTBOUND: "outbound", INTERNAL: "internal" },
    onClickToDial: listen("onClickToDial"),
    onNavigationChange: listen("onNavigationChange"),
  };
  for (const method of [
    "enableClickToDial",
    "disableClickToDial",
    "screenPop",
    "refreshView",
    "getAppViewInfo",
    "getCallCenterSettings",
    "setSoftphonePanelVisibility",
    "isSoftphonePanelVisible",
    "setSoftphonePanelHeight",
    "setSoftphonePanelWidth",
    "setSoftphonePanelLabel",
    "setSoftphoneItemLabel",
    "notifyInitializationComplete",
  ]) {
    window.sforce.opencti[method] = ask(method);
  }
})();
