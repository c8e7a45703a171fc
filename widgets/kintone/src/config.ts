// Runs on the plug-in's settings screen.
import { showConfig } from "./config-page.js";

const place = document.getElementById("cti-bridge-settings");
if (place !== null) void showConfig(kintone, kintone.$PLUGIN_ID, place);
