// Runs on every desktop screen of an app that has the plug-in.
import { startPage } from "./page.js";

startPage(kintone, { app: kintone.app, events: "app", address: (url) => url }, kintone.$PLUGIN_ID);
