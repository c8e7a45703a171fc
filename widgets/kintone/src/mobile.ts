// Runs on every mobile screen of an app that has the plug-in.
import { mobileAddress } from "./mobile-address.js";
import { startPage } from "./page.js";

startPage(kintone, { app: kintone.mobile.app, events: "mobile.app", address: mobileAddress }, kintone.$PLUGIN_ID);
